import { AppError } from '../../lib/errors.js';

export const invalidRequest = (message: string): AppError => new AppError('invalid', 'invalid_request', message);

export const unknownMessage = (): AppError =>
  new AppError('invalid', 'unknown_message', 'There is no such message; known are subscribe and authenticate.');

export const tooManyMessages = (): AppError =>
  new AppError('rate_limited', 'rate_limited', 'Too many messages on this connection.');

export const tooManyConnections = (): AppError =>
  new AppError('rate_limited', 'too_many_connections', 'Too many live connections are open.');

export const otherUsersToken = (): AppError =>
  new AppError('forbidden', 'other_user', 'A connection is renewed with a token of the same user only.');

export const insufficientScope = (): AppError =>
  new AppError('forbidden', 'insufficient_scope', 'This API key lacks the scope calls:read.');

export const shuttingDown = (): AppError =>
  new AppError('unavailable', 'shutting_down', 'This process is shutting down.');

export const unavailable = (cause: unknown): AppError =>
  new AppError('unavailable', 'unavailable', 'The live channel cannot be served at the moment.', { cause });
