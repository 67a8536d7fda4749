import { expect } from 'chai';
import type { Knex } from 'knex';
import { connectDatabase } from '../../../src/platform/db/connect.js';
import {
  begin,
  command,
  commitTogether,
  run,
  runTogether,
  type Statement,
} from '../../../src/platform/db/statement.js';
import { createLogger } from '../../../src/platform/log.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { failureOf } from '../../support/failure-of.js';
import { until } from '../../support/until.js';

const insert = (value: number): Statement<void> => command({ sql: 'insert into kept values (?)', bindings: [value] });
const count: Statement<number> = {
  sql: 'select count(*) as n from kept',
  bindings: [],
  read: (rows) => (rows[0] as { n: number }).n,
};
const broken: Statement<void> = command({ sql: 'select 1 / ?::int', bindings: [0] });
const named = (add: number): Statement<number> => ({
  name: 'named',
  sql: 'select ?::int + ?::int as sum',
  bindings: [1, add],
  read: (rows) => (rows[0] as { sum: number }).sum,
});

describe('statements', () => {
  let database: TestDatabase;
  let db: Knex;

  before(async () => {
    database = await createTestDatabase();
    db = connectDatabase(database.url, 4, createLogger('error'));
  });
  beforeEach(async () => {
    await db.raw('drop table if exists kept');
    await db.raw('create table kept (value int not null)');
  });
  after(async () => {
    await db.destroy();
    await database.drop();
  });

  it('run alone, prepared or not, on the pool and in a transaction', async () => {
    await run(db, insert(1));
    const tx = await db.transaction();
    await run(tx, insert(2));
    const inside = [await run(tx, named(3)), await run(tx, count)];
    await tx.rollback();

    expect(inside).to.deep.equal([4, 2]);
    expect([await run(db, named(1)), await run(db, named(2)), await run(db, count)]).to.deep.equal([2, 3, 1]);
  });

  it('give the connection back where they run alone, also when they fail', async () => {
    const fails: Statement<void> = { ...broken, name: 'fails' };
    for (let time = 0; time < 8; time += 1) {
      expect((await failureOf(run(db, fails))).code).to.equal('22012');
      expect(await run(db, named(time))).to.equal(time + 1);
    }
  });

  it('run together in the order in which they stand, each with its own answer', async () => {
    const tx = await db.transaction();

    const answers = await runTogether(tx, [count, insert(1), count, insert(2), count, named(1), named(2)]);
    await tx.commit();

    expect(answers).to.deep.equal([0, undefined, 1, undefined, 2, 2, 3]);
  });

  it('see each what others committed while those before them waited for a lock', async () => {
    const lock = command({ sql: 'select pg_advisory_xact_lock(?)', bindings: [77] });
    const first = await db.transaction();
    await runTogether(first, [lock]);
    const second = await db.transaction();
    const waiting = runTogether(second, [count, lock, count]);
    await until('the second waits', async () => {
      const { rows } = await db.raw(
        'select 1 from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())',
      );
      return rows.length > 0;
    });
    await commitTogether(first, [insert(1)]);

    expect(await waiting).to.deep.equal([0, undefined, 1]);
    await second.rollback();
  });

  it('fail together with the first that fails', async () => {
    const tx = await db.transaction();

    const error = await failureOf(runTogether(tx, [insert(1), broken, insert(2)]));
    await tx.rollback();

    expect(error.code).to.equal('22012');
    expect(await run(db, count)).to.equal(0);
  });

  it('are kept when they go with the commit', async () => {
    const tx = await db.transaction();

    await commitTogether(tx, [insert(1), insert(2)]);

    expect(tx.isCompleted()).to.equal(true);
    expect(await run(db, count)).to.equal(2);
  });

  it('leave nothing when one of those that go with the commit fails', async () => {
    const tx = await db.transaction();
    await runTogether(tx, [insert(1)]);

    const error = await failureOf(commitTogether(tx, [insert(2), broken, insert(3)]));

    expect(error.code).to.equal('22012');
    expect(await run(db, count)).to.equal(0);
  });

  it('fail when the commit itself fails', async () => {
    await db.raw('alter table kept add unique (value) deferrable initially deferred');

    const error = await failureOf(commitTogether(await db.transaction(), [insert(1), insert(1)]));

    expect(error.code).to.equal('23505');
    expect(await run(db, count)).to.equal(0);
  });

  it('fail when the connection is lost before the commit', async () => {
    const tx = await db.transaction();
    await runTogether(tx, [insert(1)]);
    const own = await tx.raw('select pg_backend_pid() as pid');
    const lost = command({ sql: 'select pg_terminate_backend(?)', bindings: [own.rows[0].pid] });

    await failureOf(commitTogether(tx, [lost]));

    expect(await run(db, count)).to.equal(0);
  });

  /** A pool whose only connection is gone. */
  async function connectLost(): Promise<Knex> {
    const one = connectDatabase(database.url, 1, createLogger('silent'));
    const connection = await one.client.acquireConnection();
    await one.client.releaseConnection(connection);
    connection.connection.stream.destroy();
    return one;
  }
  const TERMINATED = /^Connection terminated|^begin;? - Connection terminated/i;

  it('tell why a transaction could not begin', async () => {
    const one = await connectLost();

    const error = await failureOf(begin(one));
    await one.destroy();

    expect(error.message).to.match(TERMINATED);
  });

  it('are refused outside a transaction and after its end', async () => {
    const tx = await db.transaction();
    await tx.rollback();

    expect(await failureOf(runTogether(db, [insert(1)]))).to.be.an('error');
    expect(await failureOf(runTogether(tx, [insert(1)]))).to.be.an('error');
    expect(await failureOf(commitTogether(tx, [insert(1)]))).to.be.an('error');
    expect(await run(db, count)).to.equal(0);
  });

  it('give the connection back when a transaction fails', async () => {
    for (let i = 0; i < 8; i += 1) await failureOf(commitTogether(await db.transaction(), [broken]));

    expect(await run(db, count)).to.equal(0);
  });
});
