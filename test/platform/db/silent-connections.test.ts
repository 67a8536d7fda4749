import { expect } from 'chai';
import pg from 'pg';
import { type OwnWire, openWire } from '../../../bench/chaos/wire.js';
import { migrateToLatest } from '../../../src/platform/db/migrate.js';
import { watchSilence } from '../../../src/platform/db/silent-connections.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

describe('a database connection that died without a word', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let wire: OwnWire;
  let url: string;
  beforeEach(async () => {
    database = await createTestDatabase();
    const through = new URL(database.url);
    wire = await openWire(Number(through.port));
    through.port = String(wire.port);
    url = through.href;
  });
  afterEach(async () => {
    await wire.close();
    await database.drop();
  });

  it('fails whoever asks on it, and is given up', async () => {
    const client = await connectWatched();
    const ended = new Promise<void>((done) => client.once('end', done));

    wire.silence();
    const failure = await client.query('select 1').catch((error: Error) => error);
    await ended;

    expect(failure).to.be.instanceOf(Error);
  });

  it('is not waited for when it is closed', async () => {
    const client = await connectWatched();

    wire.silence();

    await client.end();
  });

  it('is left alone while the server still works on its statement', async () => {
    const client = await connectWatched();

    const { rows } = await client.query('select pg_sleep(6), 1 as n');

    expect(rows[0].n).to.equal(1);
    await client.end();
  });

  it('keeps nobody from starting where there is nothing to migrate', async () => {
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('select pg_advisory_lock($1)', [0x73776264]);

    await migrateToLatest(url);

    await holder.end();
  });

  async function connectWatched(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    watchSilence(url).add(client);
    return client;
  }
});
