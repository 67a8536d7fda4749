import { expect } from 'chai';
import { createCalls } from '../../../src/features/calls/index.js';
import { createEventLog } from '../../../src/features/events/index.js';
import { createReports } from '../../../src/features/reports/index.js';
import { newId } from '../../../src/lib/ids.js';
import { type Caller, type Door, makeActor, openDoor } from '../../support/door.js';
import { type CallSeedRow, callRow, insertCalls, type Random, randomFrom } from '../calls/call-rows.js';
import { FIGURES, memberOf, modelFigures, modelRows } from './report-model.js';

const MINUTE = 60_000;
const NOW = new Date('2026-12-20T12:00:00.000Z');
const USERS = [newId(), newId(), null];
const NUMBERS = [newId(), newId(), null];
const CARRIERS = [newId(), newId()];
const COUNTRIES = ['DE', 'FR', null];

/** Days on which the clocks change, and one on which none do. */
const ZONES: Readonly<Record<string, readonly string[]>> = {
  'Europe/Berlin': ['2026-03-29', '2026-10-25'],
  'America/New_York': ['2026-03-08', '2026-11-01'],
  'Asia/Kathmandu': ['2026-03-29', '2026-12-31'],
  'Australia/Lord_Howe': ['2026-04-05', '2026-10-04'],
};
const GROUPS = [
  'hour',
  'day',
  'week',
  'month',
  'virtual_number',
  'user',
  'direction',
  'disposition',
  'country',
  'carrier',
];

const later = (at: Date | null, ms: number): Date | null => (at === null ? null : new Date(at.getTime() + ms));

function randomCall(random: Random, accountId: string): CallSeedRow {
  const day = Date.parse(random.pick(Object.values(ZONES).flat()));
  // Whole and half hours often, so that calls begin where buckets do, and where others end.
  const step = random.pick([30 * MINUTE, 30 * MINUTE, MINUTE, 1001]);
  const started_at = new Date(day + Math.floor(((random.next() * 3 - 1) * 86_400_000) / step) * step);
  const status = random.pick(['ringing', 'answered', 'ended', 'ended', 'ended', 'ended']);
  const isAnswered = status === 'answered' || (status === 'ended' && random.below(3) > 0);
  const ring = random.below(5) === 0 ? null : random.below(60);
  const duration = isAnswered && status === 'ended' ? random.pick([0, 3, 9, 10, 11, 600, 1800, 7200]) : 0;
  const answered_at = isAnswered ? later(started_at, (ring ?? 0) * 1000) : null;
  const ended_at = status === 'ended' ? later(answered_at ?? started_at, duration * 1000) : null;
  const unanswered = random.pick(['no_answer', 'busy', 'rejected', 'canceled', 'failed', 'lost']);
  return callRow({
    ...{ account_id: accountId, started_at, status, answered_at, ended_at, duration, ring_duration: ring },
    disposition:
      status === 'ended' ? (isAnswered ? random.pick(['completed', 'completed', 'lost']) : unanswered) : null,
    ringing_at: ring === null ? null : started_at,
    direction: random.pick(['incoming', 'outgoing']),
    user_id: random.pick(USERS),
    virtual_number_id: random.pick(NUMBERS),
    carrier_id: random.pick(CARRIERS),
    country: random.pick(COUNTRIES),
    tags: random.below(3) === 0 ? ['vip'] : [],
    parent_call_log_id: random.below(4) === 0 ? newId() : null,
  });
}

interface Filter {
  readonly query: string;
  matches(call: CallSeedRow): boolean;
}

const FILTERS: readonly Filter[] = [
  { query: '', matches: () => true },
  { query: 'direction=incoming', matches: (call) => call.direction === 'incoming' },
  { query: 'disposition=none,busy', matches: (call) => [null, 'busy'].includes(call.disposition as string | null) },
  { query: `user_id=${USERS[0]},none`, matches: (call) => [USERS[0], null].includes(call.user_id) },
  { query: 'country=DE', matches: (call) => call.country === 'DE' },
  { query: 'tag=vip&min_duration=5', matches: (call) => call.tags.length > 0 && call.duration >= 5 },
  { query: 'parent_call_log_id=none', matches: (call) => call.parent_call_log_id === null },
  { query: 'number=%2B49151*', matches: () => true },
  { query: `started_after=2026-04-01`, matches: (call) => call.started_at >= new Date('2026-04-01') },
];

