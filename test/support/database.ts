import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { emptyDatabase, readState } from './empty-database.js';

export interface TestDatabase {
  readonly url: string;
  /** Gives it up: it is emptied for the next file of this process, where that will do. */
  drop(): Promise<void>;
}

/** Any number, as long as all runs on one server agree: PostgreSQL copies one database at a time. */
const CLONE_LOCK = 7_301_946;
const OBJECT_IN_USE = '55006';
const TRIES = 20;

interface Copy {
  readonly name: string;
  /** Of its schema, when it was new. */
  readonly state: string;
}

/** Emptied ones that nobody uses: a copy takes PostgreSQL longer than many a test file. */
const spare: Copy[] = [];
let made = 0;

/**
 * A database of its own for one test file: a copy of the run's migrated template, empty. `isNew` is for tests that look
 * at how the server stores and reads: nobody used it before.
 */
export async function createTestDatabase({ isNew = false } = {}): Promise<TestDatabase> {
  const server = fromRun('TEST_DATABASE_URL');
  const copy = (isNew ? undefined : spare.pop()) ?? (await makeCopy(server));
  const url = withDatabase(server, copy.name);
  return {
    url,
    async drop() {
      if (await emptyDatabase(url, copy.state)) spare.push(copy);
      else await onServer(server, (client) => dropDatabase(client, copy.name));
    },
  };
}

async function makeCopy(server: string): Promise<Copy> {
  const run = fromRun('TEST_RUN');
  made += 1;
  const name = `${run}_${process.pid}_${made}`;
  await onServer(server, (client) => clone(client, templateOf(run), name));
  return { name, state: await onServer(withDatabase(server, name), readState) };
}

/** Made once, before the tests. */
export async function createTemplate(server: string, run: string): Promise<void> {
  const template = templateOf(run);
  await onServer(server, (client) => client.query(`create database ${template}`));
  const { migrateToLatest } = await import('../../src/platform/db/migrate.js');
  await migrateToLatest(withDatabase(server, template));
  // Nobody may be connected to a database while it is copied.
  await onServer(server, (client) => client.query(`alter database ${template} with allow_connections false`));
}

export async function dropRunDatabases(server: string, run: string): Promise<void> {
  await onServer(server, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      'select datname from pg_database where starts_with(datname, $1)',
      [`${run}_`],
    );
    for (const { datname } of rows) await dropDatabase(client, datname);
  });
}

function fromRun(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new Error(`${name} is not set: tests with a database are run by \`npm test -- <files>\`.`);
}

function templateOf(run: string): string {
  return `${run}_template`;
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function onServer<T>(server: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function clone(client: pg.Client, template: string, name: string): Promise<void> {
  await client.query('select pg_advisory_lock($1)', [CLONE_LOCK]);
  for (let tries = 1; ; tries += 1) {
    try {
      await client.query(`create database ${name} template ${template} strategy file_copy`);
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== OBJECT_IN_USE || tries >= TRIES) throw error;
      await pause(50);
    }
  }
}

async function dropDatabase(client: pg.Client, name: string): Promise<void> {
  await client.query(`drop database if exists ${name} with (force)`);
}
