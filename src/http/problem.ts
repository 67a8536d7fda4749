import type { Context, Next } from 'koa';
import { AppError } from '../lib/errors.js';
import { isTransient } from '../platform/db/errors.js';
import { type Logger, throttledWarn } from '../platform/log.js';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition failed',
  413: 'Content too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
  500: 'Internal server error',
  503: 'Service unavailable',
};

/** RFC 9457, plus `code`, `request_id` and one member for each wrong field. */
export function presentProblem(error: AppError, requestId: string): Record<string, unknown> {
  return {
    type: 'about:blank',
    title: TITLES[error.status] ?? 'Error',
    status: error.status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...error.details,
    ...error.fields,
  };
}

/** What nobody named: a database out of reach passes, everything else is ours to mend. */
function nameFault(cause: unknown): AppError {
  if (!isTransient(cause)) return new AppError('internal', 'internal', 'Something went wrong.', { cause });
  const headers = { 'Retry-After': '5' };
  return new AppError('unavailable', 'unavailable', 'The database does not answer now.', { headers, cause });
}

/**
 * The only place of the HTTP door where an error becomes an answer. What is not an AppError is told to nobody but the
 * log, and so is why something is unavailable.
 */
export function problems(log: Logger) {
  const reasons = new Map<string, (cause: unknown) => void>();
  function tellWhy({ code, cause }: AppError): void {
    const tell = reasons.get(code) ?? throttledWarn(log, code);
    reasons.set(code, tell);
    tell(cause);
  }

  return async (ctx: Context, next: Next): Promise<void> => {
    try {
      await next();
    } catch (thrown) {
      const error = thrown instanceof AppError ? thrown : nameFault(thrown);
      if (!(thrown instanceof AppError)) log.error({ err: thrown, requestId: ctx.state.requestId }, 'request failed');
      else if (error.kind === 'unavailable' && error.cause !== undefined) tellWhy(error);
      ctx.status = error.status;
      ctx.set(error.headers);
      if (error.kind === 'unauthenticated' && ctx.path.startsWith('/api/'))
        ctx.set('WWW-Authenticate', 'Bearer realm="api"');
      ctx.body = JSON.stringify(presentProblem(error, ctx.state.requestId));
      ctx.type = 'application/problem+json';
      ctx.state.errorCode = error.code;
    }
  };
}
