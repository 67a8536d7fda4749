/**
 * A copy of a data folder while its embedded database runs, by PostgreSQL's own rules for that: between start and stop
 * of a backup the files may change under the copy, and the write-ahead log of that time, kept by a slot, makes them
 * whole when the copy is started. A database that does not run is just copied, under the folder's lock. The copy gets
 * its name once the disk has all of it: what has the name is a backup, whenever the power fails.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import pg from 'pg';
import { makeDurably, type Sync, syncToDisk } from '../durable-folder.js';
import { SUPERUSER } from './embedded-cluster.js';
import { lockDirectory } from './embedded-lock.js';

/** What a running server keeps for itself, by PostgreSQL's documentation of base backups. */
const NOT_FILES = new Set(['postmaster.pid', 'postmaster.opts', 'backup_label', 'tablespace_map']);
const EMPTY_FOLDERS = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);

export interface BackupOutcome {
  /** Whether the database ran meanwhile. */
  readonly isOnline: boolean;
}

/**
 * @throws Error when `target` exists or lies in `dataDir`, there is no database in `dataDir`, or the copy fails: then
 * nothing is left of it
 */
export async function backUpEmbedded(dataDir: string, target: string, sync: Sync = syncToDisk): Promise<BackupOutcome> {
  if (!existsSync(join(dataDir, 'pg18', 'PG_VERSION'))) throw new Error(`There is no embedded database in ${dataDir}.`);
  if (existsSync(target)) throw new Error(`${target} is there already: name a folder that is not.`);
  // It would be copied into itself without end.
  if (realFolder(target).startsWith(realpathSync(dataDir) + sep))
    throw new Error(`${target} lies in ${dataDir} itself: name a folder outside of it.`);
  try {
    return await makeDurably(target, sync, (draft) => copyAll(dataDir, draft));
  } catch (error) {
    throw new Error(`The backup to ${target} failed: ${(error as Error).message}`, { cause: error });
  }
}

/** Where a folder that is not there yet will really be. */
const realFolder = (path: string): string =>
  existsSync(path) ? realpathSync(path) : join(realFolder(dirname(resolve(path))), basename(path));

async function copyAll(dataDir: string, target: string): Promise<BackupOutcome> {
  const client = await connectRunning(dataDir);
  if (client) await copyRunning(client, dataDir, target);
  else await copyStopped(dataDir, target);
  return { isOnline: client !== null };
}

async function connectRunning(dataDir: string): Promise<pg.Client | null> {
  const read = (name: string): string => readFileSync(join(dataDir, name), 'utf8').trim();
  let port: number;
  try {
    port = Number(read(join('pg18', 'postmaster.pid')).split('\n')[3]);
  } catch {
    return null;
  }
  const connection = { host: '127.0.0.1', port, user: SUPERUSER, password: read('pg-password'), database: 'postgres' };
  const client = new pg.Client({
    ...connection,
    application_name: 'switchboard backup',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    if ((error as { code?: string }).code === 'ECONNREFUSED') return null;
    throw error;
  }
}

async function copyRunning(client: pg.Client, dataDir: string, target: string): Promise<void> {
  const [from, to] = [join(dataDir, 'pg18'), join(target, 'pg18')];
  try {
    await client.query(
      `select pg_create_physical_replication_slot('switchboard_backup_' || pg_backend_pid(), true, true)`,
    );
    await client.query(`select pg_backup_start('switchboard', true)`);
    copyTree(from, to, isCopied);
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
    writeFileSync(join(to, 'backup_label'), rows[0]?.labelfile ?? '', { mode: 0o600 });
    copyTree(join(from, 'pg_wal'), join(to, 'pg_wal'), (path, isFolder) => isFolder || /^[0-9A-F]{24}$/.test(path));
  } finally {
    await client.end();
  }
  copyBeside(dataDir, target);
}

/** Of some folders only they themselves. */
function isCopied(path: string): boolean {
  const [top = '', ...below] = path.split('/');
  return !NOT_FILES.has(path) && (below.length === 0 || !EMPTY_FOLDERS.has(top));
}

async function copyStopped(dataDir: string, target: string): Promise<void> {
  const lock = await lockDirectory(dataDir);
  try {
    copyTree(join(dataDir, 'pg18'), join(target, 'pg18'), (path) => path !== 'postmaster.pid');
    copyBeside(dataDir, target);
  } finally {
    lock.release();
  }
}

/** Secrets, the database's password, documents: all but what belongs to the running process. */
function copyBeside(dataDir: string, target: string): void {
  copyTree(dataDir, target, (path) => !/^(pg18|pg-lib|lock\.)/.test(path));
}

type Wanted = (path: string, isFolder: boolean) => boolean;

function copyTree(from: string, to: string, wanted: Wanted, below = ''): void {
  mkdirSync(join(to, below), { recursive: true, mode: 0o700 });
  for (const entry of readdirSync(join(from, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (!wanted(path, entry.isDirectory())) continue;
    if (entry.isDirectory()) copyTree(from, to, wanted, path);
    else if (entry.isFile()) copyOne(join(from, path), join(to, path));
  }
}

/** A file may vanish under the copy: what it held is in the write-ahead log. */
function copyOne(from: string, to: string): void {
  try {
    copyFileSync(from, to);
    chmodSync(to, statSync(from).mode & 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
