import { AppError } from '../../lib/errors.js';

export const onlyPost = (method: string): AppError =>
  new AppError(
    'method_not_allowed',
    'method_not_allowed',
    `Method "${method}" not allowed. Webhooks are taken by POST: set the provider's HTTP method to POST.`,
    { headers: { Allow: 'POST' } },
  );

export const unknownCarrier = (): AppError => new AppError('not_found', 'unknown_carrier', 'No such carrier.');

export const refused = (code: string, detail: string, challenge: string | undefined): AppError =>
  new AppError(
    'unauthenticated',
    code,
    detail,
    challenge === undefined ? {} : { headers: { 'WWW-Authenticate': challenge } },
  );

export const unreadable = (): AppError =>
  new AppError('invalid', 'unreadable', 'The body is neither JSON nor a form that this provider sends.');

export const backlogFull = (): AppError =>
  new AppError('unavailable', 'backlog_full', 'Too many webhooks wait to be processed; come again.', {
    headers: { 'Retry-After': '10' },
  });

export const webhookNotFound = (): AppError => new AppError('not_found', 'not_found', 'Not found.');
