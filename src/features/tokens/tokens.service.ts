import type { Knex } from 'knex';
import type { Actor } from '../../http/actor.js';
import type { Clock } from '../../lib/clock.js';
import { isId, newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import type { Wakeups } from '../../platform/wakeups.js';
import {
  type Credentials,
  findCredentials,
  type Passwords,
  publishSessions,
  replacePasswordHash,
} from '../accounts/index.js';
import type { Origin, RecordAudit } from '../audit/index.js';
import type { Enrolment, Proof, TwoFactor } from '../two-factor/index.js';
import type { TokenIssuer, TokenPair } from './issuer.js';
import type { LoginLimits } from './login-limits.js';
import type { Sessions } from './sessions.js';
import {
  enrolled,
  type FailureReason,
  failedSignIn,
  passwordChanged,
  signedIn,
  signedOut,
  theft,
} from './sign-in-audit.js';
import { type JudgedClaims, newNodeId, nodeOfJti } from './token.js';
import { judgeFork } from './token-fork.js';
import { noActiveAccount, tokenNotValid, wrongCurrentPassword } from './tokens.errors.js';
import {
  type Family,
  findForkView,
  findLivingFamily,
  insertFamily,
  insertNode,
  markPresented,
  noteIssue,
  revokeFamily,
} from './tokens.repository.js';

export interface Login {
  readonly username: string;
  readonly password: string;
  /** A one-time or recovery code, of whatever shape it came. */
  readonly otp?: unknown;
}

export interface TokensService {
  /** @throws 401, 429 */
  signIn(login: Login, from: RequestOrigin): Promise<TokenPair>;
  /** Sets up the second factor that the account demands. @throws 401, 409, 429 */
  enrol(login: Login, from: RequestOrigin): Promise<Enrolment>;
  /** @throws 401 */
  refresh(token: string, from: RequestOrigin): Promise<TokenPair>;
  /** @throws 401 when the token would not be taken */
  verify(token: string): Promise<void>;
  /** Stops the token's family. @throws 401 */
  signOut(token: string, from: RequestOrigin): Promise<void>;
  /** Signs the user out everywhere else. @throws 400, 429 */
  changePassword(actor: Actor, change: PasswordChange, from: RequestOrigin): Promise<TokenPair>;
}

export interface PasswordChange {
  readonly current: string;
  readonly next: string;
}

export interface RequestOrigin extends Origin {
  readonly address: string;
}

export interface TokensServiceDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly wakeups: Wakeups;
  readonly passwords: Passwords;
  readonly issuer: TokenIssuer;
  readonly limits: LoginLimits;
  readonly sessions: Pick<Sessions, 'fromToken'>;
  readonly twoFactor: Pick<TwoFactor, 'prove' | 'enrolDemanded'>;
  readonly audit: RecordAudit;
  readonly reuseWindowSeconds: number;
}

