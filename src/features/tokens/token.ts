import { randomBytes } from 'node:crypto';
import jsonwebtoken from 'jsonwebtoken';
import type { UserRole } from '../../http/actor.js';

export type TokenType = 'access' | 'refresh';

/** What every token of ours says, in the seed's order; `sid` is the family, `role` only a hint. */
export interface Claims {
  readonly token_type: TokenType;
  /** Seconds since 1970, as `iat`. */
  readonly exp: number;
  readonly iat: number;
  /** 32 hex digits; the first half of a refresh token's is its node. */
  readonly jti: string;
  readonly user_id: string;
  readonly account_id: string;
  readonly role: UserRole;
  readonly sid: string;
}

const HALF = 16;

export const newNodeId = (): string => randomBytes(HALF / 2).toString('hex');

export const jtiOfNode = (nodeId: string): string => nodeId + randomBytes(HALF / 2).toString('hex');

export const nodeOfJti = (jti: string): string => jti.slice(0, HALF);

export const signToken = (claims: Claims, secret: string): string =>
  jsonwebtoken.sign(claims, secret, { algorithm: 'HS256' });

/** What a rightly signed token says; undefined when the signature or one of its times is wrong. */
export function readToken(token: string, secret: string, nowSeconds: number): unknown {
  try {
    return jsonwebtoken.verify(token, secret, { algorithms: ['HS256'], clockTimestamp: nowSeconds });
  } catch {
    return undefined;
  }
}

export const INVALID = 'Token is invalid or expired';

/** The claims that were checked; those that the seed did not ask for may be missing. */
export interface JudgedClaims {
  readonly type: TokenType;
  readonly exp: number;
  readonly iat: number | null;
  readonly jti: string;
  /** Null when the token names nobody. */
  readonly userId: string | null;
  readonly familyId: string | null;
}

/**
 * Looks at every claim once more: the JWT library takes a token without `exp`, an `iat` in the future, and a payload
 * that is a bare string. The order of the sentences is the seed's. `type`: null takes any.
 */
export function judgeClaims(claims: unknown, type: TokenType | null, nowSeconds: number): JudgedClaims | string {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return INVALID;
  const { exp, iat, jti, token_type: given, user_id: userId, sid } = claims as Partial<Record<string, unknown>>;
  if (iat !== undefined && !(typeof iat === 'number' && iat <= nowSeconds)) return INVALID;
  if (exp === undefined) return "Token has no 'exp' claim";
  if (typeof exp !== 'number' || exp <= nowSeconds) return INVALID;
  if (jti === undefined) return 'Token has no id';
  if (given === undefined) return 'Token has no type';
  if (given !== 'access' && given !== 'refresh') return 'Token has wrong type';
  if (type !== null && given !== type) return 'Token has wrong type';
  if (typeof jti !== 'string' || jti === '') return INVALID;
  return {
    type: given,
    exp,
    iat: iat ?? null,
    jti,
    userId: typeof userId === 'string' || typeof userId === 'number' ? String(userId) : null,
    familyId: typeof sid === 'string' ? sid : null,
  };
}
