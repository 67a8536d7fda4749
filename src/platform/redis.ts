import { Redis } from 'ioredis';

/** Waits between attempts to reach Redis again, at most this long. */
const MOST_WAIT_MS = 2000;

/**
 * A connection for short commands: while Redis is away they fail at once instead of waiting for it. Everything that
 * runs over it has a fallback, and the connection comes back by itself.
 */
export function openRedis(url: string, onError: (error: unknown) => void): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    connectTimeout: 5000,
    commandTimeout: 2000,
    // A connection that died without a word is made anew.
    socketTimeout: 4000,
    retryStrategy: (attempt) => Math.min(attempt * 100, MOST_WAIT_MS),
  });
  redis.on('error', onError);
  return redis;
}

/** Resolves when the first attempt to connect has come or failed: before that, nothing says that Redis is away. */
export function firstAttempt(redis: Redis): Promise<void> {
  return new Promise((resolve) => {
    for (const outcome of ['ready', 'error', 'close'] as const) redis.once(outcome, () => resolve());
  });
}

export async function closeRedis(redis: Redis): Promise<void> {
  if (redis.status === 'ready') await redis.quit().catch(() => undefined);
  redis.disconnect();
}
