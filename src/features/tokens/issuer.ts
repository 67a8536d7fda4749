import type { Clock } from '../../lib/clock.js';
import type { TokenType } from './token.js';
import { type Claims, type JudgedClaims, jtiOfNode, judgeClaims, newNodeId, readToken, signToken } from './token.js';
import { tokenNotValid } from './tokens.errors.js';
import type { Family } from './tokens.repository.js';

export interface TokenPair {
  readonly access: string;
  readonly refresh: string;
}

/** Signs and reads tokens with the installation's key and lifetimes. */
export interface TokenIssuer {
  /** An access token, and a refresh token that belongs to the node; neither outlives the family. */
  pair(family: Family, nodeId: string, now: Date): TokenPair;
  endOfFamily(begun: Date): Date;
  /** When the last token that is issued now ends. */
  aliveUntil(family: Family, now: Date): Date;
  /** The claims of a token in a body. `type`: null takes any. @throws 401 */
  read(token: string, type: TokenType | null): JudgedClaims;
  /** What a rightly signed token says, unjudged. */
  open(token: string): unknown;
}

export interface IssuerDeps {
  readonly clock: Clock;
  readonly jwtSecret: string;
  readonly accessTtl: number;
  readonly refreshTtl: number;
}

const FAMILY_SECONDS = 30 * 86_400;

export function createIssuer({ clock, jwtSecret, accessTtl, refreshTtl }: IssuerDeps): TokenIssuer {
  const nowSeconds = (): number => Math.floor(clock.now() / 1000);
  const open = (token: string): unknown => readToken(token, jwtSecret, nowSeconds());

  function sign(family: Family, jti: string, life: { type: TokenType; ttl: number; now: Date }): string {
    const iat = Math.floor(life.now.getTime() / 1000);
    const claims: Claims = {
      token_type: life.type,
      exp: Math.min(iat + life.ttl, Math.floor(family.expiresAt.getTime() / 1000)),
      iat,
      jti,
      user_id: family.userId,
      account_id: family.accountId,
      role: family.role,
      sid: family.id,
    };
    return signToken(claims, jwtSecret);
  }

  return {
    open,
    pair: (family, nodeId, now) => ({
      refresh: sign(family, jtiOfNode(nodeId), { type: 'refresh', ttl: refreshTtl, now }),
      access: sign(family, jtiOfNode(newNodeId()), { type: 'access', ttl: accessTtl, now }),
    }),
    endOfFamily: (begun) => new Date(begun.getTime() + FAMILY_SECONDS * 1000),
    aliveUntil: ({ expiresAt }, now) =>
      new Date(Math.min(expiresAt.getTime(), now.getTime() + Math.max(accessTtl, refreshTtl) * 1000)),
    read(token, type) {
      const claims = judgeClaims(open(token), type, nowSeconds());
      if (typeof claims === 'string') throw tokenNotValid(claims);
      return claims;
    },
  };
}
