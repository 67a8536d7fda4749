import { accessSync, constants, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { makeDataFolder } from '../data-folder.js';
import { findBinaries } from './embedded-binaries.js';
import { type Cluster, prepareCluster, SUPERUSER } from './embedded-cluster.js';
import { chooseIdentity, foreignFolder } from './embedded-identity.js';
import { clearLeftovers } from './embedded-leftovers.js';
import { type DirectoryLock, lockDirectory } from './embedded-lock.js';
import { type Server, startServer } from './embedded-server.js';

export interface EmbeddedOptions {
  /** DATA_DIR: the cluster lies in its folder pg18. */
  readonly dir: string;
  /** False gives up safety against a crash for speed: tests only. */
  readonly durable?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  /** Default: a free one. */
  readonly port?: number;
  /** What PostgreSQL finds in its environment besides the little it needs. */
  readonly env?: Readonly<Record<string, string>>;
  /** Takes what PostgreSQL says, line by line. */
  readonly log?: (line: string) => void;
  /** Called when the server ends without having been asked to. */
  readonly onLost?: () => void;
}

export interface EmbeddedDatabase {
  readonly port: number;
  /** Holds the superuser's password: not for logs. */
  url(database?: string): string;
  stop(): Promise<void>;
}

const DATABASE = 'switchboard';

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '256MB',
  max_wal_size: '4GB',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Containers often have a tiny /dev/shm, and nothing is to be written outside the data folder.
  dynamic_shared_memory_type: 'mmap',
  // Failed statements are the application's to log: here they would show numbers and names.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

const RECKLESS: Readonly<Record<string, string>> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
};

export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const dir = resolve(options.dir);
  openDirectory(dir);
  const lock = await lockDirectory(dir);
  try {
    return await startLocked(realpathSync(dir), options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function openDirectory(dir: string): void {
  makeDataFolder(dir);
  try {
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw foreignFolder(dir);
  }
}

async function startLocked(dir: string, options: EmbeddedOptions, lock: DirectoryLock): Promise<EmbeddedDatabase> {
  const durable = options.durable ?? true;
  const data = join(dir, 'pg18');
  const found = findBinaries(join(dir, 'pg-lib'));
  const binaries = { ...found, env: { ...found.env, ...options.env } };
  const identity = chooseIdentity({ dir, data }, binaries);
  const cluster: Cluster = { dir, data, binaries, identity, durable };
  await clearLeftovers(cluster);
  const password = await prepareCluster(cluster);
  const settings = { ...SETTINGS, ...(durable ? {} : RECKLESS), ...options.settings };
  const server = await startServer(cluster, { settings, port: options.port, log: options.log ?? (() => undefined) });
  const url = (database = DATABASE) =>
    `postgres://${SUPERUSER}:${password}@127.0.0.1:${server.port}/${encodeURIComponent(database)}`;
  try {
    await ensureDatabase(url('postgres'), dir);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { port: server.port, url, stop: stopOnce(server, lock, options.onLost) };
}

function stopOnce(server: Server, lock: DirectoryLock, onLost?: () => void): () => Promise<void> {
  let stopping: Promise<void> | undefined;
  void server.ended.then(() => {
    if (stopping === undefined) onLost?.();
  });
  return () => {
    stopping ??= server.stop().finally(() => lock.release());
    return stopping;
  };
}

async function ensureDatabase(url: string, dir: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } catch (cause) {
    if ((cause as { code?: string }).code !== '28P01') throw cause;
    throw new Error(
      `The password in ${join(dir, 'pg-password')} is not the one of the database beside it: ` +
        'delete that file, and the next start sets a new one.',
      { cause },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}
