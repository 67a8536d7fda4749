import type { Context, Middleware, Next } from 'koa';

const METHODS = 'GET, HEAD, POST, PATCH, PUT, DELETE';
const EXPOSED =
  'Link, X-Request-Id, ETag, Retry-After, RateLimit, RateLimit-Policy, Content-Disposition, X-Total-Count';

/** Headers of every answer, and CORS for the configured origins. An API needs few: nothing here is a page but `/docs/`. */
export function securityHeaders(corsOrigins: readonly string[], isHttps = false): Middleware {
  const isAllowed = (origin: string): boolean => corsOrigins.includes('*') || corsOrigins.includes(origin);
  return async (ctx: Context, next: Next) => {
    ctx.set({
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Resource-Policy': 'same-site',
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    });
    // Where the outside knows us by https, it shall never ask in the clear.
    if (isHttps) ctx.set('Strict-Transport-Security', 'max-age=31536000');
    if (ctx.path.startsWith('/api/')) ctx.set('Cache-Control', 'no-store');
    const origin = ctx.get('origin');
    if (corsOrigins.length > 0) ctx.vary('Origin');
    if (origin === '' || !isAllowed(origin)) return next();
    ctx.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': EXPOSED });
    if (ctx.method !== 'OPTIONS' || ctx.get('access-control-request-method') === '') return next();
    ctx.set({
      'Access-Control-Allow-Methods': METHODS,
      'Access-Control-Allow-Headers': 'Authorization, Content-Type, If-Match, If-None-Match, X-Request-Id',
      'Access-Control-Max-Age': '600',
    });
    ctx.status = 204;
  };
}
