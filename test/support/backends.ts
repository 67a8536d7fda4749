import { randomBytes } from 'node:crypto';
import { ownRedisKeys } from './redis-keys.js';

/** The two backends of queue, wake-ups and limits; Redis only where the run has one. */
export interface Backend {
  readonly name: 'PostgreSQL' | 'Redis';
  readonly redisUrl: string | null;
}

export function eachBackend(define: (backend: Backend) => void): void {
  const redisUrl = process.env.TEST_REDIS_URL;
  describe('on PostgreSQL', () => define({ name: 'PostgreSQL', redisUrl: null }));
  if (redisUrl) describe('on Redis', () => define({ name: 'Redis', redisUrl }));
}

export const uniquePrefix = (): string => ownRedisKeys(`sbtest-${randomBytes(6).toString('hex')}`);
