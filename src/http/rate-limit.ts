import type { Context } from 'koa';
import { AppError } from '../lib/errors.js';
import type { Limiter, LimitRule, LimitVerdict } from '../platform/limiter/limiter.js';
import type { Actor } from './actor.js';
import { callerAddress } from './client-address.js';
import type { AnyRoute } from './route.js';

export const REQUESTS: LimitRule = { name: 'requests', points: 600, seconds: 60 };

export const rateLimited = (verdict: Pick<LimitVerdict, 'resetSeconds'>): AppError =>
  new AppError('rate_limited', 'rate_limited', `Too many requests. Try again in ${verdict.resetSeconds} seconds.`, {
    headers: { 'Retry-After': String(verdict.resetSeconds) },
  });

/** Takes the request's cost from the share of the user or key, else of the address. The headers are those of draft-ietf-httpapi-ratelimit-headers-10. */
export function createRateLimit(limiter: Limiter, enabled: boolean) {
  return async (ctx: Context, route: AnyRoute | undefined, actor: Actor | null): Promise<void> => {
    const cost = route?.cost ?? 1;
    if (!enabled || cost === 0) return;
    const verdict = limiter.takeCheaply(REQUESTS, callerOf(ctx, route, actor), cost);
    const { name, points, seconds } = REQUESTS;
    ctx.set({
      'RateLimit-Policy': `"${name}";q=${points};w=${seconds}`,
      RateLimit: `"${name}";r=${verdict.remaining};t=${verdict.resetSeconds}`,
    });
    if (!verdict.allowed) throw rateLimited(verdict);
  };
}

function callerOf(ctx: Context, route: AnyRoute | undefined, actor: Actor | null): string {
  if (actor?.apiKeyId) return `key:${actor.apiKeyId}`;
  if (actor?.userId) return `user:${actor.userId}`;
  return `address:${callerAddress(ctx.ip)}${route?.countsApart ? route.path : ''}`;
}
