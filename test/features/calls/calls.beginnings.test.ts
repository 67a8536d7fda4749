/** The search by the beginning of a number: the same calls by whichever of its steps, and at which cost. */
import { expect } from 'chai';
import pg from 'pg';
import { costOf, numbered } from '../../../bench/lib/call-queries.js';
import { endOf } from '../../../src/features/calls/call-beginnings.js';
import type { CallFilters } from '../../../src/features/calls/call-filters.js';
import { searchSql } from '../../../src/features/calls/call-search.js';
import { createCalls } from '../../../src/features/calls/index.js';
import { createEventLog } from '../../../src/features/events/index.js';
import { newId } from '../../../src/lib/ids.js';
import { createTestDatabase } from '../../support/database.js';
import { type Door, makeActor, openDoor } from '../../support/door.js';
import { type CallSeedRow, callRow, insertCalls, randomFrom } from './call-rows.js';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 2, 1);
const COUNT = 2000;
const LATELY = [
  '+4915112345678',
  '+493012345678',
  '493012',
  '+4930',
  'sip:\ud7ffx',
  'sip:\u{1f600}',
  'sip:\u{10ffff}',
  null,
];
const ONCE = ['+442012345678', '+442087654321', '+33123456789'];

/** Numbers of `ONCE` in the older half alone, but for a few; those of `LATELY` in the newer. Newest first. */
function pastAndPresent(accountId: string): CallSeedRow[] {
  const random = randomFrom(9);
  const rows = Array.from({ length: COUNT }, (_, place) => {
    const numbers = place > COUNT / 2 || random.below(100) === 0 ? ONCE : LATELY;
    const status = random.below(30) === 0 ? 'answered' : 'ended';
    return callRow({
      account_id: accountId,
      // Whole hours, so that many calls begin at the same moment and the id decides.
      started_at: new Date(START - Math.floor(place / 4) * HOUR),
      status,
      disposition: status === 'ended' ? 'completed' : null,
      direction: random.pick(['incoming', 'outgoing']),
      caller_number: random.below(20) === 0 ? '+15551234567' : random.pick(numbers),
      called_number: random.pick(numbers),
    });
  });
  return rows.sort((a, b) => b.started_at.getTime() - a.started_at.getTime() || (a.id < b.id ? 1 : -1));
}

const begins = (entry: string, party: string | null): boolean => {
  if (!entry.endsWith('*')) return party === entry;
  const beginning = entry.slice(0, -1);
  return (
    party !== null && (party.startsWith(beginning) || (/^\d/.test(beginning) && party.startsWith(`+${beginning}`)))
  );
};

