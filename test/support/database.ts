import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** Any number, as long as all runs on one server agree: PostgreSQL copies one database at a time. */
const CLONE_LOCK = 7_301_946;
const OBJECT_IN_USE = '55006';
const TRIES = 20;

let made = 0;

/** A database of its own for one test file: a copy of the run's migrated template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = fromRun('TEST_DATABASE_URL');
  const run = fromRun('TEST_RUN');
  made += 1;
  const name = `${run}_${process.pid}_${made}`;
  await onServer(server, (client) => clone(client, templateOf(run), name));
  return {
    url: withDatabase(server, name),
    drop: () => onServer(server, (client) => dropDatabase(client, name)),
  };
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

async function onServer<T>(server: string, work: (client: pg.Client) => Promise<T>): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await work(client);
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
