import { AppError, invalidFields, notFound } from '../../lib/errors.js';
import type { LimitVerdict } from '../../platform/limiter/limiter.js';

export const otpRequired = (): AppError =>
  new AppError('unauthenticated', 'otp_required', 'A one-time code is needed as well.');

export const otpInvalid = (): AppError =>
  new AppError('unauthenticated', 'otp_invalid', 'The one-time code is wrong, or was used already.');

export const enrolmentRequired = (): AppError =>
  new AppError(
    'unauthenticated',
    'two_factor_enrolment_required',
    'The account demands a second factor: set one up at /api/token/two_factor/ first.',
  );

export const wrongOtp = (): AppError => invalidFields({ otp: ['The one-time code is wrong, or was used already.'] });

export const wrongPassword = (): AppError => invalidFields({ current_password: ['This is not the current password.'] });

export const alreadyEnabled = (): AppError =>
  new AppError('conflict', 'two_factor_enabled', 'The second factor is switched on already.');

export const notEnabled = (): AppError =>
  new AppError('conflict', 'two_factor_not_enabled', 'The second factor is not switched on.');

export const demanded = (): AppError =>
  new AppError('conflict', 'two_factor_demanded', 'The account demands a second factor.');

export const ownFirst = (): AppError =>
  new AppError('conflict', 'two_factor_not_enabled', 'Switch on your own second factor first.');

export const noSuchUser = (): AppError => notFound('No such user.');

export function tooManyCodes(verdict: LimitVerdict): AppError {
  const wait = Math.max(1, verdict.resetSeconds);
  return new AppError('rate_limited', 'rate_limited', `Too many wrong codes; try again in ${wait} seconds.`, {
    headers: { 'Retry-After': String(wait) },
  });
}

export const ownReset = (): AppError =>
  new AppError('conflict', 'own_two_factor', 'Your own second factor is switched off with your password and a code.');

export const notDemanded = (): AppError =>
  new AppError(
    'conflict',
    'two_factor_not_demanded',
    'The account demands no second factor; set one up once signed in.',
  );
