import { expect } from 'chai';
import type { Knex } from 'knex';
import pg from 'pg';
import { connectDatabase } from '../../../src/platform/db/connect.js';
import { makeTrip, type SentStatement } from '../../../src/platform/db/trip.js';
import { createLogger } from '../../../src/platform/log.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { failureOf } from '../../support/failure-of.js';

const asked = (text: string, values: unknown[] = [], name?: string): SentStatement => ({
  ...{ name, text, values, hasAnswer: true },
});
const add = asked('select $1::int + $2::int as sum', [1, 2], 'add');
const broken = asked('select 1 / $1::int as never', [0], 'broken');
const missing = asked('select * from not_there where id = $1', [1], 'missing');

describe('a trip to the database', () => {
  let database: TestDatabase;
  let db: Knex;
  let connection: pg.Client;

  before(async () => {
    database = await createTestDatabase();
    // For what pg is told of how values are read.
    db = connectDatabase(database.url, 1, createLogger('silent'));
  });
  beforeEach(async () => {
    connection = new pg.Client({ connectionString: database.url, pipeline: true } as pg.ClientConfig);
    connection.on('error', () => undefined);
    await connection.connect();
  });
  afterEach(() => connection.end());
  after(async () => {
    await db.destroy();
    await database.drop();
  });

  const rowsOf = async (...statements: SentStatement[]) => (await makeTrip(connection, statements)).rows;
  const preparedNames = async (): Promise<string[]> => {
    const { rows } = await connection.query<{ name: string }>('select name from pg_prepared_statements order by name');
    return rows.map(({ name }) => name);
  };

  it('reads every value as pg does', async () => {
    const text = `select n as number, n::int8 as big, n / 3.0 as exact, n::text || 'é' as word, null::int as nothing,
      n = 1 as yes, array[n, null] as numbers, array['a"b', null] as words, jsonb_build_object('n', n) as document,
      timestamptz '2026-11-30 12:00:00.123456+02' as at, '\\x00ff'::bytea as bytes
      from generate_series(1, 2) as n`;
    const { rows } = await connection.query(text);

    expect(await rowsOf(asked(text))).to.deep.equal([rows]);
    for (let time = 0; time < 3; time += 1) {
      expect(await rowsOf(asked(text, [], 'values'), asked(text, [], 'values'))).to.deep.equal([rows, rows]);
    }
  });

  it('sends every value as pg does', async () => {
    const values = [7, null, undefined, 'é', new Date(0), { a: ['b'] }, Buffer.from([0, 255]), [1, 2], true];
    const types = 'int int text text timestamptz jsonb bytea int[] bool'.split(' ');
    const text = `select ${types.map((type, place) => `$${place + 1}::${type} as v${place}`).join(', ')}`;
    const { rows } = await connection.query(text, values);

    expect(await rowsOf(asked(text, values))).to.deep.equal([rows]);
    expect(await rowsOf(asked(text, values, 'sent'))).to.deep.equal([rows]);
  });

  it('answers each statement, with and without rows, and what was done last', async () => {
    const create = { ...asked('create temporary table t (n int)'), hasAnswer: false };
    const unread = { ...add, hasAnswer: false };

    const { rows, tag } = await makeTrip(connection, [
      ...[create, asked('select n from t'), unread, add, asked(''), asked('insert into t values (3), (4)')],
    ]);

    expect([rows, tag]).to.deep.equal([[[], [], [], [{ sum: 3 }], [], []], 'INSERT 0 2']);
  });

  it('prepares a named statement once, whoever sends it first', async () => {
    await connection.query({ name: 'add', text: add.text, values: [1, 1] });
    const first = await rowsOf(add, twice('twice'));
    const second = await rowsOf(twice('twice'), add);
    const { rows } = await connection.query({ name: 'twice', text: twice('twice').text, values: [4] });

    expect([first, second]).to.deep.equal([
      [[{ sum: 3 }], [{ twice: 4 }]],
      [[{ twice: 4 }], [{ sum: 3 }]],
    ]);
    expect(rows).to.deep.equal([{ twice: 8 }]);
    expect(await preparedNames()).to.deep.equal(['add', 'twice']);
  });

  it('fails with the first that fails, and knows afterwards which ones are prepared', async () => {
    for (const fault of [broken, missing]) {
      const error = await failureOf(rowsOf(add, fault, twice(`behind_${fault.name}`)));
      expect(error.code).to.equal(fault === broken ? '22012' : '42P01');
    }
    expect(await preparedNames()).to.deep.equal(['add', 'broken']);

    await connection.query('create temporary table not_there (id int)');
    const mended = { ...broken, values: [1] };
    expect(await rowsOf(add, mended, missing, twice('behind_broken'))).to.deep.equal([
      ...[[{ sum: 3 }], [{ never: 1 }], [], [{ behind_broken: 4 }]],
    ]);
    expect(await preparedNames()).to.deep.equal(['add', 'behind_broken', 'broken', 'missing']);
  });

  it('leaves the connection to those that were sent behind it', async () => {
    const lost = failureOf(rowsOf(add, broken));
    const [next, own] = await Promise.all([rowsOf(twice('next')), connection.query('select 5 as own')]);

    expect((await lost).code).to.equal('22012');
    expect([next, own.rows]).to.deep.equal([[[{ next: 4 }]], [{ own: 5 }]]);
  });

  it('fails when the connection is lost, and on one that is', async () => {
    const end = asked('select pg_terminate_backend(pg_backend_pid())');

    const errors = [await failureOf(rowsOf(add, end, add)), await failureOf(rowsOf(add))];

    expect(errors[0]?.code ?? errors[0]?.message).to.match(/^57P01$|^Connection terminated/);
    expect(errors[1]?.message).to.match(/not queryable|terminated|ECONNRESET/);
  });

  it('refuses values that cannot be sent, and sends none of the others', async () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;

    const error = await failureOf(rowsOf(asked('create table half_done (n int)'), asked('select $1::json', [circle])));

    expect(error).to.be.instanceOf(TypeError);
    expect(await rowsOf(asked(`select to_regclass('half_done') as found`))).to.deep.equal([[{ found: null }]]);
  });
});

/** A further statement, of which nothing is wrong. */
const twice = (name: string): SentStatement => asked(`select $1::int * 2 as ${name}`, [2], name);
