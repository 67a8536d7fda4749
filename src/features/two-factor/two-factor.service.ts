import type { Knex } from 'knex';
import type { Actor } from '../../http/actor.js';
import type { Clock } from '../../lib/clock.js';
import type { Db } from '../../platform/db/connect.js';
import { type Resealed, resealColumns, type SealedColumn } from '../../platform/reseal.js';
import type { SecretBox } from '../../platform/secret-box.js';
import type { Wakeups } from '../../platform/wakeups.js';
import {
  type Credentials,
  findCredentials,
  type Passwords,
  publishSessions,
  type UsersService,
} from '../accounts/index.js';
import { hashOfRecoveryCode, newRecoveryCodes } from './one-time-code.js';
import { type Enrolment, placeOfSecret, type SecondFactors } from './second-factors.js';
import {
  alreadyEnabled,
  demanded,
  noSuchUser,
  notEnabled,
  ownFirst,
  ownReset,
  wrongOtp,
  wrongPassword,
} from './two-factor.errors.js';
import {
  deleteFactor,
  findDemand,
  findState,
  lockEnabled,
  replaceRecoveryCodes,
  type SecondFactor,
  setDemand,
  signOutWithoutFactor,
} from './two-factor.repository.js';

export interface TwoFactorStatus {
  readonly enabledAt: Date | null;
  readonly isDemanded: boolean;
  readonly codesLeft: number;
}

/** What somebody shows to change their second factor. */
export interface Evidence {
  readonly password: string;
  readonly otp: string;
}

export interface TwoFactorService {
  status(userId: string): Promise<TwoFactorStatus>;
  /** @throws 400, 409, 429 */
  begin(userId: string, password: string): Promise<Enrolment>;
  /** Switches it on; the recovery codes are answered here and never again. @throws 400, 409, 429 */
  confirm(userId: string, otp: string): Promise<readonly string[]>;
  renewCodes(userId: string, evidence: Evidence): Promise<readonly string[]>;
  disable(userId: string, evidence: Evidence): Promise<void>;
  /** For a colleague who lost their device. @throws 403, 404, 409 */
  reset(actor: Actor, userId: string): Promise<void>;
  isDemanded(accountId: string): Promise<boolean>;
  /** Signs everybody out who has none. @throws 409 when the actor has none */
  demand(actor: Actor, isDemanded: boolean): Promise<void>;
  /** Seals every secret anew that was sealed with the previous key. */
  reseal(): Promise<Resealed>;
}

export interface TwoFactorServiceDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly wakeups: Wakeups;
  readonly secrets: SecretBox;
  readonly passwords: Passwords;
  readonly factors: SecondFactors;
  readonly users: Pick<UsersService, 'getChangeable'>;
}

const SECRETS: SealedColumn = {
  ...{ table: 'user_two_factor', key: { sql: 'user_id', type: 'uuid' }, column: 'secret' },
  placeOf: placeOfSecret,
};

export function createTwoFactorService(deps: TwoFactorServiceDeps): TwoFactorService {
  const { db, clock, wakeups, passwords, factors, users } = deps;
  const now = (): Date => new Date(clock.now());

  async function stateOf(userId: string) {
    const state = await findState(db, userId);
    if (!state) throw noSuchUser();
    return state;
  }

  async function checkPassword(userId: string, password: string): Promise<Credentials> {
    const user = await findCredentials(db, { id: userId });
    if (!user) throw noSuchUser();
    const isRight = await factors.bounded(userId, () => passwords.verify(user.passwordHash, password));
    if (!isRight) throw wrongPassword();
    return user;
  }

  /** Password and code, as at a sign-in. */
  async function checkEvidence(userId: string, { password, otp }: Evidence): Promise<SecondFactor> {
    const { factor } = await stateOf(userId);
    if (!factor?.enabledAt) throw notEnabled();
    await checkPassword(userId, password);
    if ((await factors.proveEnabled(factor, otp)) === 'none') throw wrongOtp();
    return factor;
  }

  return {
    async status(userId) {
      const { factor, isDemanded, codesLeft } = await stateOf(userId);
      return { enabledAt: factor?.enabledAt ?? null, isDemanded, codesLeft };
    },
    async begin(userId, password) {
      return factors.enrol(await checkPassword(userId, password));
    },
    async confirm(userId, otp) {
      const { factor } = await stateOf(userId);
      if (!factor) throw notEnabled();
      if (factor.enabledAt) throw alreadyEnabled();
      const codes = newRecoveryCodes();
      const give = (tx: Db) => replaceRecoveryCodes(tx, userId, codes.map(hashOfRecoveryCode));
      if (!(await factors.confirm(factor, otp, give))) throw wrongOtp();
      return codes;
    },
    async renewCodes(userId, evidence) {
      await checkEvidence(userId, evidence);
      const codes = newRecoveryCodes();
      await db.transaction(async (tx) => {
        if (!(await lockEnabled(tx, userId))) throw notEnabled();
        await replaceRecoveryCodes(tx, userId, codes.map(hashOfRecoveryCode));
      });
      return codes;
    },
    async disable(userId, evidence) {
      const { isDemanded } = await stateOf(userId);
      if (isDemanded) throw demanded();
      await checkEvidence(userId, evidence);
      await deleteFactor(db, userId);
    },
    async reset(actor, userId) {
      if (actor.userId === userId) throw ownReset();
      await users.getChangeable(actor, userId);
      if (!(await deleteFactor(db, userId))) throw notEnabled();
    },
    isDemanded: (accountId) => findDemand(db, accountId),
    async demand(actor, isDemanded) {
      const own = actor.userId === null ? undefined : await findState(db, actor.userId);
      if (isDemanded && !own?.factor?.enabledAt) throw ownFirst();
      const signedOut = await db.transaction(async (tx) => {
        await setDemand(tx, actor.accountId, isDemanded, now());
        // A token tells its second only: one of the present second may have been issued before.
        const nextSecond = new Date((Math.floor(clock.now() / 1000) + 1) * 1000);
        return isDemanded ? signOutWithoutFactor(tx, actor.accountId, nextSecond) : [];
      });
      for (const userId of signedOut) publishSessions(wakeups, { user_id: userId });
    },
    reseal: () => resealColumns(db, deps.secrets, [SECRETS]),
  };
}
