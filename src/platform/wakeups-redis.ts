import { Redis } from 'ioredis';
import { closeRedis, firstAttempt, openRedis } from './redis.js';
import type { Carrier, Ears } from './wakeups-gather.js';

/** Large enough for a burst of whole events, small enough not to hold up the connection. */
const MOST_BYTES = 65_536;
const PING_EVERY_MS = 10_000;

/** One connection that publishes and one that listens; ioredis makes them anew and subscribes again by itself. */
export function openRedisCarrier(url: string, channel: string, ears: Ears, onError: (error: unknown) => void): Carrier {
  const speaking = openRedis(url, onError);
  const opened = firstAttempt(speaking);
  const listening = new Redis(url, {
    maxRetriesPerRequest: null,
    socketTimeout: 4000,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2000),
  });
  let readyTimes = 0;
  listening.on('error', onError);
  listening.on('message', (_channel, message) => ears.heard(message));
  listening.on('ready', () => {
    readyTimes += 1;
    if (readyTimes > 1) ears.missed();
  });
  // Whoever only listens would not learn that the connection died without a word.
  const alive = setInterval(() => listening.ping().catch(() => undefined), PING_EVERY_MS).unref();
  listening.subscribe(channel).catch(onError);
  return {
    mostBytes: MOST_BYTES,
    async send(message) {
      await opened;
      await speaking.publish(channel, message);
    },
    async close() {
      clearInterval(alive);
      listening.disconnect();
      await closeRedis(speaking);
    },
  };
}
