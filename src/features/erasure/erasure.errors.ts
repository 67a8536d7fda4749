import { type AppError, invalidFields, notFound } from '../../lib/errors.js';

export const erasureNotFound = (): AppError => notFound();

export const ownNumber = (): AppError =>
  invalidFields({ phone_number: ['A virtual number of the account cannot be erased.'] });
