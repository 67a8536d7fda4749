import { AppError, invalidFields, notFound } from '../../lib/errors.js';

export const apiKeyNotFound = (): AppError => notFound('No such API key.');

export const expiresInPast = (): AppError => invalidFields({ expires_at: ['Must be in the future.'] });

export const apiKeyNotValid = (): AppError =>
  new AppError('unauthenticated', 'token_not_valid', 'Given token not valid for any token type', {
    details: { messages: [{ token_class: 'ApiKey', token_type: 'api_key', message: 'API key is invalid or expired' }] },
  });
