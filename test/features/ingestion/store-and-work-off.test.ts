import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { until } from '../../support/until.js';
import { type Inbox, makeAccount, makeGenericCarrier, makeNumber, openInboxes } from './inbox-bench.js';

const BASE = Date.UTC(2026, 4, 1, 12);
const NUMBER = '+12025550100';

type Members = Readonly<Record<string, unknown>>;
type Row = Record<string, unknown>;

describe('webhooks that are worked off as they are stored', function () {
  this.timeout(60_000);
  let inbox: Inbox;
  let other: Inbox;
  let close: () => Promise<void>;
  let accountId: string;
  let carrierId: string;
  let sharedId: string;

  before(async () => {
    const opened = await openInboxes(2);
    [inbox, other] = opened.inboxes as [Inbox, Inbox];
    close = opened.close;
    accountId = await makeAccount(inbox.db);
    await makeNumber(inbox.db, accountId, NUMBER, BASE - 86_400_000);
    carrierId = await makeGenericCarrier(inbox, accountId);
    sharedId = await makeGenericCarrier(inbox, null);
    inbox.ingestion.watch();
  });
  after(() => close());

  const saved = (id: string, body: Members) => ({
    name: id,
    path: '?from=file',
    receivedAt: BASE,
    headers: { 'content-type': 'application/json', 'webhook-id': id },
    body: Buffer.from(JSON.stringify({ direction: 'incoming', from: '+12025550143', to: NUMBER, ...body })),
  });
  type Saved = ReturnType<typeof saved>;
  const ended = (id: string, call = id): Saved =>
    saved(id, { type: 'call.ended', call_id: call, occurred_at: new Date(BASE).toISOString(), duration: 0 });

  /** Stored by the group commit of the door; what is given at once arrives in one turn. */
  const store = (webhooks: readonly Saved[], { to = inbox, by = carrierId } = {}) =>
    to.ingestion.importWebhooks(by, webhooks);

  /** The same until the process has the time to work it off at once: it is busy, or was slow, now and then. */
  async function storeAtOnce(make: (name: string) => Saved, by = carrierId): Promise<string> {
    let inserts = 0;
    const hear = ({ sql }: { sql: string }): void => {
      if (/insert into inbound_webhooks/.test(sql)) inserts += 1;
    };
    inbox.db.on('query', hear);
    try {
      for (let name = 0; name < 100; name += 1) {
        inserts = 0;
        await store([make(`once${name}`)], { by });
        if (inserts === 0) return `once${name}`;
        await pause(100);
      }
    } finally {
      inbox.db.removeListener('query', hear);
    }
    return expect.fail('None was worked off at once.');
  }

  async function rowOf(key: string): Promise<Row> {
    const { rows } = await inbox.db.raw(
      `select s.*, w.xmin::text as xmin from seen_webhooks s join inbound_webhooks w on w.id = s.id
       where s.delivery_key = ?`,
      [key],
    );
    return rows[0] ?? {};
  }
  /** All that is seen of a webhook, but for its id, its times and the name of its way. */
  async function keptOf(name: string, way: string): Promise<unknown> {
    const {
      id,
      xmin,
      body,
      processed_at: done,
      call_log_id: call,
      stored_status,
      ...row
    } = await rowOf(`${name}-${way}`);
    const kept = { ...row, body: String(body), done: done !== null, call: call !== null };
    return JSON.parse(JSON.stringify(kept).replaceAll(`${name}-${way}`, name));
  }
  const statusOf = async (key: string): Promise<unknown> => (await rowOf(key)).status;
  const processed = (...keys: string[]) =>
    until('they are processed', async () => {
      const statuses = await Promise.all(keys.map(statusOf));
      return statuses.every((status) => status === 'processed');
    });

  it('are in the inbox from the very transaction that makes their call log and its event', async () => {
    const key = await storeAtOnce(ended);

    const row = await rowOf(key);
    const { rows } = await inbox.db.raw(
      `select c.id, c.xmin::text as call, e.xmin::text as event, e.type from call_logs c join events e on e.subject_id = c.id
       where c.carrier_call_id = ?`,
      [key],
    );
    expect(row).to.include({ status: 'processed', event_type: 'call.ended', call_log_id: rows[0].id });
    expect(rows).to.deep.equal([{ id: rows[0].id, call: row.xmin, event: row.xmin, type: 'call.ended' }]);
  });

  it('are kept as those that are stored first and worked off later', async () => {
    const sayings: readonly (readonly [string, Members, string?])[] = [
      ['ended', { type: 'call.ended', duration: 3 }],
      ['late', { type: 'call.ended', occurred_at: '2999-01-01T00:00:00Z' }],
      ['unheard', { type: 'sms.received' }],
      ['half', { type: 'call.ringing', direction: undefined, from: undefined, to: undefined }],
      ['child', { type: 'call.ringing', direction: 'outgoing', to: '+12025550177', parent_call_id: 'nobody' }],
      ['unheld', { type: 'call.ringing', to: '+12025550199' }, sharedId],
      ['placed', { type: 'call.ringing' }, sharedId],
    ];
    const atOnce: unknown[] = [];
    const later: unknown[] = [];
    for (const [name, body, by = carrierId] of sayings) {
      const make = (way: string): Saved => saved(`${name}-${way}`, { call_id: `${name}-${way}`, ...body });
      atOnce.push(await keptOf(name, await storeAtOnce(make, by)));
      await store([make('late')], { to: other, by });
      await other.ingestion.drain();
      later.push(await keptOf(name, 'late'));
    }

    expect(atOnce).to.deep.equal(later);
    expect(atOnce.map((row) => (row as Row).status)).to.deep.equal([
      'processed',
      'failed',
      'ignored',
      'waiting',
      'waiting',
      'ignored',
      'processed',
    ]);
  });

  it('take up what waited for them', async () => {
    const early = saved('early', {
      type: 'call.ringing',
      call_id: 'pair',
      from: undefined,
      direction: undefined,
      to: '',
    });
    await store([early]);
    await until('it waits', async () => (await statusOf('early')) === 'waiting');

    await store([ended('second', 'pair')]);

    await processed('early', 'second');
    const told = await inbox.db('call_logs').where({ carrier_call_id: 'pair' }).pluck('timeline');
    expect(told.flat().map(({ type }: { type: string }) => type)).to.have.members(['call.ringing', 'call.ended']);
  });

  it('are stored all the same when a call is locked, and worked off when it is free', async () => {
    await inbox.db.transaction(async (holder) => {
      await holder('account_counters').where({ account_id: accountId }).forUpdate().select();
      await store([ended('held-1')]);
      await store([ended('held-2')]);
      expect([await statusOf('held-1'), await statusOf('held-2')]).to.deep.equal(['pending', 'pending']);
    });

    await processed('held-1', 'held-2');
  });

  it('are known when they come again, and do not keep others from being stored', async () => {
    const first = await store([ended('again')]);
    const repeated = await store([ended('again'), ended('beside'), ended('beside')]);
    const alone: number[] = [];
    for (let time = 0; time < 20; time += 1) {
      alone.push((await store([ended('again')])).stored);
      await pause(50);
    }

    await processed('again', 'beside');
    expect([first.stored, repeated.stored, ...alone]).to.deep.equal([1, 1, ...Array(20).fill(0)]);
    const told = await inbox
      .db('events')
      .whereRaw(`payload ->> 'carrier_call_id' in ('again', 'beside')`)
      .pluck('type');
    expect(told).to.deep.equal(['call.ended', 'call.ended']);
  });

  it('do not spoil the storing of their neighbours', async () => {
    await inbox.db.raw(`alter table call_logs add constraint no_bad check (carrier_call_id <> 'bad')`);
    try {
      await store([ended('good'), ended('bad')]);
      await processed('good');
      await until('the bad one is put off', async () => Number((await rowOf('bad')).attempts) > 0);
    } finally {
      await inbox.db.raw('alter table call_logs drop constraint no_bad');
    }

    await until('the bad one is processed', async () => {
      // Each time: an attempt that was under way may put it off once more.
      await inbox.db('inbound_webhooks').where({ delivery_key: 'bad' }).update({ next_attempt_at: null });
      await other.ingestion.drain();
      return (await statusOf('bad')) === 'processed';
    });
  });
});
