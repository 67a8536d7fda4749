import { expect } from 'chai';
import { CALL_COLUMNS, createCalls, presentCall } from '../../../src/features/calls/index.js';
import { createEventLog, readEventsAfter } from '../../../src/features/events/index.js';
import { createBoardReader } from '../../../src/features/live/live.queries.js';
import { newId } from '../../../src/lib/ids.js';
import { type Door, makeActor, openDoor } from '../../support/door.js';
import { callRow, insertCalls } from './call-rows.js';

const nextOf = ({ headers }: { readonly headers: Headers }): string | undefined =>
  /<(.+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];

describe('one call log', () => {
  let door: Door;

  before(async () => {
    door = await openDoor((platform) => {
      const eventLog = createEventLog(platform.db, platform.wakeups);
      return [...createCalls(platform, { eventLog }).routes];
    });
  });
  after(() => door.close());

  async function oneCall(seed: Readonly<Record<string, unknown>> = {}) {
    const accountId = await door.makeAccount();
    const row = callRow({
      account_id: accountId,
      started_at: new Date(Date.UTC(2026, 2, 1)),
      user_id: newId(),
      ...seed,
    });
    await insertCalls(door.platform.db, [row]);
    const api = door.as(makeActor({ accountId }));
    const events = () => readEventsAfter(door.platform.db, accountId, 0, 100);
    return { row, api, accountId, events, path: `/api/call_logs/${row.id}/` };
  }

  it('is read by its account’s admins and by the member whose number it was, and by nobody else', async () => {
    const { row, api, accountId, path } = await oneCall();
    const member = (userId: string) => door.as(makeActor({ accountId, role: 'member', userId }));
    const owner = member(row.user_id as unknown as string);
    const stranger = makeActor({ accountId: await door.makeAccount(), role: 'operator' });
    const others = [
      { who: member(newId()), status: 403 },
      { who: door.as(stranger), status: 404 },
    ];

    for (const who of [api, owner]) {
      expect((await who.get(path)).status).to.equal(200);
      expect((await who.get(`${path}events/`)).status).to.equal(200);
      expect((await who.patch(path, { tags: ['seen'] })).status).to.equal(200);
    }
    for (const { who, status } of others) {
      const answers = [
        await who.get(path),
        await who.patch(path, { nonsense: 1 }),
        await who.get(`${path}events/`),
        await who.get(`${path}legs/`),
        await who.get(`${path}history/`),
      ];
      expect(answers.map((answer) => answer.status)).to.deep.equal(Array(5).fill(status));
    }
    expect((await door.stranger.get(path)).status).to.equal(401);
    expect((await api.get('/api/call_logs/12/')).status).to.equal(404);
  });

  it('takes tags and a note, and tells them once on the event log and on its timeline', async () => {
    const { row, api, events, path } = await oneCall({ tags: ['old'] });

    const answer = await api.patch(path, { tags: ['vip', ' sales ', 'vip'], note: 'Called back\nlater' });

    expect(answer.status).to.equal(200);
    expect(answer.body).to.deep.include({ tags: ['vip', 'sales'], note: 'Called back\nlater' });
    expect((await api.get(path)).body).to.deep.equal(answer.body);
    const [event, ...more] = await events();
    expect(more).to.deep.equal([]);
    expect(event).to.deep.include({
      type: 'call.updated',
      subjectId: row.id,
      payload: answer.body,
      before: { direction: 'incoming', user_id: row.user_id, virtual_number_id: null, tags: ['old'] },
    });
    expect((await api.get(`${path}events/`)).body).to.deep.equal([
      {
        seq: event?.seq,
        type: 'call.updated',
        occurred_at: answer.body.updated_at,
        received_at: answer.body.updated_at,
        inbound_webhook_id: null,
      },
    ]);
  });

  it('pages through its timeline, and refuses filters that it does not have', async () => {
    const { api, path } = await oneCall();
    for (const note of ['a', 'b', 'c']) await api.patch(path, { note });
    const whole = (await api.get(`${path}events/`)).body;
    expect(whole).to.have.length(3);

    const first = await api.get(`${path}events/?limit=2`);
    expect([...first.body, ...(await api.get(nextOf(first) ?? '')).body]).to.deep.equal(whole);
    for (const [query, name] of [
      ['events/?limit=0', 'limit'],
      ['events/?cursor=x', 'cursor'],
      ['events/?type=call.ended', 'type'],
      ['legs/?limit=501', 'limit'],
      ['legs/?cursor=x', 'cursor'],
      ['legs/?direction=incoming', 'direction'],
      ['history/?limit=0', 'limit'],
      ['history/?cursor=x', 'cursor'],
      ['history/?since=1', 'since'],
    ] as const) {
      const answer = await api.get(path + query);
      expect([answer.status, Array.isArray(answer.body[name])], query).to.deep.equal([400, true]);
    }
  });

  it('tells nothing when nothing changes, and no former tags when only the note does', async () => {
    const { api, events, path } = await oneCall({ tags: ['vip'], note: 'Hello' });
    const before = (await api.get(path)).body;

    for (const same of [{}, { tags: ['vip'] }, { note: 'Hello' }, { tags: ['vip', 'vip'], note: 'Hello' }]) {
      expect((await api.patch(path, same)).body).to.deep.equal(before);
    }
    expect(await events()).to.deep.equal([]);

    expect((await api.patch(path, { note: '' })).body.note).to.equal(null);
    expect((await events()).map((event) => event.before)).to.deep.equal([null]);
  });

  it('loses no change when several are made at once', async () => {
    const { api, events, path } = await oneCall();

    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => api.patch(path, { tags: [`t${i}`] })));

    expect(answers.map((answer) => answer.status)).to.deep.equal(Array(8).fill(200));
    const told = (await events()).map((event) => (event.payload as { tags: string[] }).tags);
    expect(told).to.have.lengthOf(8);
    expect((await api.get(path)).body.tags).to.deep.equal(told.at(-1));
    expect((await api.get(`${path}events/`)).body).to.have.lengthOf(8);
  });

  it('says who changed what, and when', async () => {
    const { api, accountId, path } = await oneCall();
    const key = door.as(makeActor({ accountId, keyWith: ['calls:write', 'calls:read'] }));

    await api.patch(path, { tags: ['vip'] });
    const last = await key.patch(path, { tags: ['vip'], note: 'Hello' });

    const { body } = await api.get(`${path}history/`);
    expect(body).to.have.lengthOf(2);
    expect(body[0]).to.deep.include({
      at: last.body.updated_at,
      by_user_id: null,
      by_api_key_id: key.actor.apiKeyId,
      changes: { note: { from: null, to: 'Hello' } },
    });
    expect(body[1]).to.deep.include({ by_user_id: api.actor.userId, changes: { tags: { from: [], to: ['vip'] } } });
  });

  it('pages through who changed what', async () => {
    const { api, path } = await oneCall();
    for (const note of ['a', 'b', 'c']) await api.patch(path, { note });
    const whole = await api.get(`${path}history/`);
    expect([whole.body.length, nextOf(whole)]).to.deep.equal([3, undefined]);

    const first = await api.get(`${path}history/?limit=2`);
    await api.patch(path, { note: 'd' });
    const last = await api.get(nextOf(first) ?? '');

    expect([first.body.length, nextOf(last)]).to.deep.equal([2, undefined]);
    expect([...first.body, ...last.body]).to.deep.equal(whole.body);
  });

  const malformed: readonly (readonly [string, unknown])[] = [
    ['tags', 'vip'],
    ['tags', null],
    ['tags', [1]],
    ['tags', ['']],
    ['tags', ['x'.repeat(101)]],
    ['tags', ['a,b']],
    ['tags', ['vip', 'none']],
    ['tags', Array.from({ length: 51 }, (_, i) => `t${i}`)],
    ['tags', ['a\u0000b']],
    ['tags', ['half \ud800 a pair']],
    ['note', 5],
    ['note', 'x'.repeat(10_001)],
    ['note', '\u0000'],
    ['duration', 5],
  ];
  for (const [name, value] of malformed) {
    it(`answers 400 under ${name} to ${JSON.stringify(value).slice(0, 30)}`, async () => {
      const { api, events, path } = await oneCall();

      const answer = await api.patch(path, { [name]: value });

      expect(answer.status, answer.text).to.equal(400);
      expect(answer.body[name]).to.be.an('array');
      expect(await events()).to.deep.equal([]);
    });
  }

  it('asks an API key for calls:write to change, and for calls:read to read', async () => {
    const { accountId, path } = await oneCall();
    const reader = door.as(makeActor({ accountId, keyWith: ['calls:read'] }));
    const writer = door.as(makeActor({ accountId, keyWith: ['calls:write'] }));

    expect((await reader.patch(path, { tags: [] })).body.code).to.equal('insufficient_scope');
    expect((await writer.get(path)).body.code).to.equal('insufficient_scope');
    expect((await writer.patch(path, { tags: [] })).status).to.equal(200);
  });

  it('shows its timeline by the time of what happened, not of its arrival', async () => {
    const entry = (seq: number, type: string, second: number) => ({
      seq,
      type,
      occurred_at: new Date(Date.UTC(2026, 2, 1, 0, 0, second)).toISOString(),
      received_at: new Date(Date.UTC(2026, 2, 1, 0, 1)).toISOString(),
      inbound_webhook_id: newId(),
    });
    const arrived = [entry(1, 'call.ended', 9), entry(2, 'call.ringing', 1), entry(3, 'call.answered', 1)];
    const { api, path } = await oneCall({ timeline: JSON.stringify(arrived) });

    const { body } = await api.get(`${path}events/`);

    expect(body).to.deep.equal([arrived[1], arrived[2], arrived[0]]);
  });

  it('shows all legs of its conversation, whichever of them is asked for', async () => {
    const { row, api, accountId } = await oneCall();
    const leg = (parent: string, minute: number, userId: string | null = row.user_id) =>
      callRow({
        account_id: accountId,
        started_at: new Date(Date.UTC(2026, 2, 1, 0, minute)),
        parent_call_log_id: parent,
        user_id: userId,
      });
    const child = leg(row.id, 1);
    const hidden = leg(row.id, 2, newId());
    const grandchild = leg(hidden.id, 3);
    await insertCalls(door.platform.db, [child, hidden, grandchild]);
    const member = door.as(makeActor({ accountId, role: 'member', userId: row.user_id as unknown as string }));

    const ids = async (who: typeof api, id: string) =>
      (await who.get(`/api/call_logs/${id}/legs/`)).body.map((call: { id: string }) => call.id);

    expect(await ids(api, row.id)).to.deep.equal([row.id, child.id, hidden.id, grandchild.id]);
    expect(await ids(api, grandchild.id)).to.deep.equal([row.id, child.id, hidden.id, grandchild.id]);
    expect(await ids(member, row.id)).to.deep.equal([row.id, child.id, grandchild.id]);
  });

  it('misses no leg of a conversation of more legs than a page has, nor of those that began at one moment', async () => {
    const { row, api, accountId } = await oneCall();
    const legs = Array.from({ length: 501 }, (_, i) =>
      callRow({
        account_id: accountId,
        started_at: new Date(Date.UTC(2026, 2, 1, 0, 1, i >> 1)),
        parent_call_log_id: row.id,
        user_id: i === 500 ? null : row.user_id,
      }),
    );
    await insertCalls(door.platform.db, legs);
    const member = door.as(makeActor({ accountId, role: 'member', userId: row.user_id as unknown as string }));
    const pages = async (who: typeof api, path: string) => {
      const found: string[][] = [];
      for (let next: string | undefined = path; next; ) {
        const answer = await who.get(next);
        expect(answer.status, answer.text).to.equal(200);
        found.push(answer.body.map((call: { id: string }) => call.id));
        next = nextOf(answer);
      }
      return found;
    };
    const all = [row, ...legs].map(({ id }) => id);

    const path = `/api/call_logs/${legs[500]?.id}/legs/`;
    const [first, rest, ...more] = await pages(api, path);
    const small = await pages(api, `${path}?limit=100`);
    const theirs = await pages(member, `/api/call_logs/${row.id}/legs/?limit=300`);

    expect([first, rest, more]).to.deep.equal([all.slice(0, 500), all.slice(500), []]);
    expect(small.flat()).to.deep.equal(all);
    expect(theirs.flat()).to.deep.equal(all.slice(0, 501));
  });

  it('reads the board and its place in the event log from one moment', async () => {
    const { row, api, accountId, path } = await oneCall({ status: 'ringing', disposition: null });
    const readBoard = createBoardReader(door.platform.db, { columns: CALL_COLUMNS, present: presentCall });

    expect(await readBoard({ accountId, userId: null })).to.deep.equal({
      seq: 0,
      calls: [(await api.get(path)).body],
    });
    await api.patch(path, { tags: ['vip'] });
    const board = await readBoard({ accountId, userId: row.user_id as unknown as string });

    expect(board).to.deep.equal({ seq: 1, calls: [(await api.get(path)).body] });
    expect(await readBoard({ accountId, userId: newId() })).to.deep.equal({ seq: 1, calls: [] });
    expect(await readBoard({ accountId: newId(), userId: null })).to.deep.equal({ seq: 0, calls: [] });
  });
});
