import { expect } from 'chai';
import { createReports } from '../../../src/features/reports/index.js';
import { newId } from '../../../src/lib/ids.js';
import { allScopesBut, type Door, makeActor, openDoor } from '../../support/door.js';
import { callRow, insertCalls } from '../calls/call-rows.js';

const PATH = '/api/reports/calls/';

describe('GET /api/reports/calls/', () => {
  let door: Door;

  before(async () => {
    door = await openDoor((platform) => createReports(platform).routes);
  });
  after(() => door.close());

  async function makeCalls(...starts: readonly string[]) {
    const accountId = await door.makeAccount();
    const rows = starts.map((start) => callRow({ account_id: accountId, started_at: new Date(start) }));
    await insertCalls(door.platform.db, rows);
    return { accountId, api: door.as(makeActor({ accountId })), rows };
  }

  const values = (answer: { body: { rows: Record<string, unknown>[] } }, name: string): unknown[] =>
    answer.body.rows.map((row) => row[name]);

  it('answers an account without calls with no rows, totals of nothing, and what each figure means', async () => {
    const { api } = await makeCalls();

    const { status, body } = await api.get(PATH);

    expect(status).to.equal(200);
    expect(Object.keys(body)).to.deep.equal(['rows', 'totals', 'definitions']);
    expect(body.rows).to.deep.equal([]);
    expect(body.totals).to.include({ calls: 0, answer_rate: null, average_ring_seconds: null, max_concurrent: 0 });
    expect(Object.keys(body.definitions)).to.deep.equal(Object.keys(body.totals));
  });

  it('answers one row without a group, the same as the totals', async () => {
    const { api } = await makeCalls('2026-05-01T10:00:00Z', '2026-05-03T10:00:00Z');

    const { body } = await api.get(PATH);

    const [{ calls_url, ...figures }] = body.rows;
    expect(body.rows).to.have.lengthOf(1);
    expect(figures).to.deep.equal(body.totals);
    expect(calls_url).to.equal('/api/call_logs/');
  });

  it('counts from ≤ started_at < to, days being those of the time zone', async () => {
    const { api } = await makeCalls(
      '2026-03-28T22:59:59.999Z',
      '2026-03-28T23:00:00Z',
      '2026-03-29T21:59:59Z',
      '2026-03-29T22:00:00Z',
    );

    const day = await api.get(`${PATH}?from=2026-03-29&to=2026-03-30&timezone=Europe/Berlin`);
    const times = await api.get(`${PATH}?from=2026-03-28T23:00:00%2B00:00&to=2026-03-29T22:00:00Z`);
    const local = await api.get(`${PATH}?from=2026-03-29T00:00&to=2026-03-30T00:00:00&timezone=Europe/Berlin`);

    expect([day, times, local].map(({ body }) => body.totals.calls)).to.deep.equal([2, 2, 2]);
  });

  it('names hours that come twice, and half hours, by their offset', async () => {
    const berlin = await makeCalls('2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z');
    const howe = await makeCalls(
      '2026-04-04T14:10:00Z',
      '2026-04-04T14:59:59Z',
      '2026-04-04T15:00:00Z',
      '2026-04-04T15:30:00Z',
    );

    const twice = await berlin.api.get(`${PATH}?group_by=hour&timezone=Europe/Berlin`);
    const half = await howe.api.get(`${PATH}?group_by=hour&timezone=Australia/Lord_Howe`);

    expect(values(twice, 'hour')).to.deep.equal(['2026-10-25T02:00:00+02:00', '2026-10-25T02:00:00+01:00']);
    expect(values(half, 'hour')).to.deep.equal([
      '2026-04-05T01:00:00+11:00',
      '2026-04-05T01:00:00+10:30',
      '2026-04-05T02:00:00+10:30',
    ]);
    expect(values(half, 'calls')).to.deep.equal([2, 1, 1]);
  });

  it('puts a row that began before its bucket into its own range', async () => {
    const { api } = await makeCalls('2026-10-25T10:45:00Z');

    const { body } = await api.get(`${PATH}?from=2026-10-25T10:30:00Z&to=2026-10-26&group_by=week,hour`);

    const [{ calls_url, week, hour }] = body.rows;
    const query = new URL(calls_url, 'http://x').searchParams;
    expect([week, hour]).to.deep.equal(['2026-10-19', '2026-10-25T10:00:00+00:00']);
    expect([query.get('started_after'), query.get('started_before')]).to.deep.equal([
      '2026-10-25T10:30:00.000Z',
      '2026-10-25T11:00:00.000Z',
    ]);
  });

  it('counts a call in progress until now, and none at its end', async () => {
    const accountId = await door.makeAccount();
    const call = (from: string, until: string | null) =>
      callRow({
        ...{ account_id: accountId, started_at: new Date(from), ended_at: until === null ? null : new Date(until) },
        ...(until === null && { status: 'ringing', disposition: null, answered_at: null }),
      });
    await insertCalls(door.platform.db, [
      call('2026-05-01T10:00:00Z', null),
      call('2026-05-01T10:00:00Z', '2026-05-01T10:05:00Z'),
      call('2026-05-01T10:05:00Z', '2026-05-01T10:06:00Z'),
      call('2026-05-01T10:05:00Z', '2026-05-01T10:05:00Z'),
    ]);

    const { body } = await door.as(makeActor({ accountId })).get(PATH);

    expect(body.totals).to.include({ calls: 4, max_concurrent: 2 });
  });

  it('counts the calls of many years by hours, of which only those with calls are rows', async () => {
    const starts = ['1990-01-01T00:00:00Z', '2025-09-01T10:20:00Z', '2025-09-01T10:40:00Z', '2026-11-30T10:00:00Z'];
    const { api } = await makeCalls(...starts);

    const { body } = await api.get(`${PATH}?group_by=hour`);
    const range = await api.get(`${PATH}?from=1980-01-01&to=2100-01-01&group_by=hour`);
    const none = await api.get(`${PATH}?group_by=hour&disposition=busy`);
    const months = await api.get(`${PATH}?group_by=month`);

    expect(body.rows.map((row: Record<string, unknown>) => [row.hour, row.calls, row.calls_url])).to.deep.equal(
      [
        ['1990-01-01T00', 1, '1990-01-01T00:00:00.000Z', '1990-01-01T01:00:00.000Z'],
        ['2025-09-01T10', 2, '2025-09-01T10:00:00.000Z', '2025-09-01T11:00:00.000Z'],
        ['2026-11-30T10', 1, '2026-11-30T10:00:00.000Z', '2026-11-30T10:00:00.001Z'],
      ].map(([hour, calls, from, until]) => [
        `${hour}:00:00+00:00`,
        calls,
        `/api/call_logs/?${new URLSearchParams({ started_after: String(from), started_before: String(until) })}`,
      ]),
    );
    expect(values(range, 'hour')).to.deep.equal(body.rows.map((row: { hour: string }) => row.hour));
    expect([none.status, none.body.rows, none.body.totals.calls]).to.deep.equal([200, [], 0]);
    expect(values(months, 'month')).to.deep.equal(['1990-01', '2025-09', '2026-11']);
  });

  it('refuses more rows than anyone reads, whatever the range', async () => {
    const begin = Date.UTC(2024, 0, 1);
    const { api } = await makeCalls(
      ...Array.from({ length: 10_001 }, (_, i) => new Date(begin + i * 7_200_000).toISOString()),
    );

    const refused = await api.get(`${PATH}?group_by=hour`);
    const most = await api.get(`${PATH}?group_by=hour&from=2024-01-01T00:30:00Z`);

    expect([refused.status, refused.body.group_by]).to.deep.equal([
      400,
      ['The report would have more than 10000 rows: ask for less time or larger groups.'],
    ]);
    expect([most.status, most.body.rows?.length], most.text.slice(0, 300)).to.deep.equal([200, 10_000]);
  });

  const malformed: readonly (readonly [string, string])[] = [
    ['group_by', 'fortnight'],
    ['group_by', 'day,week,month'],
    ['group_by', 'day,day'],
    ['group_by', ''],
    ['timezone', 'Mars/Olympus'],
    ['timezone', '+01:00'],
    ['from', 'yesterday'],
    ['to', '2026-02-30'],
    ['status', 'lost'],
    ['limit', '5'],
    ['colour', 'red'],
  ];
  for (const [name, value] of malformed) {
    it(`answers 400 under ${name} to ${value || 'nothing'}`, async () => {
      const { api } = await makeCalls();

      const answer = await api.get(`${PATH}?${name}=${encodeURIComponent(value)}`);

      expect(answer.status, answer.text).to.equal(400);
      expect(answer.body[name], answer.text).to.be.an('array');
    });
  }

  it('answers 400 under to when the range ends before it begins', async () => {
    const { api } = await makeCalls();

    const { status, body } = await api.get(`${PATH}?from=2026-05-02&to=2026-05-01`);

    expect([status, body.to]).to.deep.equal([400, ['Must not be before from.']]);
  });

  it('asks API keys for the scope reports:read, and everybody for a token', async () => {
    const { accountId } = await makeCalls();
    const key = (scopes: ReturnType<typeof allScopesBut>) => door.as(makeActor({ accountId, keyWith: scopes }));

    const answers = [key(['reports:read']), key(allScopesBut('reports:read')), door.stranger].map((api) =>
      api.get(PATH),
    );

    expect((await Promise.all(answers)).map(({ status }) => status)).to.deep.equal([200, 403, 401]);
  });

  it('counts nothing of another account, and for members their own calls alone', async () => {
    const userId = newId();
    const { accountId, rows } = await makeCalls('2026-05-01T10:00:00Z', '2026-05-02T10:00:00Z');
    await makeCalls('2026-05-01T10:00:00Z');
    await door.platform.db('call_logs').where({ id: rows[0]?.id }).update({ user_id: userId });
    const member = door.as(makeActor({ accountId, role: 'member', userId }));

    const { body } = await member.get(`${PATH}?group_by=day`);

    expect([body.totals.calls, body.rows.length]).to.deep.equal([1, 1]);
  });
});
