import { type Logger, throttledWarn } from './log.js';
import type { Wakeups } from './wakeups.js';
import { createGatheringWakeups } from './wakeups-gather.js';
import { openPostgresCarrier } from './wakeups-postgres.js';
import { openRedisCarrier } from './wakeups-redis.js';

export interface WakeupsOptions {
  /** Null: LISTEN/NOTIFY on PostgreSQL. */
  readonly redisUrl: string | null;
  readonly databaseUrl: string;
  /** Keeps installations that share one Redis apart. */
  readonly prefix: string;
  readonly log: Logger;
}

export function createWakeups({ redisUrl, databaseUrl, prefix, log }: WakeupsOptions): Wakeups {
  const onError = throttledWarn(log, 'wake-ups');
  return createGatheringWakeups(
    (ears) =>
      redisUrl === null
        ? openPostgresCarrier(databaseUrl, ears, onError)
        : openRedisCarrier(redisUrl, `${prefix}:wakeups`, ears, onError),
    onError,
    log,
  );
}
