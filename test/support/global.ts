import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS } from '../../src/platform/config.js';
import { startEmbedded } from '../../src/platform/db/embedded.js';
import { createTemplate, dropRunDatabases } from './database.js';
import { removeOwnRedisKeys } from './redis-keys.js';
import { startRedisServer } from './redis-server.js';

type Undo = () => Promise<void> | void;

export interface TestServers {
  /** The environment of the tests: what the run started, and none of the settings of whoever started it. */
  readonly env: NodeJS.ProcessEnv;
  readonly notes: readonly string[];
  stop(): Promise<void>;
}

/** Starts what one run of the suite needs: a database server with a migrated template, and Redis where there is one. */
export async function startTestServers(root: string): Promise<TestServers> {
  const undo: Undo[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const dir = makeRunDirectory(root, undo);
    const run = `sb_test_${process.pid}_${randomBytes(3).toString('hex')}`;
    const server = await databaseServer(dir, undo);
    undo.push(() => dropRunDatabases(server.url, run).catch((error) => console.error(error)));
    await createTemplate(server.url, run);
    const redis = await redisServer(dir, undo);
    const env = {
      ...withoutSettings(process.env),
      TEST_DATABASE_URL: server.url,
      TEST_RUN: run,
      TEST_DIR: dir,
      TEST_COUNT_FILE: join(dir, 'count.json'),
      ...(redis === undefined ? {} : { TEST_REDIS_URL: redis.url }),
    };
    const redisNote = redis?.note ?? 'Redis: skipped, as neither REDIS_URL nor a redis-server on the path was found.';
    return { env, notes: [server.note, redisNote], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const settings = new Set(SETTINGS.map((setting) => setting.name));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !settings.has(name) && !name.startsWith('PG')));
}

function makeRunDirectory(root: string, undo: Undo[]): string {
  const scratch = join(root, '.tmp');
  mkdirSync(scratch, { recursive: true });
  for (const name of readdirSync(scratch)) {
    const pid = /^run-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) remove(join(scratch, name));
  }
  const dir = join(scratch, `run-${process.pid}`);
  remove(dir);
  mkdirSync(dir);
  undo.push(() => remove(dir));
  return dir;
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function databaseServer(dir: string, undo: Undo[]): Promise<{ url: string; note: string }> {
  const given = process.env.TEST_DATABASE_URL ?? process.env.DATABASE_URL;
  if (given) return { url: given, note: 'Database: the server given, in databases of its own.' };
  // Without autovacuum plans do not depend on when it came by, and a used database stays as good as new.
  const settings = { shared_buffers: '128MB', max_connections: '300', autovacuum: 'off' };
  const database = await startEmbedded({ dir: join(dir, 'data'), durable: false, settings });
  undo.push(() => database.stop());
  return { url: database.url('postgres'), note: 'Database: an embedded PostgreSQL for this run.' };
}

async function redisServer(dir: string, undo: Undo[]): Promise<{ url: string; note: string } | undefined> {
  const given = process.env.TEST_REDIS_URL ?? process.env.REDIS_URL;
  if (given) {
    undo.push(() => removeOwnRedisKeys(given, dir).catch((error) => console.error(error)));
    return { url: given, note: 'Redis: the server given; the keys of this run go with it.' };
  }
  const server = await startRedisServer();
  if (!server) return undefined;
  undo.push(() => server.stop());
  return { url: server.url, note: 'Redis: a redis-server for this run.' };
}
