import { isDeepStrictEqual } from 'node:util';
import knex, { type Knex } from 'knex';
import pg from 'pg';
import {
  assertSchemaCompatibility,
  LATEST_SCHEMA_VERSION,
  runMigrations,
  SchemaVersionMismatchError,
} from '../queue/library.js';
import { knexConfig, migrationNames } from './knex-config.js';
import { TRANSACTION_SETTINGS, watchSilence } from './silent-connections.js';

/** Names the lock under which one process migrates while the others wait: the ASCII codes of «swbd». */
const MIGRATION_LOCK = 0x73776264;

const ALIVE_EVERY_MS = 2000;

/** The schema of BullMQ's own tables. */
export const QUEUE_SCHEMA = 'bullmq';

/** Why a database cannot be used by this build; `message` is the one sentence that is shown. */
export class MigrationError extends Error {}

/**
 * Brings the database up to this code: our tables, then BullMQ's. Processes that start together do it once, because
 * the lock is held by a session of its own; it ends with the session, whatever happens to the process. Where there is
 * nothing to do nobody takes the lock: a start waits for no other.
 */
export async function migrateToLatest(url: string): Promise<void> {
  const session = await connectWatched(url);
  try {
    if (await isLatest(session)) return;
    await underLock(session, async () => {
      await migrateOurs(url);
      await migrateQueue(url);
    });
  } finally {
    await session.end();
  }
}

async function isLatest(session: pg.Client): Promise<boolean> {
  try {
    const { rows } = await session.query<{ is_free: boolean; names: string[] }>(
      `select not exists (select from knex_migrations_lock where is_locked <> 0) as is_free,
              array(select name from knex_migrations) as names`,
    );
    const isOurs = rows[0]?.is_free && isDeepStrictEqual(rows[0].names.sort(), migrationNames());
    return isOurs === true && (await assertSchemaCompatibility(session, QUEUE_SCHEMA)) >= LATEST_SCHEMA_VERSION;
  } catch {
    // A table that is not there yet, or a newer schema: whoever migrates says so.
    return false;
  }
}

async function underLock(session: pg.Client, work: () => Promise<void>): Promise<void> {
  // A holder that vanished without a word must not keep everybody else from starting.
  await session.query(`set idle_session_timeout = '10s'`);
  await session.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
  const alive = setInterval(() => void session.query('select 1').catch(() => undefined), ALIVE_EVERY_MS);
  try {
    await work();
  } finally {
    clearInterval(alive);
  }
}

async function connectWatched(url: string): Promise<pg.Client> {
  const settings = { connectionString: url, application_name: 'switchboard migrate', ...TRANSACTION_SETTINGS };
  const client = new pg.Client(settings);
  // What is asked on it fails then, and that is told.
  client.on('error', () => undefined);
  await client.connect();
  watchSilence(url, { isPatient: true }).add(client);
  return client;
}

async function migrateOurs(url: string): Promise<void> {
  const db = knex(knexConfig(url));
  try {
    await refuseNewer(db);
    // A process killed in the middle leaves Knex's own lock set for ever; whoever gets here holds the real one.
    await db.migrate.forceFreeMigrationsLock();
    await db.migrate.latest();
  } finally {
    await db.destroy();
  }
}

async function refuseNewer(db: Knex): Promise<void> {
  if (!(await db.schema.hasTable('knex_migrations'))) return;
  const known = new Set(migrationNames());
  const applied = await db<{ name: string }>('knex_migrations').select('name').orderBy('id');
  const unknown = applied.find(({ name }) => !known.has(name));
  if (unknown) throw newerDatabase(unknown.name);
}

const newerDatabase = (what: string): MigrationError =>
  new MigrationError(
    `The database is newer than this Switchboard (it has ${what}): start the version that migrated it, or a later one.`,
  );

async function migrateQueue(url: string): Promise<void> {
  const client = await connectWatched(url);
  try {
    await runMigrations(client, QUEUE_SCHEMA);
  } catch (error) {
    if (error instanceof SchemaVersionMismatchError) throw newerDatabase('a newer queue schema');
    throw error;
  } finally {
    await client.end();
  }
}