describe('the search by the beginning of a number', () => {
  let door: Door;
  let rows: CallSeedRow[];
  let accountId: string;

  before(async () => {
    door = await openDoor((platform) => {
      const eventLog = createEventLog(platform.db, platform.wakeups);
      return [...createCalls(platform, { eventLog }).routes];
    });
    accountId = await door.makeAccount();
    rows = pastAndPresent(accountId);
    await insertCalls(door.platform.db, rows);
    await insertCalls(door.platform.db, pastAndPresent(await door.makeAccount()));
  });
  after(() => door.close());

  async function pages(path: string): Promise<string[]> {
    const api = door.as(makeActor({ accountId }));
    const ids: string[] = [];
    for (let next: string | undefined = path; next; ) {
      const answer = await api.get(next);
      expect(answer.status, answer.text).to.equal(200);
      ids.push(...answer.body.map((call: { id: string }) => call.id));
      next = /<(.+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    return ids;
  }

  // Many lately, many of old, some, few, none; a beginning within another; characters at the ends of their ranges.
  const ENTRIES = [
    ...[['+49*'], ['49*'], ['+44*'], ['+4420*', '+1*'], ['+33*', '+331*'], ['+1555*'], ['+48*'], ['sip:\ud7ff*']],
    ...[['sip:\u{1f600}*'], ['sip:\u{10ffff}*'], ['+*'], ['+44*', '+33123456789'], ['+4930*', '+49*']],
  ];
  const BESIDES: readonly (readonly [string, (row: CallSeedRow) => boolean])[] = [
    ['', () => true],
    ['&direction=outgoing', (row) => row.direction === 'outgoing'],
    ['&status=ended', (row) => row.status === 'ended'],
    ['&status=answered', (row) => row.status === 'answered'],
    [
      `&started_after=${new Date(START - 400 * HOUR).toISOString()}&started_before=${new Date(START - 9 * HOUR).toISOString()}`,
      ({ started_at: at }) => at.getTime() >= START - 400 * HOUR && at.getTime() < START - 9 * HOUR,
    ],
    ...[1, 200].map((hours): readonly [string, (row: CallSeedRow) => boolean] => [
      `&started_after=${new Date(START - hours * HOUR).toISOString()}`,
      (row) => row.started_at.getTime() >= START - hours * HOUR,
    ]),
    ['&disposition=completed&direction=incoming', (row) => row.status === 'ended' && row.direction === 'incoming'],
  ];

  for (const party of ['number', 'caller_number', 'called_number'] as const) {
    it(`under ${party} agrees with a model that looks at every row`, async function () {
      this.timeout(120_000);
      const columns = party === 'number' ? (['caller_number', 'called_number'] as const) : [party];
      for (const [place, entries] of ENTRIES.entries()) {
        for (const [besides, fits] of BESIDES) {
          const expected = rows
            .filter(
              (row) =>
                fits(row) &&
                columns.some((column) => entries.some((entry) => begins(entry, row[column] as string | null))),
            )
            .map((row) => row.id);
          // Twenty short pages, so that the walk through the newest calls ends early; or few long ones.
          const limit = place % 2 === 0 ? Math.max(3, Math.ceil(expected.length / 20)) : 100;
          const query = `${party}=${encodeURIComponent(entries.join(','))}${besides}`;

          expect(await pages(`/api/call_logs/?limit=${limit}&${query}`), query).to.deep.equal(expected);
        }
      }
    });
  }

  it('knows the first text behind all that begin so', () => {
    expect(endOf('+49')).to.equal('+4:');
    expect(endOf('a\ud7ff')).to.equal('a\ue000');
    expect(endOf('a\u{10ffff}')).to.equal('b');
    expect(endOf('\u{10ffff}')).to.equal(null);
  });
});

describe('the blocks that are read for the beginning of a number', function () {
  this.timeout(60_000);
  const FREQUENT = '+493';
  let client: pg.Client;
  const accounts = { german: newId(), french: newId() };
  let drop: () => Promise<void>;

  /** `n` calls of the account, evenly over a year until `daysAgo`; `number` is SQL over `n`. */
  const insert = (accountId: string, count: number, number: string, daysAgo = 0) =>
    client.query(
      `insert into call_logs (id, account_id, carrier_id, provider, carrier_call_id, direction, caller_number,
         called_number, status, disposition, duration, started_at, last_news_at, updated_at, facts)
       select gen_random_uuid(), $1, $1, 'generic', gen_random_uuid()::text, case n % 3 when 0 then 'outgoing' else 'incoming' end,
         ${number}, '+12025550100', 'ended', 'completed', 0, at, at, at, '{}'
       from (select n, now() - $3::int * interval '1 day' - n * (interval '365 days' / $2::int) as at
             from generate_series(1, $2::int) n) calls`,
      [accountId, count, daysAgo],
    );

  async function costFor(accountId: string, beginning: string, filters: CallFilters = {}) {
    const { text, bindings } = searchSql(
      {
        visibility: { accountId, userId: null },
        filters: { number: [{ kind: 'prefix', prefixes: [beginning] }], ...filters },
        ...{ after: null, limit: 51 },
      },
      ['id'],
    );
    return costOf(client, { text: numbered(text), values: bindings });
  }

  before(async () => {
    const database = await createTestDatabase({ isNew: true });
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    drop = async () => {
      await client.end();
      await database.drop();
    };
    await client.query('alter table call_logs set (autovacuum_enabled = off)');
    // Plans are kept from when there are no calls; nothing tells the connection later that there are.
    for (let time = 0; time < 6; time += 1) await costFor(accounts.german, FREQUENT);
    await insert(accounts.german, 20_000, `'+493' || lpad((n * 7919 % 100000)::text, 8, '0')`);
    await insert(accounts.french, 8_000, `'+331' || lpad((n * 7919 % 100000)::text, 8, '0')`);
    await insert(accounts.french, 600, `'+4420' || lpad(n::text, 8, '0')`, 400);
    await insert(accounts.french, 20, `'+493' || lpad(n::text, 8, '0')`, 300);
  });
  after(() => drop());

  const many: readonly (readonly [string, keyof typeof accounts, string, CallFilters, number])[] = [
    ['all', 'german', FREQUENT, {}, 51],
    ['a tenth', 'german', '+4930001', {}, 51],
    ['a tenth of a third', 'german', '+4930001', { direction: ['outgoing'] }, 51],
    ['a tenth of ten days', 'german', '+4930001', { started_after: new Date(Date.now() - 10 * 86_400_000) }, 51],
    ['many, but none for a year', 'french', '+4420', {}, 51],
  ];
  for (const [name, account, beginning, filters, found] of many)
    it(`follow the page where ${name} of the calls begin so`, async () => {
      const { buffers, rows } = await costFor(accounts[account], beginning, filters);
      expect(rows).to.equal(found);
      // The account has 20,000 calls; none of them is known to vacuum, so that the indexes alone do not tell.
      expect(buffers).to.be.at.most(1000);
    });
  const few: readonly (readonly [string, keyof typeof accounts, string, number])[] = [
    ['none', 'german', '+48', 0],
    ['one', 'german', '+49300000001', 1],
    ['twenty, of an account that seldom calls what all others call', 'french', FREQUENT, 20],
  ];
  for (const [name, account, beginning, found] of few)
    it(`are few where ${name} begins so`, async () => {
      const { buffers, rows } = await costFor(accounts[account], beginning);
      expect(rows).to.equal(found);
      expect(buffers).to.be.at.most(100);
    });
});
