import { AppError, notFound } from '../../lib/errors.js';

export const accountNotFound = (): AppError => notFound('No such account.');

export const ownAccount = (): AppError =>
  new AppError('conflict', 'own_account', 'Your own account cannot be deactivated.');
