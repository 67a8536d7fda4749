import { createSecretKey } from 'node:crypto';
import type { Context } from 'koa';
import verify from 'koa-jwt/lib/verify.js';
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
 * koa-jwt checks the signature and the times, HS256 alone. Of it the part that verifies is taken: around that part its
 * middleware lets several secrets race, by promises with accessors of their own, and those V8 puts into its old
 * generation with all they see. So every request stayed in memory until a full collection, some ten kilobytes each. It
 * lets through tokens without `exp` (the resolver looks at the claims once more).
 */
export function createAuthenticate(jwtSecret: string, resolver: ActorResolver): (ctx: Context) => Promise<Actor> {
  // From a text jsonwebtoken would first try to make a public key, for each token anew: half the cost of a small answer.
  const key = createSecretKey(Buffer.from(jwtSecret));

  return async (ctx) => {
    const token = bearerToken(ctx.get('authorization'));
    if (token.startsWith(API_KEY_PREFIX)) return resolver.fromApiKey(token);
    // What is wrong with it is told in the seed's words, by whoever looks at the claims.
    const claims = await verify(token, key, { algorithms: ['HS256'] }).catch(() => undefined);
    return resolver.fromToken(token, claims);
  };
}
