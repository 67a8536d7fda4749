import { AppError, invalidFields, notFound } from '../../lib/errors.js';

export const carrierNotFound = (): AppError => notFound('No such carrier.');

export const wrongCredentials = (sentences: readonly string[]): AppError => invalidFields({ credentials: sentences });

export const fixedMember = (name: string): AppError => invalidFields({ [name]: ['This field cannot be changed.'] });

/** The database cannot be asked, or the stored credentials cannot be opened: the provider is to send again. */
export const carrierUnavailable = (cause: unknown): AppError =>
  new AppError('unavailable', 'carrier_unavailable', 'The carrier cannot be looked up at the moment.', {
    headers: { 'Retry-After': '5' },
    cause,
  });
