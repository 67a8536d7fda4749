import type { Knex } from 'knex';
import type { Actor, UserRole } from '../../http/actor.js';
import { type ActorResolver, API_KEY_PREFIX, notAuthenticated } from '../../http/authenticate.js';
import type { Clock } from '../../lib/clock.js';
import { AppError } from '../../lib/errors.js';
import { createGatherer } from '../../lib/gather.js';
import { isId } from '../../lib/ids.js';
import { findSessions, type SessionQuestion, type SessionRow } from './sessions.queries.js';
import { type JudgedClaims, judgeClaims, readToken } from './token.js';
import { bearerNotValid, namesNobody, userInactive, userNotFound } from './tokens.errors.js';

/** What of an actor its session is judged by; the actor of a token has all of it. */
export interface SessionRef {
  readonly userId: string | null;
  readonly apiKeyId: string | null;
  readonly sessionId: string | null;
  readonly role: UserRole;
  /** Of tokens that name no session: when they were issued, ms since 1970. */
  readonly issuedAt?: number;
}

export interface SessionVerdict {
  readonly isValid: boolean;
  /** The role now; that of the question where there is nobody any more. */
  readonly role: UserRole;
}

/** Who stands behind a token or key, and whether a session that began earlier still may go on. */
export interface Sessions extends ActorResolver {
  /** For doors other than HTTP. @throws AppError of code `not_authenticated` or `token_not_valid` */
  resolveToken(token: unknown): Promise<Actor>;
  /** Judges many sessions anew in one statement; answers in the order of the questions. */
  checkSessions(sessions: readonly SessionRef[]): Promise<SessionVerdict[]>;
}

export interface SessionsDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly jwtSecret: string;
  /** @throws AppError unauthenticated */
  readonly fromApiKey: (key: string) => Promise<Actor>;
}

interface TokenActor extends Actor {
  readonly issuedAt: number;
}

const idOrNull = (id: string | null): string | null => (isId(id) ? id : null);

export function createSessions({ db, clock, jwtSecret, fromApiKey }: SessionsDeps): Sessions {
  const find = (questions: readonly SessionQuestion[]) => findSessions(db, questions, new Date(clock.now()));
  const findOne = createGatherer(find);
  const nowSeconds = (): number => Math.floor(clock.now() / 1000);

  async function fromToken(_token: string, given: unknown): Promise<Actor> {
    const claims = judgeClaims(given, 'access', nowSeconds());
    if (typeof claims === 'string') throw bearerNotValid(claims);
    if (claims.userId === null) throw namesNobody();
    const row = await findOne({
      userId: idOrNull(claims.userId),
      familyId: idOrNull(claims.familyId),
      apiKeyId: null,
    });
    return actorOf(claims, claims.userId, row);
  }

  async function resolveToken(token: unknown): Promise<Actor> {
    if (typeof token !== 'string' || token === '') throw notAuthenticated();
    try {
      if (token.startsWith(API_KEY_PREFIX)) return await fromApiKey(token);
      return await fromToken(token, readToken(token, jwtSecret, nowSeconds()));
    } catch (error) {
      const isForeign = !(error instanceof AppError) || error.kind !== 'unauthenticated';
      throw isForeign ? error : bearerNotValid();
    }
  }

  async function checkSessions(sessions: readonly SessionRef[]): Promise<SessionVerdict[]> {
    if (sessions.length === 0) return [];
    const rows = await find(
      sessions.map(({ userId, sessionId, apiKeyId }) => ({ userId, familyId: sessionId, apiKeyId })),
    );
    return sessions.map((session, i) => judgeSession(session, rows[i]));
  }

  return { fromToken, fromApiKey, resolveToken, checkSessions };
}

function actorOf(claims: JudgedClaims, userId: string, row: SessionRow): TokenActor {
  if (row.account_id === null || row.role === null) throw userNotFound();
  if (!row.is_active) throw userInactive();
  const issuedAt = (claims.iat ?? 0) * 1000;
  if (!isAlive(row, claims.familyId, issuedAt)) throw bearerNotValid();
  return {
    kind: 'user',
    accountId: row.account_id,
    userId: userId.toLowerCase(),
    apiKeyId: null,
    role: row.role,
    scopes: null,
    sessionId: claims.familyId,
    expiresAt: claims.exp * 1000,
    issuedAt,
  };
}

/** A token that names no session is told from older ones by its second alone. */
function isAlive(row: SessionRow, familyId: string | null, issuedAt: number): boolean {
  if (familyId !== null) return row.is_family_alive === true;
  return row.tokens_valid_from !== null && issuedAt >= row.tokens_valid_from.getTime();
}

function judgeSession(session: SessionRef, row: SessionRow | undefined): SessionVerdict {
  if (session.apiKeyId !== null) return { isValid: row?.is_key_alive === true, role: session.role };
  const isValid = row?.is_active === true && isAlive(row, session.sessionId, session.issuedAt ?? 0);
  return { isValid, role: row?.role ?? session.role };
}
