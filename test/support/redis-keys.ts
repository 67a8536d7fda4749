import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Db } from '../../src/platform/db/connect.js';
import { readInstallationName } from '../../src/platform/installation.js';

const FILE = 'redis-prefixes';

/** What begins with `prefix:` in the run's Redis goes when the run ends: it may be a server that others use. */
export function ownRedisKeys(prefix: string, dir = process.env.TEST_DIR ?? ''): string {
  appendFileSync(join(dir, FILE), `${prefix}\n`);
  return prefix;
}

/** The same of all processes of the product on this database. */
export async function ownRedisKeysOf(db: Db): Promise<void> {
  ownRedisKeys(`switchboard-${await readInstallationName(db)}`);
}

/** One way through all keys, however many prefixes there are. */
export async function removeOwnRedisKeys(url: string, dir: string): Promise<void> {
  const own = ownPrefixes(dir);
  if (own.size === 0) return;
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  try {
    for await (const keys of redis.scanStream({ count: 1000 }) as AsyncIterable<string[]>) {
      const left = keys.filter((key) => own.has(key.slice(0, key.indexOf(':'))));
      if (left.length > 0) await redis.unlink(left);
    }
  } finally {
    redis.disconnect();
  }
}

/** Those of all processes of the run, until now. */
export function ownPrefixes(dir: string): ReadonlySet<string> {
  try {
    return new Set(readFileSync(join(dir, FILE), 'utf8').trim().split('\n'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Set();
    throw error;
  }
}
