import type { Knex } from 'knex';
import type { Clock } from '../../lib/clock.js';
import { createTurns } from '../../lib/turns.js';
import type { Db } from '../../platform/db/connect.js';
import type { Limiter, LimitRule } from '../../platform/limiter/limiter.js';
import type { SecretBox } from '../../platform/secret-box.js';
import { enrolmentUrl, hashOfRecoveryCode, newSecret, stepOfCode } from './one-time-code.js';
import {
  alreadyEnabled,
  enrolmentRequired,
  notDemanded,
  otpInvalid,
  otpRequired,
  tooManyCodes,
} from './two-factor.errors.js';
import {
  findState,
  replaceUnconfirmed,
  type SecondFactor,
  switchOn,
  takeStep,
  useRecoveryCode,
} from './two-factor.repository.js';

export interface Enrolment {
  readonly secret: string;
  readonly otpauthUrl: string;
}

/** How a sign-in was proved beyond its password. */
export type Proof = 'none' | 'one_time_code' | 'recovery_code';

export interface SecondFactorsDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly limiter: Limiter;
  readonly secrets: SecretBox;
}

export const placeOfSecret = (userId: string): string => `user_two_factor.secret:${userId}`;

/**
 * Wrong codes and passwords of one user, wherever they come from: only who knows the password gets here. Recovery codes
 * are outside of it: no guess finds one, and its owner signs in by one while somebody else uses up the guesses.
 */
const ATTEMPTS: LimitRule = { name: 'second-factor', points: 10, seconds: 600 };

/** A code as it was typed; null when none was given. */
export function readCode(given: unknown): string | null {
  if (typeof given === 'number') return String(given).padStart(6, '0');
  if (typeof given !== 'string') return null;
  return given.trim() === '' ? null : given.trim();
}

/** What every use of a second factor shares: enrolling, proving, and the bound on wrong guesses. */
export function createSecondFactors({ db, clock, limiter, secrets }: SecondFactorsDeps) {
  const now = (): Date => new Date(clock.now());
  const inTurn = createTurns();
  const open = ({ userId, secret }: SecondFactor): string => secrets.open(secret, placeOfSecret(userId));

  /** Runs the guess; one that is false is counted. One after the other: together, all would pass uncounted. @throws 429 */
  function bounded(userId: string, guess: () => Promise<boolean>): Promise<boolean> {
    return inTurn(userId, async () => {
      const verdict = await limiter.look(ATTEMPTS, userId);
      if (verdict.remaining <= 0) throw tooManyCodes(verdict);
      if (await guess()) return true;
      await limiter.take(ATTEMPTS, userId);
      return false;
    });
  }

  /** The step of the code, once. */
  async function takeCode(factor: SecondFactor, code: string): Promise<boolean> {
    const step = stepOfCode(open(factor), code.replace(/\s/g, ''), clock.now());
    return step !== null && takeStep(db, factor, step);
  }

  async function proveEnabled(factor: SecondFactor, code: string): Promise<Proof> {
    const { userId } = factor;
    if (await useRecoveryCode(db, userId, hashOfRecoveryCode(code))) return 'recovery_code';
    return (await bounded(userId, () => takeCode(factor, code))) ? 'one_time_code' : 'none';
  }

  /** Switches on what was enrolled, by its first code, and does the rest in the same transaction. */
  async function confirm(factor: SecondFactor, code: string, rest?: (tx: Db) => Promise<void>): Promise<boolean> {
    return bounded(factor.userId, async () => {
      const step = stepOfCode(open(factor), code.replace(/\s/g, ''), clock.now());
      if (step === null) return false;
      return db.transaction(async (tx) => {
        const isOn = await switchOn(tx, factor, step, now());
        if (isOn) await rest?.(tx);
        return isOn;
      });
    });
  }

  /** Judges a sign-in whose password was right. @throws 401 otp_required, otp_invalid, 429 */
  async function prove(userId: string, given: unknown): Promise<Proof> {
    const state = await findState(db, userId);
    const code = readCode(given);
    if (!state?.factor?.enabledAt) {
      if (!state?.isDemanded) return 'none';
      if (!state.factor || code === null) throw enrolmentRequired();
      if (!(await confirm(state.factor, code))) throw otpInvalid();
      return 'one_time_code';
    }
    if (code === null) throw otpRequired();
    const proof = await proveEnabled(state.factor, code);
    if (proof === 'none') throw otpInvalid();
    return proof;
  }

  /** A new secret in the place of one that was never confirmed. @throws 409 */
  async function enrol(user: { readonly userId: string; readonly username: string }): Promise<Enrolment> {
    const secret = newSecret();
    const sealed = secrets.seal(secret, placeOfSecret(user.userId));
    if (!(await replaceUnconfirmed(db, user.userId, sealed, now()))) throw alreadyEnabled();
    return { secret, otpauthUrl: enrolmentUrl(secret, user.username) };
  }

  /** The same before the first sign-in, for whose account demands it. @throws 409 */
  async function enrolDemanded(user: { readonly userId: string; readonly username: string }): Promise<Enrolment> {
    if (!(await findState(db, user.userId))?.isDemanded) throw notDemanded();
    return enrol(user);
  }

  return { enrolDemanded, bounded, proveEnabled, confirm, prove, enrol };
}

export type SecondFactors = ReturnType<typeof createSecondFactors>;