export function createTokensService(deps: TokensServiceDeps): TokensService {
  const { db, clock, wakeups, passwords, issuer, limits, sessions, twoFactor, audit } = deps;
  const present = (): Date => new Date(clock.now());

  /** The seed cut the spaces around a password; one that has them is tried as it was sent first. */
  async function isPassword(hash: string | null, password: string): Promise<boolean> {
    if (await passwords.verify(hash, password)) return true;
    const trimmed = password.trim();
    return trimmed !== password && passwords.verify(hash, trimmed);
  }

  async function beginFamily(tx: Db, user: Credentials): Promise<TokenPair> {
    const now = present();
    const nodeId = newNodeId();
    const family: Family = { ...user, id: newId(), expiresAt: issuer.endOfFamily(now) };
    const aliveUntil = issuer.aliveUntil(family, now);
    const { id, userId, expiresAt } = family;
    const { sessionEpoch } = user;
    const isMade = await insertFamily(tx, { id, userId, expiresAt, sessionEpoch, nodeId, createdAt: now, aliveUntil });
    if (!isMade) throw noActiveAccount();
    return issuer.pair(family, nodeId, now);
  }

  /** Reads a refresh token and its family. @throws 401 */
  function readRefresh(token: string): { familyId: string; nodeId: string; claims: JudgedClaims } {
    const claims = issuer.read(token, 'refresh');
    if (!isId(claims.familyId)) throw tokenNotValid();
    return { familyId: claims.familyId, nodeId: nodeOfJti(claims.jti), claims };
  }

  async function familyOf(tx: Db, token: string, lock: boolean) {
    const { familyId, nodeId, claims } = readRefresh(token);
    const family = await findLivingFamily(tx, familyId, { now: present(), lock });
    if (!family || (claims.userId !== null && claims.userId !== family.userId)) throw tokenNotValid();
    const view = await findForkView(tx, familyId, nodeId);
    if (!view) throw tokenNotValid();
    return { family, nodeId, view };
  }

  /** Whose name and password they are. @throws 401 */
  async function identify({ username, password }: Login, from: Origin): Promise<Credentials> {
    const user = await findCredentials(db, { username });
    const isRight = await isPassword(user?.passwordHash ?? null, password);
    if (user && isRight && user.isActive) return user;
    const reason: FailureReason = !user ? 'unknown_username' : isRight ? 'inactive' : 'wrong_password';
    await audit(db, failedSignIn({ username, user, reason }, from));
    throw noActiveAccount();
  }

  async function proveSecondFactor(user: Credentials, { username, otp }: Login, from: Origin): Promise<Proof> {
    try {
      return await twoFactor.prove(user.userId, otp);
    } catch (error) {
      if (isCode(error, 'otp_invalid')) await audit(db, failedSignIn({ username, user, reason: 'wrong_otp' }, from));
      throw error;
    }
  }

  /** Null: the family was stopped, which must be committed before it is told. */
  async function succeed(tx: Db, token: string, from: Origin): Promise<{ family: Family; pair: TokenPair | null }> {
    const { family, nodeId, view } = await familyOf(tx, token, true);
    const now = present();
    const verdict = judgeFork(view, now.getTime(), deps.reuseWindowSeconds);
    if (verdict.kind === 'theft') {
      await revokeFamily(tx, family.id, 'forked', now);
      await audit(tx, theft(family, from));
      return { family, pair: null };
    }
    await markPresented(tx, { familyId: family.id, nodeId, now, aliveUntil: issuer.aliveUntil(family, now) });
    const childId = verdict.kind === 'join' ? verdict.nodeId : newNodeId();
    if (verdict.kind === 'join') await noteIssue(tx, family.id, childId, now);
    else await insertNode(tx, { familyId: family.id, id: childId, parentId: nodeId, firstIssuedAt: now });
    return { family, pair: issuer.pair(family, childId, now) };
  }

  return {
    signIn: (login, from) =>
      limits.attempt(
        { username: login.username, address: from.address },
        async () => {
          const user = await identify(login, from);
          const proof = await proveSecondFactor(user, login, from);
          return db.transaction(async (tx) => {
            const pair = await beginFamily(tx, user);
            await audit(tx, signedIn(user, proof, from));
            return pair;
          });
        },
        isFailedSignIn,
      ),

    enrol: (login, from) =>
      limits.attempt(
        { username: login.username, address: from.address },
        async () => {
          const user = await identify(login, from);
          const enrolment = await twoFactor.enrolDemanded(user);
          await audit(db, enrolled(user, from));
          return enrolment;
        },
        isFailedSignIn,
      ),

    async refresh(token, from) {
      readRefresh(token);
      const { family, pair } = await db.transaction((tx) => succeed(tx, token, from));
      if (pair !== null) return pair;
      publishSessions(wakeups, { user_id: family.userId });
      throw tokenNotValid();
    },

    async verify(token) {
      const claims = issuer.read(token, null);
      if (claims.type === 'access') await verifyAccess(sessions, token, issuer.open(token));
      else {
        const { view } = await familyOf(db, token, false);
        if (view.childPresented || view.siblingPresented) throw tokenNotValid();
      }
    },

    async signOut(token, from) {
      const { familyId, claims } = readRefresh(token);
      const family = await findLivingFamily(db, familyId, { now: present(), lock: false });
      if (!family || (claims.userId !== null && claims.userId !== family.userId)) throw tokenNotValid();
      await db.transaction(async (tx) => {
        await revokeFamily(tx, family.id, 'signed_out', present());
        await audit(tx, signedOut(family, from));
      });
      publishSessions(wakeups, { user_id: family.userId });
    },

    async changePassword(actor, { current, next }, from) {
      const user = actor.userId === null ? undefined : await findCredentials(db, { id: actor.userId });
      if (!user) throw wrongCurrentPassword();
      return limits.attempt(
        { username: user.username, address: from.address },
        async () => {
          if (!(await isPassword(user.passwordHash, current))) throw wrongCurrentPassword();
          const hash = await passwords.hash(next);
          const pair = await db.transaction(async (tx) => {
            if (!(await replacePasswordHash(tx, user, hash, present()))) throw wrongCurrentPassword();
            await audit(tx, passwordChanged(user, from));
            const renewed = await findCredentials(tx, { id: user.userId });
            return beginFamily(tx, renewed ?? user);
          });
          publishSessions(wakeups, { user_id: user.userId });
          return pair;
        },
        (error) => isCode(error, 'invalid'),
      );
    },
  };
}

const isFailedSignIn = (error: unknown): boolean => isCode(error, 'no_active_account') || isCode(error, 'otp_invalid');

const isCode = (error: unknown, code: string): boolean => (error as { code?: unknown }).code === code;

async function verifyAccess(sessions: Pick<Sessions, 'fromToken'>, token: string, claims: unknown): Promise<void> {
  try {
    await sessions.fromToken(token, claims);
  } catch (error) {
    throw (error as { kind?: unknown }).kind === 'unauthenticated' ? tokenNotValid() : error;
  }
}
