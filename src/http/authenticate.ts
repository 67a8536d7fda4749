import { createSecretKey } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import koaJwt from 'koa-jwt';
import { AppError } from '../lib/errors.js';
import type { Actor } from './actor.js';

/** How a credential becomes an actor; made by the features, passed in by `wire.ts`. */
export interface ActorResolver {
  /** `claims`: what a rightly signed token says; undefined when the signature or a time in it is wrong. */
  fromToken(token: string, claims: unknown): Promise<Actor>;
  fromApiKey(key: string): Promise<Actor>;
}

export const notAuthenticated = (): AppError =>
  new AppError('unauthenticated', 'not_authenticated', 'Authentication credentials were not provided.');

const badHeader = (): AppError =>
  new AppError(
    'unauthenticated',
    'bad_authorization_header',
    'Authorization header must contain two space-delimited values',
  );

export const API_KEY_PREFIX = 'sb_';

/** The bearer token of an Authorization header, read as the seed read it: the word is `Bearer`, with a capital B. */
export function bearerToken(header: string | undefined): string {
  const parts = (header ?? '').split(/\s+/).filter((part) => part !== '');
  if (parts[0] !== 'Bearer') throw notAuthenticated();
  const [, token, ...more] = parts;
  if (token === undefined || more.length > 0) throw badHeader();
  return token;
}

/**
 * koa-jwt checks the signature and the times, HS256 alone; it is run with `passthrough`, because its own sentences are
 * not the seed's, and because it lets through tokens without `exp` (the resolver looks at the claims once more).
 */
export function createAuthenticate(jwtSecret: string, resolver: ActorResolver): (ctx: Context) => Promise<Actor> {
  // From a text jsonwebtoken would first try to make a public key, for each token anew: half the cost of a small answer.
  const key = createSecretKey(Buffer.from(jwtSecret));
  const verifySignature = koaJwt({
    secret: key as unknown as Buffer,
    algorithms: ['HS256'],
    passthrough: true,
    key: 'claims',
    getToken: (ctx) => (ctx as Context).state.bearerToken ?? null,
  }) as unknown as Middleware;

  return async (ctx) => {
    const token = bearerToken(ctx.get('authorization'));
    if (token.startsWith(API_KEY_PREFIX)) return resolver.fromApiKey(token);
    ctx.state.bearerToken = token;
    await verifySignature(ctx as never, async () => undefined);
    return resolver.fromToken(token, ctx.state.claims);
  };
}
