import { runMigrations, SchemaVersionMismatchError } from 'bullmq';
import knex, { type Knex } from 'knex';
import pg from 'pg';
import { knexConfig, migrationNames } from './knex-config.js';

/** Names the lock under which one process migrates while the others wait: the ASCII codes of «swbd». */
const MIGRATION_LOCK = 0x73776264;

/** The schema of BullMQ's own tables. */
export const QUEUE_SCHEMA = 'bullmq';

/** Why a database cannot be used by this build; `message` is the one sentence that is shown. */
export class MigrationError extends Error {}

/**
 * Brings the database up to this code: our tables, then BullMQ's. Processes that start together do it once, because
 * the lock is held by a session of its own; it ends with the session, whatever happens to the process.
 */
export async function migrateToLatest(url: string): Promise<void> {
  const session = new pg.Client({ connectionString: url, application_name: 'switchboard migrate' });
  await session.connect();
  try {
    await session.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await migrateOurs(url);
    await migrateQueue(session);
  } finally {
    await session.end();
  }
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

async function migrateQueue(session: pg.Client): Promise<void> {
  try {
    await runMigrations(session, QUEUE_SCHEMA);
  } catch (error) {
    if (error instanceof SchemaVersionMismatchError) throw newerDatabase('a newer queue schema');
    throw error;
  }
}
