import { expect } from 'chai';
import type { Knex } from 'knex';
import type pg from 'pg';
import { connectDatabase } from '../../../src/platform/db/connect.js';
import { isTransient } from '../../../src/platform/db/errors.js';
import { command, commitTogether, run, runTogether, type Statement } from '../../../src/platform/db/statement.js';
import { beginAlong } from '../../../src/platform/db/transaction.js';
import { createLogger } from '../../../src/platform/log.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { failureOf } from '../../support/failure-of.js';

const insert = (value: number): Statement<void> => command({ sql: 'insert into kept values (?)', bindings: [value] });
const count: Statement<number> = {
  ...{ name: 'count_kept', sql: 'select count(*) as n from kept', bindings: [] },
  read: (rows) => (rows[0] as { n: number }).n,
};
const broken: Statement<void> = command({ name: 'broken', sql: 'select 1 / ?::int', bindings: [0] });
const setting = (name: string): Statement<string> => ({
  ...{ sql: 'select current_setting(?) as value', bindings: [name] },
  read: (rows) => (rows[0] as { value: string }).value,
});
const processId: Statement<number> = {
  ...{ sql: 'select pg_backend_pid() as pid', bindings: [] },
  read: (rows) => (rows[0] as { pid: number }).pid,
};

describe('a transaction without a Knex of its own', () => {
  let database: TestDatabase;
  let db: Knex;
  /** Of one connection, so that whatever a transaction leaves behind meets the next one. */
  let one: Knex;

  before(async () => {
    database = await createTestDatabase();
    db = connectDatabase(database.url, 4, createLogger('silent'));
    one = connectDatabase(database.url, 1, createLogger('silent'));
  });
  beforeEach(async () => {
    await db.raw('drop table if exists kept');
    await db.raw('create table kept (value int not null)');
  });
  after(async () => {
    await db.destroy();
    await one.destroy();
    await database.drop();
  });

  async function withConnection<T>(work: (connection: pg.Client) => T): Promise<T> {
    const connection = await one.client.acquireConnection();
    try {
      return work(connection);
    } finally {
      await one.client.releaseConnection(connection);
    }
  }

  it('keeps what goes along with its begin and with its commit', async () => {
    await commitTogether(await beginAlong(one), [insert(1), insert(2)]);

    const tx = await beginAlong(one);
    const [before] = await runTogether(tx, [count, insert(3)]);
    const [after] = await commitTogether(tx, [count]);

    expect([before, after, await run(db, count)]).to.deep.equal([2, 3, 3]);
  });

  it('sends the begin, all statements and the commit in one packet', async () => {
    await commitTogether(await beginAlong(one), [count, insert(1)]);
    const written = (): Promise<number> =>
      withConnection(({ connection }) => (connection as unknown as { stream: { writes: number } }).stream.writes);
    await withConnection(({ connection }) => {
      const { stream } = connection as unknown as {
        stream: { _writev: (...given: unknown[]) => void; writes: number };
      };
      const write = stream._writev.bind(stream);
      stream.writes = 0;
      stream._writev = (...given) => {
        stream.writes += 1;
        write(...given);
      };
    });

    await commitTogether(await beginAlong(one), [count, insert(2), count]);

    expect(await written()).to.equal(1);
    expect(await run(db, count)).to.equal(2);
  });

  it('leaves nothing after a rollback, and its connection to the next', async () => {
    const tx = await beginAlong(one);
    await runTogether(tx, [insert(1)]);
    await tx.rollback();
    await tx.rollback();
    const unused = await beginAlong(one);
    await unused.rollback();

    expect(await run(one, count)).to.equal(0);
    expect(await withConnection((connection) => connection.getTransactionStatus())).to.equal('I');
  });

  it('leaves nothing when a statement fails, alone or with the commit', async () => {
    const tx = await beginAlong(one);
    const first = await failureOf(runTogether(tx, [insert(1), broken, insert(2)]));
    const second = await failureOf(runTogether(tx, [insert(3)]));
    const third = await failureOf(commitTogether(tx, [insert(4)]));
    const last = await failureOf(commitTogether(await beginAlong(one), [insert(5), broken, insert(6)]));

    expect([first, second, third, last].map(({ code }) => code)).to.deep.equal(Array(4).fill('22012'));
    expect(await run(one, count)).to.equal(0);
  });

  it('leaves nothing when the commit itself fails', async () => {
    await db.raw('alter table kept add unique (value) deferrable initially deferred');

    const error = await failureOf(commitTogether(await beginAlong(one), [insert(1), insert(1)]));

    expect(error.code).to.equal('23505');
    expect(await run(one, count)).to.equal(0);
  });

  it('takes queries of Knex, which begin it where they come first', async () => {
    const tx = await beginAlong(one, { lockTimeoutMs: 70 });
    const { rows } = await tx.raw(`select current_setting('lock_timeout') as kept, ?::int as told`, [7]);
    await tx.raw('insert into kept values (:value)', { value: 1 });
    const inside = await run(tx, count);
    const outside = await run(db, count);
    await tx.rollback();

    expect([rows[0], inside, outside]).to.deep.equal([{ kept: '70ms', told: 7 }, 1, 0]);
    expect(await run(one, count)).to.equal(0);
  });

  it('commits nothing after a query of Knex that failed', async () => {
    const tx = await beginAlong(one);
    await runTogether(tx, [insert(1)]);
    const query = await failureOf(Promise.resolve(tx.raw('select 1 / 0')));
    const commit = await failureOf(commitTogether(tx, []));

    expect([query.code, commit.message]).to.deep.equal(['22012', 'The transaction was rolled back.']);
    expect(await run(one, count)).to.equal(0);
  });

  it('refuses whatever comes after its end, also a query that was made before', async () => {
    const tx = await beginAlong(one);
    const late = tx.raw('insert into kept values (1)');
    await commitTogether(tx, [insert(2)]);

    const errors = [
      await failureOf(Promise.resolve(late)),
      await failureOf(Promise.resolve(tx.raw('select 1'))),
      await failureOf(runTogether(tx, [insert(3)])),
      await failureOf(commitTogether(tx, [insert(4)])),
    ];

    for (const { message } of errors) expect(message).to.match(/The transaction is over\.$/);
    expect(await run(db, count)).to.equal(1);
  });

  it('waits for locks no longer than it says, and later ones on the connection as long as they must', async () => {
    const lock = command({ sql: 'select pg_advisory_xact_lock(?)', bindings: [78] });
    const holder = await db.transaction();
    await runTogether(holder, [lock]);

    const error = await failureOf(commitTogether(await beginAlong(one, { lockTimeoutMs: 20 }), [lock]));
    await commitTogether(await beginAlong(one, { lockTimeoutMs: 20 }), [count]);
    const [kept] = await commitTogether(await beginAlong(one), [setting('lock_timeout')]);
    await holder.rollback();

    expect([error.code, kept]).to.deep.equal(['55P03', '0']);
  });

  it('tells of a connection that was lost before it began, and hands it to nobody else', async () => {
    await withConnection(({ connection }) =>
      (connection as unknown as { stream: { destroy(): void } }).stream.destroy(),
    );

    const tx = await beginAlong(one);
    const errors = [await failureOf(runTogether(tx, [count])), await failureOf(commitTogether(tx, [insert(1)]))];

    for (const error of errors) {
      expect(error.message).to.match(/^Connection terminated/);
      expect(isTransient(error)).to.equal(true);
    }
    expect(await run(one, count)).to.equal(0);
  });

  it('keeps nothing when the connection is lost before the commit', async () => {
    const tx = await beginAlong(one);
    const [pid] = await runTogether(tx, [processId, insert(1)]);
    const lost = command({ sql: 'select pg_terminate_backend(?)', bindings: [pid] });

    const error = await failureOf(commitTogether(tx, [lost, insert(2)]));

    expect(isTransient(error)).to.equal(true);
    expect(await run(one, count)).to.equal(0);
  });

  it('takes its connection out of the pool when the rollback fails', async () => {
    const tx = await beginAlong(one);
    const [pid] = await runTogether(tx, [processId, insert(1)]);
    await db.raw('select pg_terminate_backend(?)', [pid]);
    await tx.rollback();

    const [next] = await commitTogether(await beginAlong(one), [processId]);

    expect(next).to.be.a('number').and.not.equal(pid);
    expect(await run(db, count)).to.equal(0);
  });

  it('hands nobody a connection on which it could not be ended', async () => {
    const prepared = await beginAlong(one);
    await runTogether(prepared, [count]);
    await prepared.rollback();
    const tx = await beginAlong(one);
    const [pid] = await runTogether(tx, [processId, insert(1)]);
    await tx.raw('deallocate all');
    await tx.rollback();

    const [next] = await commitTogether(await beginAlong(one), [processId]);

    expect(next).to.be.a('number').and.not.equal(pid);
    expect(await run(db, count)).to.equal(0);
  });

  it('tells those who listen on the pool of each statement, as Knex does', async () => {
    const heard: string[] = [];
    const hear = ({ sql }: { sql: string }): number => heard.push(sql);
    one.on('query', hear);
    const tx = await beginAlong(one);
    await runTogether(tx, [count, insert(1)]);
    await tx.raw('select 1');
    await commitTogether(tx, [insert(2)]);
    await run(one, count);
    one.removeListener('query', hear);

    const [counted, inserted] = ['select count(*) as n from kept', 'insert into kept values ($1)'];
    expect(heard).to.deep.equal(['begin', counted, inserted, 'select 1', inserted, 'commit', counted]);
  });

  it('gives its connection back every time', async () => {
    for (let place = 0; place < 8; place += 1) {
      await failureOf(commitTogether(await beginAlong(db), [broken]));
      await commitTogether(await beginAlong(db), [insert(place)]);
      await (await beginAlong(db)).rollback();
    }

    expect(await run(db, count)).to.equal(8);
  });
});
