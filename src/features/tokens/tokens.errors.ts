import { AppError, invalidFields } from '../../lib/errors.js';
import type { LimitVerdict } from '../../platform/limiter/limiter.js';
import { INVALID } from './token.js';

export const noActiveAccount = (): AppError =>
  new AppError('unauthenticated', 'no_active_account', 'No active account found with the given credentials');

/** A token in a body. */
export const tokenNotValid = (sentence: string = INVALID): AppError =>
  new AppError('unauthenticated', 'token_not_valid', sentence);

/** The bearer token of a request. */
export const bearerNotValid = (sentence: string = INVALID): AppError =>
  new AppError('unauthenticated', 'token_not_valid', 'Given token not valid for any token type', {
    details: { messages: [{ token_class: 'AccessToken', token_type: 'access', message: sentence }] },
  });

export const namesNobody = (): AppError => tokenNotValid('Token contained no recognizable user identification');

export const userNotFound = (): AppError => new AppError('unauthenticated', 'user_not_found', 'User not found');

export const userInactive = (): AppError => new AppError('unauthenticated', 'user_inactive', 'User is inactive');

export const wrongCurrentPassword = (): AppError =>
  invalidFields({ current_password: ['This is not the current password.'] });

export function tooManyFailedLogins(verdict: LimitVerdict, name: string, windowSeconds: number): AppError {
  const wait = Math.max(1, Math.ceil(verdict.resetSeconds));
  return new AppError('rate_limited', 'rate_limited', `Too many failed logins; try again in ${wait} seconds.`, {
    headers: {
      'Retry-After': String(wait),
      RateLimit: `"${name}";r=0;t=${wait}`,
      'RateLimit-Policy': `"${name}";q=${verdict.limit};w=${windowSeconds}`,
    },
  });
}
