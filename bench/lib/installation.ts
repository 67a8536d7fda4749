import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { type EmbeddedDatabase, startEmbedded } from '../../src/platform/db/embedded.js';
import { migrateToLatest } from '../../src/platform/db/migrate.js';
import { clusterCpuSeconds } from './processes.js';

export const SECRET_TEXT = 'bench-secret-'.padEnd(40, 'x');
export const ADMIN = { username: 'bench', password: 'bench-password' };

/** A durable PostgreSQL of the benchmark's own, with commit times, and a folder for everything. */
export interface Ground {
  readonly database: EmbeddedDatabase;
  readonly folder: string;
  /** Processor seconds that PostgreSQL has used until now. */
  cpuSeconds(): number;
  /** A new, migrated database; or a copy of an earlier one, to which nobody may be connected. */
  createDatabase(name: string, template?: string): Promise<string>;
  /** As `createDatabase`, then filled; on a kept ground one that was filled earlier. */
  filledDatabase(name: string, fill: (url: string) => Promise<void>): Promise<string>;
  close(): Promise<void>;
}

export interface GroundOptions {
  /** What PostgreSQL finds in its environment besides the little it needs. */
  readonly env?: Readonly<Record<string, string>>;
  /** A folder that stays, with its databases; default: one that goes when the ground is closed. */
  readonly keepIn?: string | null;
}

const MIGRATED = 'migrated';

function makeFolder(keepIn: string | null): string {
  mkdirSync(keepIn ?? '.tmp', { recursive: true });
  return keepIn === null ? mkdtempSync(join(resolve('.tmp'), 'bench-')) : resolve(keepIn);
}

export async function openGround({ env = {}, keepIn = null }: GroundOptions = {}): Promise<Ground> {
  const folder = makeFolder(keepIn);
  const settings = {
    track_commit_timestamp: 'on',
    max_connections: '500',
    shared_preload_libraries: 'pg_stat_statements',
  };
  const database = await startEmbedded({ dir: join(folder, 'pg'), settings, env });
  const onServer = (text: string) => withClient(database.url('postgres'), (client) => client.query(text));
  async function createDatabase(wanted: string, template = MIGRATED): Promise<string> {
    const name = spelled(wanted);
    await onServer(`drop database if exists "${name}"`);
    await onServer(`create database "${name}" template "${template}"`);
    return database.url(name);
  }
  await createDatabase(MIGRATED, 'template1');
  await migrateToLatest(database.url(MIGRATED));
  return {
    database,
    folder,
    cpuSeconds: () => clusterCpuSeconds(join(folder, 'pg', 'pg18')),
    createDatabase,
    async filledDatabase(wanted, fill) {
      const name = spelled(wanted);
      const { rowCount } = await onServer(`select from pg_database where datname = '${name}'`);
      if (rowCount === 0) {
        // It gets its name last: one whose filling was interrupted is no filled one.
        const unfinished = `${name}_unfinished`;
        await fill(await createDatabase(unfinished));
        await onServer(`alter database "${unfinished}" rename to "${name}"`);
      }
      return database.url(name);
    },
    async close() {
      // After a failure some may still run.
      await Promise.all([...running].filter((each) => each.folder === folder).map(({ child }) => stopChild(child)));
      await database.stop();
      if (keepIn === null) rmSync(folder, { recursive: true, force: true });
    },
  };
}

const spelled = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export interface RunningProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly databaseUrl: string;
  readonly folder: string;
  readonly roles?: string;
  readonly redisUrl?: string | null | undefined;
  readonly settings?: Readonly<Record<string, string>>;
  /** Compiled entry, from the root; default: the switchboard itself. */
  readonly entry?: string;
}

/** What was started and has not ended, with the ground it stands on. */
const running = new Set<{ readonly folder: string; readonly child: ChildProcess }>();

// Whatever ends the benchmark ends what it started.
process.once('exit', () => {
  for (const { child } of running) child.kill('SIGKILL');
});

/** Starts a server process and waits for its ready line. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { PATH = '', HOME = '', BENCH_NODE_ARGS } = process.env;
  const nodeArgs = BENCH_NODE_ARGS && !options.entry ? BENCH_NODE_ARGS.split(' ') : [];
  const child = spawn(process.execPath, [...nodeArgs, resolve(options.entry ?? 'dist/src/main.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...{ PATH, HOME, PORT: '0', LOG_LEVEL: 'error', RATE_LIMITS: 'off', ACCESS_TOKEN_TTL: '86400' },
      DATA_DIR: options.folder,
      DATABASE_URL: options.databaseUrl,
      ...{ JWT_SECRET: SECRET_TEXT, ENCRYPTION_KEY: SECRET_TEXT },
      ...{ ADMIN_USERNAME: ADMIN.username, ADMIN_PASSWORD: ADMIN.password },
      ROLES: options.roles ?? 'api,live,worker',
      ...(options.redisUrl && { REDIS_URL: options.redisUrl }),
      ...options.settings,
    },
  });
  const standing = { folder: options.folder, child };
  running.add(standing);
  child.once('exit', () => running.delete(standing));
  const url = await readyUrl(child);
  return { url, port: Number(new URL(url).port), pid: child.pid ?? 0, stop: () => stopChild(child) };
}

export function stopChild(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done();
    child.once('exit', () => done());
    child.kill('SIGTERM');
  });
}

export function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolveUrl, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk) => {
      text += chunk;
      const found = /ready on (http:\S+)/.exec(text);
      if (found?.[1]) resolveUrl(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`The server ended with ${code} before it was ready.`)));
  });
}

export interface Api {
  <T>(method: string, path: string, body?: unknown): Promise<T>;
  readonly token: string;
}

export async function signIn(url: string, login = ADMIN): Promise<Api> {
  const call = async <T>(method: string, path: string, body?: unknown, token?: string): Promise<T> => {
    const response = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  };
  const { access } = await call<{ access: string }>('POST', '/api/token/', login);
  const ask = <T>(method: string, path: string, body?: unknown): Promise<T> => call<T>(method, path, body, access);
  return Object.assign(ask, { token: access });
}

/** The account that signed in. */
export const accountOf = ({ token }: Api): string =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')).account_id;
