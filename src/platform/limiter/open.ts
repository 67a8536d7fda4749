import type { Knex } from 'knex';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import { type Logger, throttledWarn } from '../log.js';
import { closeRedis, firstAttempt, openRedis } from '../redis.js';
import { createGatheredCounts } from './gathered-counts.js';
import type { Limiter, LimitRule, LimitVerdict } from './limiter.js';

export interface LimiterOptions {
  /** False: everything is allowed. */
  readonly enabled: boolean;
  /** Null: the counts are kept on PostgreSQL. */
  readonly redisUrl: string | null;
  readonly db: Knex;
  /** Keeps installations that share one Redis apart. */
  readonly prefix: string;
  readonly log: Logger;
}

interface Store {
  make(rule: LimitRule, insurance: RateLimiterAbstract): RateLimiterAbstract;
  /** Resolves once the store can be asked, or is known to be away. */
  readonly opened: Promise<void>;
  close(): Promise<void>;
}

export function createLimiter(options: LimiterOptions): Limiter {
  if (!options.enabled) return unlimited;
  const onError = throttledWarn(options.log, 'rate limits');
  const store = options.redisUrl === null ? onPostgres(options) : onRedis(options.redisUrl, options, onError);
  const limiters = new Map<string, RateLimiterAbstract>();

  function of(rule: LimitRule): RateLimiterAbstract {
    const id = `${rule.name}/${rule.points}/${rule.seconds}`;
    const limiter = limiters.get(id) ?? store.make(rule, new RateLimiterMemory(optionsOf(rule)));
    limiters.set(id, limiter);
    return limiter;
  }

  async function take(rule: LimitRule, key: string, cost = 1): Promise<LimitVerdict> {
    await store.opened;
    try {
      return verdict(rule, await of(rule).consume(key, cost));
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return verdict(rule, refusal);
      onError(refusal);
      return untouched(rule);
    }
  }

  const gathered = createGatheredCounts(take);
  return {
    take,
    async look(rule, key) {
      await store.opened;
      try {
        const state = await of(rule).get(key);
        return state ? verdict(rule, state) : untouched(rule);
      } catch (error) {
        onError(error);
        return untouched(rule);
      }
    },
    takeCheaply: gathered.take,
    async close() {
      await gathered.close();
      await store.close();
    },
  };
}

const optionsOf = (rule: LimitRule) => ({ keyPrefix: rule.name, points: rule.points, duration: rule.seconds });

function onPostgres({ db }: LimiterOptions): Store {
  const sweep = setInterval(() => {
    db.raw('delete from rate_limits where expire < ?', [Date.now()]).catch(() => undefined);
  }, 300_000);
  sweep.unref();
  return {
    make: (rule, insuranceLimiter) =>
      new RateLimiterPostgres({
        ...optionsOf(rule),
        storeClient: db,
        storeType: 'knex',
        tableName: 'rate_limits',
        tableCreated: true,
        clearExpiredByTimeout: false,
        insuranceLimiter,
      }),
    opened: Promise.resolve(),
    close: async () => clearInterval(sweep),
  };
}

function onRedis(url: string, { prefix }: LimiterOptions, onError: (error: unknown) => void): Store {
  const redis = openRedis(url, onError);
  return {
    make: (rule, insuranceLimiter) =>
      new RateLimiterRedis({
        ...optionsOf(rule),
        keyPrefix: `${prefix}:limits:${rule.name}`,
        storeClient: redis,
        rejectIfRedisNotReady: true,
        insuranceLimiter,
      }),
    opened: firstAttempt(redis),
    close: () => closeRedis(redis),
  };
}

function verdict(rule: LimitRule, { consumedPoints, msBeforeNext }: RateLimiterRes): LimitVerdict {
  return {
    allowed: consumedPoints <= rule.points,
    limit: rule.points,
    remaining: Math.max(rule.points - consumedPoints, 0),
    resetSeconds: Math.max(Math.ceil(msBeforeNext / 1000), 1),
  };
}

const untouched = (rule: LimitRule): LimitVerdict => ({
  allowed: true,
  limit: rule.points,
  remaining: rule.points,
  resetSeconds: rule.seconds,
});

const unlimited: Limiter = {
  take: async (rule) => untouched(rule),
  look: async (rule) => untouched(rule),
  takeCheaply: untouched,
  close: async () => undefined,
};
