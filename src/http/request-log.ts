import type { Context, Next } from 'koa';
import { v4 } from 'uuid';
import { isId } from '../lib/ids.js';
import type { Logger } from '../platform/log.js';
import type { Metrics } from '../platform/metrics.js';
import type { Tracing } from '../platform/tracing.js';

const ACCEPTED_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** The path as the log may show it: of what the client put into it the ids alone, as all else may be a number or secret. */
function shownPath(path: string, route: string): string {
  const pattern = route.split('/');
  const isTold = (part: string, i: number): boolean =>
    part === '' || part === pattern[i] || (pattern[i]?.startsWith(':') === true && isId(part));
  return path
    .split('/')
    .map((part, i) => (isTold(part, i) ? part : '…'))
    .join('/');
}

/** Names the request and writes one line when it is answered; handlers add facts with `note`. No query: it may hold numbers. */
export function requestLog(log: Logger, metrics: Metrics, tracing: Tracing) {
  const seconds = metrics.histogram('switchboard_http_request_seconds', 'Requests by route and status.', [
    'method',
    'route',
    'status',
  ]);
  return async (ctx: Context, next: Next): Promise<void> => {
    const started = performance.now();
    const given = ctx.get('x-request-id');
    const requestId = ACCEPTED_ID.test(given) ? given : v4();
    ctx.state.requestId = requestId;
    ctx.state.facts = {};
    ctx.set('X-Request-Id', requestId);
    try {
      await tracing.span({ name: ctx.method, kind: 'server', headers: ctx.headers }, async (note) => {
        await next();
        const route = ctx.state.route ?? 'none';
        note.rename(`${ctx.method} ${route}`);
        note.set({ 'http.route': route, 'http.response.status_code': ctx.status, request_id: requestId });
      });
    } finally {
      const ms = performance.now() - started;
      const route = ctx.state.route ?? 'none';
      seconds.observe({ method: ctx.method, route, status: String(ctx.status) }, ms / 1000);
      log.info(
        {
          requestId,
          method: ctx.method,
          route,
          path: route === 'none' ? undefined : shownPath(ctx.path, route),
          status: ctx.status,
          code: ctx.state.errorCode,
          ms: Math.round(ms * 10) / 10,
          accountId: ctx.state.actor?.accountId,
          userId: ctx.state.actor?.userId,
          ...ctx.state.facts,
        },
        'request',
      );
    }
  };
}
