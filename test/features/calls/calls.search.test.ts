import { expect } from 'chai';
import { createCalls } from '../../../src/features/calls/index.js';
import { createEventLog } from '../../../src/features/events/index.js';
import { newId } from '../../../src/lib/ids.js';
import { type Caller, type Door, makeActor, openDoor } from '../../support/door.js';
import { type CallSeedRow, callRow, insertCalls, type Random, randomFrom } from './call-rows.js';

const DAY = 86_400_000;
const START = Date.UTC(2026, 2, 1);
const USERS = [newId(), newId(), newId(), null];
const NUMBERS = [newId(), newId(), null];
const CARRIERS = [newId(), newId(), newId()];
const PARTIES = [
  ...['+4915112345678', '+4915112345679', '+493012345678', '+33123456789', 'anonymous', '110', 'sip:a@b.c'],
  null,
];
const COUNTRIES = ['DE', 'FR', null];
const TAGS = ['vip', 'complaint', 'callback'];
const DISPOSITIONS = ['completed', 'no_answer', 'busy', 'rejected', 'canceled', 'failed', 'lost'];
const STATES = ['initiated', 'ringing', 'answered', 'ended', 'ended', 'ended'];
const PROVIDERS = ['twilio', 'generic'];
/** A carrier keeps its provider. */
const PROVIDER_OF = new Map(CARRIERS.map((carrier, place) => [carrier, PROVIDERS[place % PROVIDERS.length]]));

function randomCall(random: Random, accountId: string, parents: readonly string[]): CallSeedRow {
  const status = random.pick(STATES);
  const carrierId = random.pick(CARRIERS);
  return callRow({
    account_id: accountId,
    // Whole hours, so that many calls begin at the same moment and the id decides.
    started_at: new Date(START + random.below(20 * 24) * 3_600_000),
    status,
    disposition: status === 'ended' ? random.pick(DISPOSITIONS) : null,
    direction: random.pick(['incoming', 'outgoing']),
    user_id: random.pick(USERS),
    virtual_number_id: random.pick(NUMBERS),
    carrier_id: carrierId,
    caller_number: random.pick(PARTIES),
    called_number: random.pick(PARTIES),
    country: random.pick(COUNTRIES),
    provider: PROVIDER_OF.get(carrierId),
    duration: random.below(100),
    tags: random.below(3) === 0 ? random.some(TAGS, 2) : [],
    parent_call_log_id: random.below(4) === 0 ? random.pick(parents) : null,
  });
}

type Matches = (row: CallSeedRow) => boolean;
interface Wish {
  readonly query: string;
  readonly matches: Matches;
}

const spelled = (values: readonly (string | null)[]): string => values.map((value) => value ?? 'none').join(',');

const among =
  (name: string, from: readonly (string | null)[]) =>
  (random: Random): Wish => {
    const values = random.some(from, 3);
    const column = name as keyof CallSeedRow;
    return {
      query: `${name}=${encodeURIComponent(spelled(values))}`,
      matches: (row) => values.includes(row[column] as string | null),
    };
  };

/** What a filter entry means of a party, written down a second time. */
function meansParty(entry: string | null, party: string | null): boolean {
  if (entry === null || party === null) return entry === party;
  if (!entry.endsWith('*')) return party === entry;
  const beginning = entry.slice(0, -1);
  return party.startsWith(beginning) || (/^\d/.test(beginning) && party.startsWith(`+${beginning}`));
}

const ENTRIES = [...PARTIES, '+49*', '49151*', '1*', '+33*', 'sip:*', '99*'];
const byParty =
  (name: string, columns: readonly ('caller_number' | 'called_number')[]) =>
  (random: Random): Wish => {
    const entries = random.some(ENTRIES, 2);
    return {
      query: `${name}=${encodeURIComponent(spelled(entries))}`,
      matches: (row) =>
        columns.some((column) => entries.some((entry) => meansParty(entry, row[column] as string | null))),
    };
  };

