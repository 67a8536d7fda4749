import type Router from '@koa/router';
import Koa, { type Context, type Middleware, type Next } from 'koa';
import { AppError, notFound } from '../lib/errors.js';
import type { Logger } from '../platform/log.js';
import type { Metrics } from '../platform/metrics.js';
import { NO_TRACING, type Tracing } from '../platform/tracing.js';
import { problems } from './problem.js';
import { requestLog } from './request-log.js';

export interface AppParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Default: none. */
  readonly tracing?: Tracing;
  readonly trustProxy: boolean;
  /** Headers every answer has, CORS answers included. */
  readonly security: Middleware;
  /** Doors that read the raw body themselves (carrier webhooks), tried before the table. */
  readonly rawDoors: readonly Middleware[];
  readonly router: Router;
}

/** The whole onion, in order. */
export function createApp(parts: AppParts): Koa {
  // The last entry of X-Forwarded-For is the proxy's own; those before it are the client's to invent.
  const app = new Koa({ proxy: parts.trustProxy, maxIpsCount: 1 });
  app.silent = true;
  app.on('error', (error: Error & { code?: string }) => {
    // A client that left in the middle of its answer is no fault of ours.
    if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET')
      parts.log.warn({ err: error }, 'answer could not be sent');
  });
  app.use(requestLog(parts.log, parts.metrics, parts.tracing ?? NO_TRACING));
  app.use(problems(parts.log));
  app.use(refuseUnreadableTarget);
  app.use(parts.security);
  for (const door of parts.rawDoors) app.use(door);
  app.use(parts.router.routes() as unknown as Middleware);
  app.use(unknownPath);
  return app;
}

/** A target may be a whole address (`GET http://[/`), and then one that nobody can read. */
async function refuseUnreadableTarget(ctx: Context, next: Next): Promise<void> {
  if (!URL.canParse(ctx.url, 'http://switchboard'))
    throw new AppError('invalid', 'malformed_request', 'The address of the request cannot be read.');
  await next();
}

async function unknownPath(ctx: Context, next: Next): Promise<void> {
  await next();
  if (ctx.status === 404 && ctx.body === undefined && !ctx.state.route) throw notFound();
}
