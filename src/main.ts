import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { DrainThreadData } from './drain-thread.js';
import { type Config, ConfigError, readConfig } from './platform/config.js';
import { findDatabase } from './platform/db/find-database.js';
import { migrateToLatest } from './platform/db/migrate.js';
import { tuneGarbageCollection } from './platform/garbage-collection.js';
import { createCloser } from './platform/lifecycle.js';
import { createLogger } from './platform/log.js';
import { stopAsked } from './platform/stop-signal.js';
import { explainStartFailure } from './start-failure.js';
import { wire } from './wire.js';

/** Whoever asked us to stop was promised an end within 10 s. */
const STOP_WITHIN_MS = 9000;

/** The thread for batches, where the process has both sides of them and the machine a processor for each. */
function threadFor({ roles }: Config, databaseUrl: string): (() => Worker) | undefined {
  if (!roles.includes('api') || !roles.includes('worker') || availableParallelism() < 2) return undefined;
  const workerData: DrainThreadData = { databaseUrl };
  return () => new Worker(new URL('./drain-thread.js', import.meta.url), { workerData });
}

async function run(): Promise<void> {
  tuneGarbageCollection();
  const config = readConfig();
  const log = createLogger(config.logLevel);
  const closer = createCloser(log);
  const asked = stopAsked();
  // Nothing here may end the process but a signal: what failed unseen is told, and the rest goes on.
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'));

  async function start(): Promise<void> {
    const databaseUrl = await findDatabase(config, { log, closer, onLost: () => void stop('database lost', 1) });
    await migrateToLatest(databaseUrl);
    const system = await wire({ config, databaseUrl, log, startThread: threadFor(config, databaseUrl) });
    closer.defer('system', () => system.close(), 7000);
    await system.features.accounts.ensureFirstOperator();
    const url = await system.start();
    process.stdout.write(`Switchboard is ready on ${url}\n`);
    log.info({ url, roles: config.roles }, 'ready');
  }

  async function stop(reason: string, exitCode: number): Promise<never> {
    log.info({ reason }, 'stopping');
    const late = pause(STOP_WITHIN_MS).then(() => log.error('stopping took too long'));
    await Promise.race([starting.catch(() => undefined).then(() => closer.close()), late]);
    process.exit(exitCode);
  }

  const starting = start();
  asked.then((signal) => stop(signal, 0));
  try {
    await starting;
  } catch (error) {
    process.stderr.write(`${explainStartFailure(error, config)}\n`);
    if (!(error instanceof ConfigError)) log.debug({ err: error }, 'start failed');
    await closer.close();
    process.exit(1);
  }
}

run().catch((error: Error) => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : error.stack}\n`);
  process.exit(1);
});