const time = (random: Random): Date => new Date(START + random.below(20 * 24) * 3_600_000);

const FILTERS: Readonly<Record<string, (random: Random, parents: readonly string[]) => Wish>> = {
  direction: among('direction', ['incoming', 'outgoing']),
  status: among('status', ['initiated', 'ringing', 'answered', 'ended']),
  disposition: among('disposition', [...DISPOSITIONS, null]),
  user_id: among('user_id', USERS),
  virtual_number_id: among('virtual_number_id', NUMBERS),
  carrier_id: among('carrier_id', CARRIERS),
  country: among('country', COUNTRIES),
  provider: among('provider', PROVIDERS),
  parent_call_log_id: (random, parents) => among('parent_call_log_id', [...parents, null])(random),
  number: byParty('number', ['caller_number', 'called_number']),
  caller_number: byParty('caller_number', ['caller_number']),
  called_number: byParty('called_number', ['called_number']),
  started_after: (random) => {
    const at = time(random);
    return { query: `started_after=${at.toISOString()}`, matches: (row) => row.started_at >= at };
  },
  started_before: (random) => {
    const at = time(random);
    return { query: `started_before=${at.toISOString()}`, matches: (row) => row.started_at < at };
  },
  min_duration: (random) => {
    const seconds = random.below(100);
    return { query: `min_duration=${seconds}`, matches: (row) => row.duration >= seconds };
  },
  max_duration: (random) => {
    const seconds = random.below(100);
    return { query: `max_duration=${seconds}`, matches: (row) => row.duration <= seconds };
  },
  tag: (random) => {
    const tags = random.some([...TAGS, null], 2);
    return {
      query: `tag=${spelled(tags)}`,
      matches: (row) => tags.some((tag) => (tag === null ? row.tags.length === 0 : row.tags.includes(tag))),
    };
  },
};

const newestFirst = (a: CallSeedRow, b: CallSeedRow): number =>
  b.started_at.getTime() - a.started_at.getTime() || (a.id < b.id ? 1 : -1);