/** The ids of every page of a list. */
async function listed(api: Caller, path: string): Promise<string[]> {
  const ids: string[] = [];
  for (let next: string | undefined = path; next; ) {
    const answer = await api.get(next);
    expect(answer.status, answer.text).to.equal(200);
    ids.push(...answer.body.map((call: { id: string }) => call.id));
    next = /<(.+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  return ids.sort();
}

const pick = (row: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(FIGURES.map((name) => [name, row[name]]));

describe('reports of calls', () => {
  let door: Door;

  before(async () => {
    door = await openDoor(
      (platform) => {
        const eventLog = createEventLog(platform.db, platform.wakeups);
        return [...createCalls(platform, { eventLog }).routes, ...createReports(platform).routes];
      },
      { clock: { now: () => NOW.getTime() } },
    );
  });
  after(() => door.close());

  async function seed(count: number, random: Random) {
    const accountId = await door.makeAccount();
    const rows = Array.from({ length: count }, () => randomCall(random, accountId));
    await insertCalls(door.platform.db, rows);
    return { accountId, rows };
  }

  interface Question {
    readonly api: Caller;
    readonly calls: readonly CallSeedRow[];
    readonly groups: readonly string[];
    readonly timeZone: string;
    readonly query: string;
  }

  async function compare({ api, calls, groups, timeZone, query }: Question): Promise<void> {
    const grouped = groups.length > 0 ? `group_by=${groups.join(',')}&` : '';
    const path = `/api/reports/calls/?${grouped}timezone=${timeZone}&${query}`;
    const { status, body, text } = await api.get(path);
    expect(status, text).to.equal(200);
    const expected = modelRows(calls, groups, timeZone);
    const key = (row: Record<string, unknown>): string => JSON.stringify(groups.map((group) => row[memberOf(group)]));
    expect(body.rows.map(key).sort(), path).to.deep.equal([...expected.keys()].sort());
    expect(pick(body.totals), path).to.deep.equal(modelFigures(calls, NOW));
    for (const row of body.rows) {
      const members = expected.get(key(row)) ?? [];
      expect(pick(row), `${path} ${key(row)}`).to.deep.equal(modelFigures(members, NOW));
      const ids = await listed(api, `${row.calls_url}${row.calls_url.includes('?') ? '&' : '?'}limit=500`);
      expect(ids, `${path} ${row.calls_url}`).to.deep.equal(members.map(({ id }) => id).sort());
    }
  }

  for (const [timeZone, days] of Object.entries(ZONES)) {
    it(`agree with a model that looks at every call, and link to just those calls, in ${timeZone}`, async function () {
      this.timeout(120_000);
      const random = randomFrom(timeZone.length * 7919);
      const { accountId, rows } = await seed(150, random);
      const admin = door.as(makeActor({ accountId }));
      const member = door.as(makeActor({ accountId, role: 'member', userId: USERS[0] as string }));
      const local = (call: CallSeedRow): string =>
        new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(call.started_at);

      for (const group of ['', ...GROUPS]) {
        for (const groups of [[group], [group, random.pick(GROUPS)], [random.pick(GROUPS), group]]) {
          const names = [...new Set(groups.filter((name) => name !== ''))];
          const filter = random.pick(FILTERS);
          const isMember = random.below(4) === 0;
          const day = random.pick(days);
          const isRanged = names.includes('hour') || random.below(2) === 0;
          const calls = rows
            .filter((call) => filter.matches(call) && (!isMember || call.user_id === USERS[0]))
            .filter((call) => !isRanged || local(call) === day);
          const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
          const query = `${isRanged ? `from=${day}&to=${next}&` : ''}${filter.query}`;

          await compare({ api: isMember ? member : admin, calls, groups: names, timeZone, query });
        }
      }
    });
  }

  it('show one moment of the database while calls arrive and are corrected', async function () {
    this.timeout(60_000);
    const random = randomFrom(5);
    const { accountId, rows } = await seed(200, random);
    const api = door.as(makeActor({ accountId }));
    const { db } = door.platform;
    const answered = rows.filter((row) => row.answered_at !== null);
    let isOver = false;
    // Each transaction moves calls between days and states; the calls and the talk of all of them stay the same.
    const writer = (async () => {
      while (!isOver) {
        const [a, b] = [random.pick(answered), random.pick(answered)];
        await db.transaction(async (tx) => {
          const fresh = randomCall(random, accountId);
          await insertCalls(tx, [{ ...fresh, duration: 77 }]);
          await tx('call_logs').where({ id: fresh.id }).delete();
          const shift = random.below(200_000) - 100_000;
          await tx.raw(
            `update call_logs set started_at = started_at + s, answered_at = answered_at + s, ended_at = ended_at + s
             from (select ? * interval '1 second' as s) x where id = ?`,
            [shift, a.id],
          );
          if (a.id === b.id) return;
          await tx.raw('update call_logs set duration = duration + ? where id = ?', [5, a.id]);
          await tx.raw('update call_logs set duration = duration - ? where id = ?', [5, b.id]);
        });
      }
    })();
    const talk = rows.reduce((sum, { duration }) => sum + duration, 0);

    for (let round = 0; round < 20; round += 1) {
      const { body } = await api.get('/api/reports/calls/?group_by=day,direction&timezone=Europe/Berlin');
      const add = (name: string): number => body.rows.reduce((sum: number, row: never) => sum + row[name], 0);

      expect([body.totals.calls, body.totals.talk_seconds]).to.deep.equal([rows.length, talk]);
      expect([add('calls'), add('talk_seconds'), add('answered')]).to.deep.equal([
        rows.length,
        talk,
        body.totals.answered,
      ]);
    }
    isOver = true;
    await writer;
    const now: CallSeedRow[] = await db('call_logs').where({ account_id: accountId });
    await compare({ api, calls: now, groups: ['day', 'direction'], timeZone: 'Australia/Lord_Howe', query: '' });
  });
});
