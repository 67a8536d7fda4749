import { expect } from 'chai';
import pg from 'pg';
import {
  arrayOf,
  arraysOf,
  bytesAt,
  joinBytes,
  joinTexts,
  namesIn,
  parametersOf,
  textAt,
  unnested,
} from '../../../src/platform/db/row-arrays.js';
import { createTestDatabase } from '../../support/database.js';

describe('rows as arrays of their columns', () => {
  const TYPES = {
    n: 'integer',
    word: 'text',
    at: 'timestamptz',
    price: 'numeric',
    document: 'jsonb',
    isOdd: 'boolean',
  };

  it('brings every value to the server as it is', async () => {
    const database = await createTestDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const words = [
      '',
      ' ',
      'null',
      '{}',
      'a\\\\"b',
      'NULL',
      '"',
      '\\',
      '\\"',
      "'",
      '{a,b}',
      ',',
      '\n\t',
      '€ 🙂',
      '(1,2)',
      null,
    ];
    const rows = words.map((word, n) => ({
      ...{ n, word, document: word === null ? null : { [word]: word } },
      at: n % 2 === 0 ? new Date(n * 1001) : null,
      ...{ price: n % 2 === 0 ? null : `${n}.10`, isOdd: n % 2 === 1 },
    }));

    let place = 0;
    const sql = `select n, word, at, price, document, isodd as "isOdd" from ${unnested(TYPES)} as t (${namesIn(TYPES)}) order by n`;
    const text = sql.replaceAll('?', () => `$${++place}`);
    const answer = await client.query(text, arraysOf(TYPES, rows));

    expect(answer.rows).to.deep.equal(rows);
    await client.end();
    await database.drop();
  });

  it('keeps the order of the types, whatever that of the rows’ members', () => {
    const rows = [{ document: 1, price: '2', at: new Date(0), word: 'w', n: 3, more: 4, isOdd: true }];

    const arrays = arraysOf(TYPES, rows);

    expect(arrays).to.deep.equal(['{3}', '{"w"}', '{1970-01-01T00:00:00.000Z}', '{"2"}', '{1}', '{true}']);
    expect(parametersOf({ n: 'integer', word: 'text' })).to.equal('?::integer[], ?::text[]');
  });

  it('writes times in UTC, in whatever zone the process is', () => {
    const summer = new Date(Date.UTC(2026, 6, 1, 12));

    expect(arraysOf({ at: 'timestamptz' }, [{ at: summer }])).to.deep.equal(['{2026-07-01T12:00:00.000Z}']);
  });

  it('brings each row its part of what was joined, byte for byte', async () => {
    const database = await createTestDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const texts = ['', '{"a": "ü"}', '\\x00', '📞', '', 'last'];
    const bodies = [Buffer.from([0, 255, 92]), Buffer.alloc(0), ...texts.slice(2).map((text) => Buffer.from(text))];
    const lists = [['a"b', '{}'], [], ['NULL', '\\'], ['ü'], [','], ['last']];
    const [told, raw] = [joinTexts(texts), joinBytes(bodies)];

    const sql = `select ${textAt('s', 'n')} as text, ${bytesAt('t', 'm')} as body, list::text[] as list
      from unnest(?::int[], ?::int[], ?::int[], ?::int[], ?::text[]) as r (s, n, t, m, list)`;
    let place = 0;
    const text = sql.replaceAll('?', () => `$${++place}`);
    const places = [told.starts, told.lengths, raw.starts, raw.lengths, lists.map((list) => arrayOf(list))];
    const answer = await client.query(text, [told.bytes, raw.bytes, ...places]);

    expect(answer.rows).to.deep.equal(texts.map((each, row) => ({ text: each, body: bodies[row], list: lists[row] })));
    await client.end();
    await database.drop();
  });
});
