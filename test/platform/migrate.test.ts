import { expect } from 'chai';
import pg from 'pg';
import { MigrationError, migrateToLatest } from '../../src/platform/db/migrate.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

describe('migrating', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  it('makes an empty database whole, once, however many start at the same moment', async () => {
    await ask('drop schema bullmq cascade; drop schema public cascade; create schema public');

    await Promise.all(Array.from({ length: 4 }, () => migrateToLatest(database.url)));

    expect(await ask('select count(*)::int as n from installation')).to.deep.equal([{ n: 1 }]);
    expect(await ask('select count(*) > 0 as known from bullmq.migration')).to.deep.equal([{ known: true }]);
    expect(await ask("select name from knex_migrations where name like '%.%'")).to.deep.equal([]);
  });

  it('goes on after a process that was killed in the middle', async () => {
    await ask('update knex_migrations_lock set is_locked = 1');

    await migrateToLatest(database.url);

    expect(await ask('select is_locked from knex_migrations_lock')).to.deep.equal([{ is_locked: 0 }]);
  });

  it('refuses a database that is newer, with a sentence', async () => {
    await ask("insert into knex_migrations (name, batch, migration_time) values ('209901010000_the_future', 9, now())");

    const refusal = await migrateToLatest(database.url).catch((error: Error) => error);

    expect(refusal).to.be.instanceOf(MigrationError);
    expect((refusal as Error).message).to.include('209901010000_the_future');
  });

  it('refuses a queue schema that is newer, with a sentence', async () => {
    await ask('update bullmq.migration set min_client_version = 99');

    const refusal = await migrateToLatest(database.url).catch((error: Error) => error);

    expect(refusal).to.be.instanceOf(MigrationError);
  });

  async function ask(sql: string): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }
});
