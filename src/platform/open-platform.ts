import { type Clock, systemClock } from '../lib/clock.js';
import type { Config } from './config.js';
import { connectDatabase } from './db/connect.js';
import { addGauges } from './gauges.js';
import { readInstallationName } from './installation.js';
import { type Closer, createCloser } from './lifecycle.js';
import { createLimiter } from './limiter/open.js';
import type { Logger } from './log.js';
import { createMetrics } from './metrics.js';
import type { Platform } from './platform.js';
import { createQueue } from './queue/bullmq.js';
import { keptSecret, openSecretBox } from './secrets-file.js';
import { openTracing } from './tracing.js';
import { readVersion } from './version.js';
import { createWakeups } from './wakeups-open.js';

export interface PlatformOptions {
  readonly config: Config;
  /** DATABASE_URL, or that of the embedded database; migrated. */
  readonly databaseUrl: string;
  readonly log: Logger;
  /** Tests own the time. */
  readonly clock?: Clock;
}

export interface OpenPlatform extends Platform {
  /** Where the process listens, for `publicUrl`. */
  listensOn(url: string): void;
}

/** Opens the outside world in order; the closer undoes it in reverse. */
export async function openPlatform(options: PlatformOptions): Promise<OpenPlatform> {
  const { config, databaseUrl, log, clock = systemClock } = options;
  const closer = createCloser(log);
  try {
    return await open({ config, databaseUrl, log, clock }, closer);
  } catch (error) {
    await closer.close();
    throw error;
  }
}

async function open(options: Required<PlatformOptions>, closer: Closer): Promise<OpenPlatform> {
  const { config, databaseUrl, log, clock } = options;
  const { redisUrl, dataDir } = config;
  const jwtSecret = config.jwtSecret ?? keptSecret(dataDir, 'jwt-secret');
  const metrics = createMetrics();
  const tracing = await openTracing(config.otlpEndpoint, readVersion());
  closer.defer('traces', () => tracing.close());

  const db = connectDatabase(databaseUrl, config.databasePool, log);
  closer.defer('database', () => db.destroy());
  const prefix = `switchboard-${await readInstallationName(db)}`;
  const queue = createQueue({ redisUrl, databaseUrl, log, prefix, metrics, tracing });
  closer.defer('queue', () => queue.close());
  addGauges(metrics, { db, queue });
  const wakeups = createWakeups({ redisUrl, databaseUrl, log, prefix });
  closer.defer('wake-ups', () => wakeups.close());
  const limiter = createLimiter({ enabled: config.rateLimits, redisUrl, db, prefix, log });
  closer.defer('rate limits', () => limiter.close());

  let address = '';
  return {
    ...{ config, log, clock, db, queue, wakeups, limiter, metrics, tracing, jwtSecret, closer },
    secrets: openSecretBox(config),
    publicUrl: () => config.publicUrl ?? address,
    listensOn: (url) => {
      address = url;
    },
  };
}