async function pages(api: Caller, path: string, between?: () => Promise<unknown>): Promise<string[]> {
  const ids: string[] = [];
  for (let next: string | undefined = path; next; ) {
    const answer = await api.get(next);
    expect(answer.status, answer.text).to.equal(200);
    ids.push(...answer.body.map((call: { id: string }) => call.id));
    next = /<(.+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
    await between?.();
  }
  return ids;
}

describe('search of call logs', () => {
  let door: Door;

  before(async () => {
    door = await openDoor((platform) => {
      const eventLog = createEventLog(platform.db, platform.wakeups);
      return [...createCalls(platform, { eventLog }).routes];
    });
  });
  after(() => door.close());

  async function seed(count: number, random: Random) {
    const accountId = await door.makeAccount();
    const parents = [newId(), newId()];
    const rows = Array.from({ length: count }, () => randomCall(random, accountId, parents));
    await insertCalls(door.platform.db, rows);
    return { accountId, parents, rows };
  }

  it('agrees with a model that looks at every row, for each filter alone and for any of them together', async function () {
    this.timeout(120_000);
    const random = randomFrom(20_260_301);
    const mine = await seed(900, random);
    await seed(300, random);
    const admin = door.as(makeActor({ accountId: mine.accountId }));
    const member = door.as(makeActor({ accountId: mine.accountId, role: 'member', userId: USERS[0] as string }));
    const names = Object.keys(FILTERS);
    const cases = [
      ...names.flatMap((name) => [[name], [name], [name]]),
      ...Array.from({ length: 60 }, () => random.some(names, 4)),
    ];

    for (const combination of cases) {
      const wishes = combination.map((name) => FILTERS[name]?.(random, mine.parents) as Wish);
      const query = wishes.map((wish) => wish.query).join('&');
      const isMember = random.below(4) === 0;
      const api = isMember ? member : admin;
      const expected = mine.rows
        .filter((row) => (!isMember || row.user_id === USERS[0]) && wishes.every((wish) => wish.matches(row)))
        .sort(newestFirst)
        .map((row) => row.id);

      // A dozen pages, or a few, or one.
      const limit = random.pick([Math.max(7, Math.ceil(expected.length / 12)), 100, 500]);
      const found = await pages(api, `/api/call_logs/?limit=${limit}&${query}`);
      const exported = await api.get(`/api/call_logs/export/?format=ndjson&columns=id&${query}`);

      expect(found, `${isMember ? 'member' : 'admin'} ${query}`).to.deep.equal(expected);
      expect(exported.headers.get('x-total-count'), query).to.equal(String(expected.length));
      expect(exported.text, query).to.equal(expected.map((id) => `{"id":"${id}"}\n`).join(''));
    }
  });

  it('repeats and misses nothing while calls arrive and others change', async () => {
    const random = randomFrom(7);
    const { accountId, rows } = await seed(120, random);
    const api = door.as(makeActor({ accountId }));
    const { db } = door.platform;

    const listed = await pages(api, '/api/call_logs/?limit=10', async () => {
      await insertCalls(db, [randomCall(random, accountId, []), randomCall(random, accountId, [])]);
      await db('call_logs')
        .where({ id: random.pick(rows).id })
        .update({ status: 'ended', duration: 5 });
    });

    const before = listed.filter((id) => rows.some((row) => row.id === id));
    expect(new Set(listed).size).to.equal(listed.length);
    expect(before).to.deep.equal([...rows].sort(newestFirst).map((row) => row.id));
  });

  it('reads times with offsets, days, and a plus sign that was not escaped', async () => {
    const accountId = await door.makeAccount();
    const api = door.as(makeActor({ accountId }));
    const at = (iso: string) => callRow({ account_id: accountId, started_at: new Date(iso) });
    const rows = [at('2026-03-01T21:59:59.999Z'), at('2026-03-01T22:00:00.000Z'), at('2026-03-02T00:00:00.000Z')];
    await insertCalls(door.platform.db, rows);

    const count = async (query: string) => (await api.get(`/api/call_logs/?${query}`)).body.length;

    expect(await count('started_after=2026-03-02T00:00:00%2B02:00')).to.equal(2);
    expect(await count('started_after=2026-03-02T00:00:00+02:00')).to.equal(2);
    expect(await count('started_after=2026-03-02')).to.equal(1);
    expect(await count('started_before=2026-03-02T00:00:00Z')).to.equal(2);
    expect(await count('started_before=2026-03-01T22:00')).to.equal(1);
  });

  it('finds nothing where the filters exclude each other', async () => {
    const api = door.as(makeActor({ accountId: await door.makeAccount() }));

    expect((await api.get('/api/call_logs/?status=ringing&disposition=busy')).body).to.deep.equal([]);
    expect((await api.get('/api/call_logs/?status=ended&disposition=none')).body).to.deep.equal([]);
    expect((await api.get('/api/call_logs/?min_duration=9&max_duration=8')).body).to.deep.equal([]);
  });

  it('finds a number however it is spelled', async () => {
    const accountId = await door.makeAccount();
    const api = door.as(makeActor({ accountId }));
    await insertCalls(door.platform.db, [callRow({ account_id: accountId, started_at: new Date() })]);

    for (const spelling of [
      '%2B4915112345678',
      '+4915112345678',
      '4915112345678',
      '%2B49%20151%201234-5678',
      encodeURIComponent('\u202a+49\u00a0151\u00a01234\u20135678\u202c'),
      encodeURIComponent('+49\u00a0151\u201112*'),
      '49151*',
      '+49151*',
    ]) {
      expect((await api.get(`/api/call_logs/?number=${spelling}`)).body, spelling).to.have.lengthOf(1);
    }
    expect((await api.get('/api/call_logs/?number=49152*')).body).to.have.lengthOf(0);
    expect((await api.get('/api/call_logs/?number=4915_1*')).body).to.have.lengthOf(0);
    expect((await api.get('/api/call_logs/?number=%25*')).body).to.have.lengthOf(0);
  });

  it('takes as many alternatives of every filter at once as of one', async () => {
    const accountId = await door.makeAccount();
    const api = door.as(makeActor({ accountId }));
    const started_at = new Date();
    await insertCalls(door.platform.db, [
      callRow({ account_id: accountId, started_at, tags: ['tag 7'] }),
      callRow({ account_id: accountId, started_at, tags: ['tag 7'], status: 'ringing', disposition: null }),
      callRow({ account_id: accountId, started_at, tags: ['another'] }),
    ]);
    const hundred = (entry: (place: number) => string): string =>
      encodeURIComponent(Array.from({ length: 100 }, (_, place) => entry(place)).join(','));
    const beginnings = hundred((place) => (place === 99 ? '49*' : `1${place}*`));
    const every = ['number', 'caller_number', 'called_number'].map((name) => `${name}=${beginnings}`).join('&');
    const found = async (query: string) => (await api.get(`/api/call_logs/?${query}`)).body;

    expect(await found(every)).to.have.lengthOf(3);
    expect(await found(`${every}&tag=${hundred((place) => `tag ${place}`)}`)).to.have.lengthOf(2);
    expect(await found(`tag=${hundred((place) => `tag ${place}`)}`)).to.have.lengthOf(2);
  });

  const malformed: readonly (readonly [string, string])[] = [
    ['colour', 'red'],
    ['direction', 'inbound'],
    ['direction', 'incoming,'],
    ['direction', ''],
    ['direction', 'none'],
    ['status', 'lost'],
    ['disposition', 'missed'],
    ['user_id', 'me'],
    ['virtual_number_id', '12'],
    ['carrier_id', 'none'],
    ['parent_call_log_id', 'null'],
    ['number', '*'],
    ['number', '+49%00'],
    ['caller_number', ''],
    ['country', 'Germany'],
    ['started_after', 'yesterday'],
    ['started_after', '2026-02-31'],
    ['started_before', '2026-13-01T00:00:00Z'],
    ['min_duration', '-1'],
    ['max_duration', '1.5'],
    ['tag', '%00'],
    ['tag', 'x'.repeat(101)],
    ['provider', 'acme'],
    ['limit', '0'],
    ['limit', '501'],
    ['cursor', 'WzEsImNhcnJpZXJzIl0'],
    ['cursor', Buffer.from('[1,"call_logs","x","y"]').toString('base64url')],
  ];
  for (const [name, value] of malformed) {
    it(`answers 400 under ${name} to ${value.slice(0, 40) || 'nothing'}`, async () => {
      const api = door.as(makeActor({ accountId: await door.makeAccount() }));

      const answer = await api.get(`/api/call_logs/?${name}=${value}`);

      expect(answer.status, answer.text).to.equal(400);
      expect(answer.body[name], answer.text).to.be.an('array');
    });
  }

  it('follows the tags of a call when it changes or goes', async () => {
    const accountId = await door.makeAccount();
    const api = door.as(makeActor({ accountId }));
    const row = callRow({ account_id: accountId, started_at: new Date(START), tags: ['vip', 'vip', 'sales'] });
    const { db } = door.platform;
    await insertCalls(db, [row]);
    const tagged = async (tag: string) => (await api.get(`/api/call_logs/?tag=${tag}`)).body.length;

    expect([await tagged('vip'), await tagged('sales'), await tagged('none')]).to.deep.equal([1, 1, 0]);
    await db('call_logs')
      .where({ id: row.id })
      .update({ started_at: new Date(START - DAY), tags: ['sales'] });
    expect([await tagged('vip'), await tagged('sales')]).to.deep.equal([0, 1]);
    await db('call_logs').where({ id: row.id }).del();

    expect(await db('call_log_tags').where({ account_id: accountId })).to.deep.equal([]);
  });
});
