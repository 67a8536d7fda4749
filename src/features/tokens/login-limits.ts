import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { callerAddress } from '../../http/client-address.js';
import { createFairShare } from '../../http/fair-share.js';
import { createTurns } from '../../lib/turns.js';
import type { Limiter, LimitRule, LimitVerdict } from '../../platform/limiter/limiter.js';
import { tooManyFailedLogins } from './tokens.errors.js';

/**
 * Who goes on after the first minute's share meets the longer windows, and so waits longer each time; all of them end,
 * and none is a name's alone: nobody can lock a stranger out.
 */
const PER_NAME: readonly LimitRule[] = [
  { name: 'failed-logins', points: 10, seconds: 60 },
  { name: 'failed-logins-long', points: 30, seconds: 900 },
  { name: 'failed-logins-longer', points: 60, seconds: 10_800 },
];
const PER_ADDRESS: readonly LimitRule[] = [
  { name: 'failed-logins-of-address', points: 100, seconds: 60 },
  { name: 'failed-logins-of-address-long', points: 500, seconds: 900 },
];

/** One name from anywhere: slowed, never refused. */
const OF_NAME: LimitRule = { name: 'failed-logins-of-name', points: 100_000, seconds: 900 };
const UNSLOWED = 20;
const FIRST_PAUSE_MS = 100;
const DOUBLES_EVERY = 10;
const LONGEST_PAUSE_MS = 5000;

/**
 * Attempts of one address that work at once, and that wait: whoever sends a thousand a second shall not have them all
 * judged before the first hundred are counted.
 */
const AT_ONCE = 4;
const MOST_WAITING = 100;

/** Attempts that an address has left from which on they go one by one: those still being judged are not counted yet. */
const NEARLY_NONE = 2 * AT_ONCE;

/** Refusals are remembered here, so that a flood of attempts costs the backend nothing. */
const MOST_REMEMBERED = 10_000;

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

interface Counter {
  readonly rule: LimitRule;
  readonly key: string;
}

interface Refusal extends Counter {
  readonly verdict: LimitVerdict;
  /** ms of the process's clock. */
  readonly until: number;
}

// Names are as long as anybody likes, and none of the limiter's business.
const hashed = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** How long an attempt waits after so many failures on its name. */
export function pauseAfter(failures: number): number {
  if (failures < UNSLOWED) return 0;
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** ((failures - UNSLOWED) / DOUBLES_EVERY));
}

export function createLoginLimits(limiter: Limiter | null): LoginLimits {
  if (limiter === null) return { attempt: (_who, work) => work() };
  const inTurn = createTurns();
  const lane = createFairShare({ atOnce: AT_ONCE, mostWaiting: MOST_WAITING });
  const refusals = new Map<string, Refusal>();

  function checkRemembered(counters: readonly Counter[]): void {
    for (const { rule, key } of counters) {
      const id = `${rule.name} ${key}`;
      const known = refusals.get(id);
      if (!known) continue;
      const leftMs = known.until - performance.now();
      if (leftMs <= 0) refusals.delete(id);
      else throw tooManyFailedLogins({ ...known.verdict, resetSeconds: leftMs / 1000 }, rule.name, rule.seconds);
    }
  }

  /** How many failures the address has left. @throws 429 of the rule that refuses longest */
  async function check(counters: readonly Counter[], caller: string): Promise<number> {
    checkRemembered(counters);
    const verdicts = await Promise.all(counters.map(({ rule, key }) => limiter?.look(rule, key)));
    let worst: Refusal | undefined;
    let left = Number.POSITIVE_INFINITY;
    counters.forEach((counter, i) => {
      const verdict = verdicts[i];
      if (verdict && counter.key === caller) left = Math.min(left, verdict.remaining);
      if (!verdict || verdict.remaining > 0) return;
      const refusal = { ...counter, verdict, until: performance.now() + verdict.resetSeconds * 1000 };
      if (!worst || refusal.until > worst.until) worst = refusal;
    });
    if (!worst) return left;
    if (refusals.size >= MOST_REMEMBERED) refusals.delete(refusals.keys().next().value ?? '');
    refusals.set(`${worst.rule.name} ${worst.key}`, worst);
    throw tooManyFailedLogins(worst.verdict, worst.rule.name, worst.rule.seconds);
  }

  return {
    async attempt({ username, address }, work, isFailure) {
      const caller = callerAddress(address);
      const [pairKey, nameKey] = [hashed(`${username}\n${caller}`), hashed(username)];
      const counters = [
        ...PER_NAME.map((rule) => ({ rule, key: pairKey })),
        ...PER_ADDRESS.map((rule) => ({ rule, key: caller })),
      ];
      checkRemembered(counters);
      const judge = async () => {
        const ofName = await limiter.look(OF_NAME, nameKey);
        const wait = pauseAfter(ofName.limit - ofName.remaining);
        if (wait > 0) await pause(wait);
        try {
          return await work();
        } catch (error) {
          const counted = [...counters, { rule: OF_NAME, key: nameKey }];
          if (isFailure(error)) await Promise.all(counted.map(({ rule, key }) => limiter.take(rule, key)));
          throw error;
        }
      };
      const judged = async () => {
        const left = await check(counters, caller);
        if (left > NEARLY_NONE) return judge();
        return inTurn(`the last of ${caller}`, async () => {
          await check(counters, caller);
          return judge();
        });
      };
      return lane(caller, () => inTurn(pairKey, judged));
    },
  };
}
