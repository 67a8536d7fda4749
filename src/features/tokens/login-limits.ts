import { createHash } from 'node:crypto';
import { callerAddress } from '../../http/client-address.js';
import type { Limiter, LimitRule } from '../../platform/limiter/limiter.js';
import { tooManyFailedLogins } from './tokens.errors.js';

const WINDOW_SECONDS = 60;
const PER_NAME: LimitRule = { name: 'failed-logins', points: 10, seconds: WINDOW_SECONDS };
const PER_ADDRESS: LimitRule = { name: 'failed-logins-of-address', points: 100, seconds: WINDOW_SECONDS };

export interface LoginAttempt {
  readonly username: string;
  readonly address: string;
}

/** Bounds failed logins; a success costs nothing. */
export interface LoginLimits {
  /**
   * Runs the attempt; one that throws what `isFailure` knows is counted. Attempts on one name from one address go one
   * after the other, so that as many as arrive at once cannot all pass before the first is counted.
   * @throws 429
   */
  attempt<T>(who: LoginAttempt, work: () => Promise<T>, isFailure: (error: unknown) => boolean): Promise<T>;
}

export function createLoginLimits(limiter: Limiter | null): LoginLimits {
  const last = new Map<string, Promise<unknown>>();

  async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  }

  return {
    async attempt({ username, address }, work, isFailure) {
      if (limiter === null) return work();
      // Names are as long as anybody likes, and none of the limiter's business.
      const caller = callerAddress(address);
      const nameKey = createHash('sha256').update(`${username}\n${caller}`).digest('base64url');
      const rules = [
        [PER_NAME, nameKey],
        [PER_ADDRESS, caller],
      ] as const;
      return inTurn(nameKey, async () => {
        for (const [rule, key] of rules) {
          const verdict = await limiter.look(rule, key);
          if (verdict.remaining <= 0) throw tooManyFailedLogins(verdict, rule.name, rule.seconds);
        }
        try {
          return await work();
        } catch (error) {
          if (isFailure(error)) await Promise.all(rules.map(([rule, key]) => limiter.take(rule, key)));
          throw error;
        }
      });
    },
  };
}
