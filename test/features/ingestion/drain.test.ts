import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { createCallsWriter } from '../../../src/features/calls/index.js';
import type { Batch } from '../../../src/features/ingestion/batch.js';
import { type PackedWebhooks, unpackWebhooks } from '../../../src/features/ingestion/batch-messages.js';
import { createDrain, type DrainDeps } from '../../../src/features/ingestion/drain.js';
import { createFreshWebhooks, type FreshWebhooks } from '../../../src/features/ingestion/fresh-webhooks.js';
import type { NewWebhook } from '../../../src/features/ingestion/inbound-webhook.js';
import { claimArrivals, isTakenElsewhere, queueAgain } from '../../../src/features/ingestion/inbox.repository.js';
import { insertWebhooks } from '../../../src/features/ingestion/inbox-inserts.js';
import { createIngestionMetrics } from '../../../src/features/ingestion/ingestion-metrics.js';
import { newId } from '../../../src/lib/ids.js';
import { run } from '../../../src/platform/db/statement.js';
import { createMetrics } from '../../../src/platform/metrics.js';
import { failureOf } from '../../support/failure-of.js';
import { runJob } from '../../support/jobs.js';
import { until } from '../../support/until.js';
import {
  deliver,
  drainAll,
  type GenericWebhook,
  makeAccount,
  makeGenericCarrier,
  makeNumber,
  openInboxes,
} from './inbox-bench.js';

const BASE = Date.UTC(2026, 4, 1, 12);
const iso = (ms: number): string => new Date(ms).toISOString();
const TYPES = ['call.initiated', 'call.ringing', 'call.answered', 'call.ended', 'call.updated'] as const;

/** Where no direction is told, a leg's parties may change sides: each sends the requests of its own. */
const anyParties = (own: string, isToldDirection: boolean): fc.Arbitrary<Record<string, string>> => {
  const far = '+12025550143';
  return isToldDirection
    ? fc.constantFrom(...[far, 'anonymous'].map((from) => ({ direction: 'incoming', from, to: own })))
    : fc.constantFrom({ from: far, to: own }, { from: own, to: far });
};

const anyMembers = (tag: string, callId: string) =>
  fc.record(
    {
      type: fc.constantFrom(...TYPES),
      call_id: fc.constant(callId),
      // The last one is never reported.
      parent_call_id: fc.constantFrom(...[0, 1, 9].map((call) => `${tag}-call-${call}`)),
      occurred_at: fc.integer({ min: 0, max: 20 }).map((step) => iso(BASE + step * 700)),
      duration: fc.integer({ min: 0, max: 9 }),
      disposition: fc.constantFrom('busy', 'completed', 'rejected'),
      hangup_cause: fc.constantFrom('user_busy', 'normal_clearing'),
      price: fc.constant('0.0100'),
      currency: fc.constant('USD'),
    },
    { requiredKeys: ['type', 'call_id'] },
  );

/** A few calls, a few webhooks each; the first of each states something, so that every call can be placed. */
const anyTraffic = (tag: string, own: string): fc.Arbitrary<GenericWebhook[]> =>
  fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.boolean()), { minLength: 1, maxLength: 4 }).chain((calls) =>
    fc.tuple(
      ...calls.flatMap(([count, isToldDirection], call) =>
        Array.from({ length: count }, (_, place) =>
          fc.record({
            id: fc.constant(`${tag}-${call}-${place}`),
            receivedAt: fc.integer({ min: 30, max: 60 }).map((step) => BASE + step * 700),
            body: fc
              .tuple(anyMembers(tag, `${tag}-call-${call}`), anyParties(own, isToldDirection))
              .map(([members, parties]) => ({ ...members, ...parties, ...(place === 0 && { type: 'call.ringing' }) })),
          }),
        ),
      ),
    ),
  );

describe('the drain', function () {
  this.timeout(60_000);
  const world = (async () => {
    const opened = await openInboxes(3);
    const accountId = await makeAccount(opened.first.db);
    const number = '+12025550100';
    await makeNumber(opened.first.db, accountId, number, BASE - 86_400_000);
    const carrier = { id: await makeGenericCarrier(opened.first, accountId), accountId };
    return { ...opened, accountId, number, carrier };
  })();
  after(async () => (await world).close());

  const recordsOf = async (prefix: string): Promise<Record<string, unknown>[]> => {
    const { first } = await world;
    const rows = await first
      .db('call_logs')
      .where('carrier_call_id', 'like', `${prefix}-call-%`)
      .orderBy('carrier_call_id');
    const placeOf = (callId: unknown) => String(callId).split('-call-')[1] ?? null;
    const placeOfId = new Map(rows.map(({ id, carrier_call_id }) => [id, placeOf(carrier_call_id)]));
    return rows.map(({ id, updated_at, last_news_at, timeline, facts, carrier_call_id, ...rest }) => ({
      ...rest,
      call: placeOf(carrier_call_id),
      parent_carrier_call_id: placeOf(rest.parent_carrier_call_id),
      parent_call_log_id: placeOfId.get(rest.parent_call_log_id) ?? null,
      told: (timeline as { type: string }[])
        .map((entry) => entry.type)
        .filter((type) => type !== 'call.updated')
        .sort(),
    }));
  };

  it('makes the same records of the same webhooks, whatever the order, the batches and the workers', async () => {
    const { first, inboxes, carrier, number } = await world;
    let round = 0;
    const traffic = anyTraffic('T', number).chain((webhooks) =>
      fc.tuple(fc.constant(webhooks), fc.shuffledSubarray(webhooks, { minLength: webhooks.length }), fc.nat(6)),
    );
    const named = (webhooks: readonly GenericWebhook[], tag: string): GenericWebhook[] =>
      webhooks.map(({ id, receivedAt, body }) => ({
        receivedAt,
        id: id.replace('T', tag),
        body: {
          ...body,
          call_id: String(body.call_id).replace('T', tag),
          ...(body.parent_call_id !== undefined && { parent_call_id: String(body.parent_call_id).replace('T', tag) }),
        },
      }));

    await fc.assert(
      fc.asyncProperty(traffic, async ([webhooks, shuffled, cut]) => {
        round += 1;
        const [a, b] = [`a${round}`, `b${round}`];
        await deliver(first, carrier, named(webhooks, a));
        await drainAll([first]);
        await deliver(first, carrier, named(shuffled.slice(0, cut), b));
        await Promise.all(inboxes.map((inbox) => inbox.ingestion.drain()));
        await deliver(first, carrier, named([...shuffled.slice(cut), ...shuffled], b));
        await drainAll(inboxes);
        await queueAgain(first.db, await first.db('inbound_webhooks').whereLike('delivery_key', `${b}-%`).pluck('id'));
        await drainAll(inboxes);

        expect(await recordsOf(b)).to.deep.equal(await recordsOf(a));
      }),
      { numRuns: 40 },
    );
  });

  it('tells each stated fact once, with seq in the order of the log', async () => {
    const { first, accountId } = await world;

    const { rows } = await first.db.raw(
      `select subject_id, type, count(*) as count from events
       where account_id = ? and type <> 'call.updated' group by 1, 2 having count(*) > 1`,
      [accountId],
    );
    const counter = await first.db('account_counters').where({ account_id: accountId }).first();
    const events = await first.db('events').where({ account_id: accountId }).orderBy('seq').pluck('seq');

    expect(rows).to.deep.equal([]);
    expect(events).to.deep.equal(Array.from({ length: counter.seq }, (_, place) => place + 1));
  });

  it('keeps each event in its call’s timeline, under the seq that it has in the log', async () => {
    const { first } = await world;

    const { rows } = await first.db.raw(
      `select e.subject_id, e.seq, e.type from events e where e.type like 'call.%'
       except select c.id, t.seq, t.type from call_logs c
         cross join lateral json_to_recordset(c.timeline) as t (seq bigint, type text)`,
    );
    const { rows: kept } = await first.db.raw(
      'select sum(json_array_length(timeline)) as entries, (select count(*) from events) as events from call_logs',
    );

    expect(rows).to.deep.equal([]);
    expect(Number(kept[0].entries)).to.equal(Number(kept[0].events));
  });

  it('leaves the last event of a call showing the call log', async () => {
    const { first, accountId } = await world;

    const { rows } = await first.db.raw(
      `select c.id from call_logs c join lateral (
         select payload from events e where e.account_id = c.account_id and e.subject_id = c.id order by seq desc limit 1) e on true
       where c.account_id = ? and ((e.payload->>'duration')::int, e.payload->>'status', e.payload->>'disposition',
         (e.payload->>'started_at')::timestamptz, (e.payload->>'ended_at')::timestamptz, e.payload->>'hangup_cause')
         is distinct from (c.duration, c.status, c.disposition, c.started_at, c.ended_at, c.hangup_cause)`,
      [accountId],
    );

    expect(rows).to.deep.equal([]);
  });

  const webhook = (callId: string, type: string, body: Record<string, unknown> = {}): GenericWebhook => ({
    id: newId(),
    receivedAt: BASE + 60_000,
    body: { type, call_id: callId, direction: 'incoming', from: '+12025550143', to: '+12025550100', ...body },
  });
  const statusOf = async (webhookId: string) => {
    const { first } = await world;
    return first.db('seen_webhooks').where({ delivery_key: webhookId }).first();
  };

  it('keeps a webhook for a number that nobody holds, and takes it up when the number is claimed', async () => {
    const { first, accountId, carrier } = await world;
    const early = webhook('unheld-1', 'call.ringing', { to: '+12025550188', occurred_at: iso(BASE) });
    await deliver(first, carrier, [early]);
    await drainAll([first]);
    expect(await statusOf(early.id)).to.include({ status: 'ignored', code: 'unknown_number', call_log_id: null });

    await makeNumber(first.db, accountId, '+12025550188', BASE + 1000);
    await first.ingestion.tellClaimed(['+12025550188']);
    await drainAll([first]);

    const row = await statusOf(early.id);
    expect(row).to.include({ status: 'processed', code: null, account_id: accountId });
    expect(row.call_log_id).to.be.a('string');
  });

  it('waits with a child whose number nobody holds for its parent, and gives it the parent’s place', async () => {
    const { first, accountId, carrier, number } = await world;
    const child = webhook('child-1', 'call.ringing', {
      direction: 'outgoing',
      from: '1002',
      to: '1003',
      parent_call_id: 'parent-1',
    });
    await deliver(first, carrier, [child]);
    await drainAll([first]);
    expect(await statusOf(child.id)).to.include({ status: 'waiting', code: 'unknown_parent' });

    await deliver(first, carrier, [webhook('parent-1', 'call.ringing')]);
    await drainAll([first]);

    const parent = await first.db('call_logs').where({ carrier_call_id: 'parent-1' }).first();
    const log = await first.db('call_logs').where({ carrier_call_id: 'child-1' }).first();
    expect(log).to.include({
      parent_call_log_id: parent.id,
      account_id: accountId,
      virtual_number: number,
      direction: 'outgoing',
    });
    expect(await statusOf(child.id)).to.include({ status: 'processed', call_log_id: log.id });
  });

  it('makes a call log of webhooks that only together say which call it is, in one batch or one by one', async () => {
    const { first, carrier } = await world;
    const halves = (call: string): GenericWebhook[] => [
      { ...webhook(call, 'call.answered'), body: { type: 'call.answered', call_id: call } },
      { ...webhook(call, 'call.updated'), body: { type: 'call.updated', call_id: call, direction: 'incoming' } },
      {
        ...webhook(call, 'call.updated'),
        body: { type: 'call.updated', call_id: call, from: '+12025550143', to: '+12025550100' },
      },
    ];
    await deliver(first, carrier, halves('halves-together'));
    await drainAll([first]);
    const apart = halves('halves-apart');
    for (const half of apart) {
      await deliver(first, carrier, [half]);
      await drainAll([first]);
    }

    const place = ['direction', 'status', 'caller_number', 'called_number', 'answered_at'] as const;
    const calls = await first.db('call_logs').whereLike('carrier_call_id', 'halves-%').select(place);
    expect(calls).to.have.lengthOf(2);
    expect(calls[0]).to.include({ direction: 'incoming', status: 'answered', called_number: '+12025550100' });
    expect(calls[1]).to.deep.equal(calls[0]);
    for (const half of apart) expect(await statusOf(half.id)).to.include({ status: 'processed', code: null });
  });

  it('does not let a webhook wait anew because another came that says too little', async () => {
    const { first, carrier } = await world;
    const bare = (): GenericWebhook => ({
      ...webhook('bare-1', 'call.ringing'),
      body: { type: 'call.ringing', call_id: 'bare-1' },
    });
    const early = bare();
    await deliver(first, carrier, [early]);
    await drainAll([first]);
    const waitingSince = (await statusOf(early.id)).processed_at;
    first.clock.time += 300_000;
    await deliver(first, carrier, [bare()]);
    await drainAll([first]);

    expect(await statusOf(early.id)).to.deep.include({ status: 'waiting', processed_at: waitingSince });
  });

  it('tells a parent that is found later as call.updated', async () => {
    const { first, carrier } = await world;
    await deliver(first, carrier, [webhook('child-2', 'call.ringing', { parent_call_id: 'parent-2' })]);
    await drainAll([first]);
    await deliver(first, carrier, [webhook('parent-2', 'call.ringing')]);
    await drainAll([first]);

    const parent = await first.db('call_logs').where({ carrier_call_id: 'parent-2' }).first();
    const child = await first.db('call_logs').where({ carrier_call_id: 'child-2' }).first();
    const types = child.timeline.map((entry: { type: string }) => entry.type);

    expect(child.parent_call_log_id).to.equal(parent.id);
    expect(types).to.deep.equal(['call.ringing', 'call.updated']);
  });

  it('passes over what waited ten minutes, and takes it up when the missing one comes after all', async () => {
    const { first, carrier } = await world;
    const note = webhook('late-1', 'call.updated', { price: '0.5', currency: 'USD' });
    await deliver(first, carrier, [note]);
    await drainAll([first]);
    expect(await statusOf(note.id)).to.include({ status: 'waiting', code: 'unknown_call' });
    first.clock.time += 601_000;
    await runJob(first.ingestion, 'sweep-waiting');
    expect(await statusOf(note.id)).to.include({ status: 'ignored', code: 'unknown_call' });

    await deliver(first, carrier, [webhook('late-1', 'call.ringing')]);
    await drainAll([first]);

    const call = await first.db('call_logs').where({ carrier_call_id: 'late-1' }).first();
    expect(call).to.include({ price: '0.5', currency: 'USD' });
    expect(await statusOf(note.id)).to.include({ status: 'processed', call_log_id: call.id });
  });

  it('takes up a waiting webhook whose row is held by another while its call is made', async () => {
    const { first, carrier } = await world;
    const note = webhook('held-1', 'call.updated', { price: '0.25', currency: 'USD' });
    await deliver(first, carrier, [note]);
    await drainAll([first]);
    const { id } = await statusOf(note.id);
    await deliver(first, carrier, [webhook('held-1', 'call.ringing')]);

    let draining: Promise<void> | undefined;
    await first.db.transaction(async (holder) => {
      await holder.raw('select 1 from inbound_webhooks where id = ? for update', [id]);
      draining = drainAll([first]);
      await until('the worker waits for the held row', async () => {
        const { rows } = await first.db.raw(
          `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%take_up_webhooks(%'`,
        );
        return rows.length > 0;
      });
    });
    await draining;

    expect(await statusOf(note.id)).to.include({ status: 'processed' });
    expect(await first.db('call_logs').where({ carrier_call_id: 'held-1' }).first()).to.include({ price: '0.25' });
  });

  it('closes a silent call as lost, and lets a late end replace it', async () => {
    const { first, carrier } = await world;
    const at = first.clock.time;
    await deliver(first, carrier, [
      { ...webhook('lost-1', 'call.answered', { occurred_at: iso(at) }), receivedAt: at },
    ]);
    await drainAll([first]);
    first.clock.time += 14_400_000;
    await runJob(first.ingestion, 'close-lost-calls');
    const lost = await first.db('call_logs').where({ carrier_call_id: 'lost-1' }).first();
    expect(lost).to.include({ status: 'ended', disposition: 'lost', duration: 0 });
    expect(lost.ended_at.getTime()).to.equal(at);

    const end = webhook('lost-1', 'call.ended', { occurred_at: iso(at + 30_000), duration: 25 });
    await deliver(first, carrier, [{ ...end, receivedAt: first.clock.time }]);
    await drainAll([first]);

    const ended = await first.db('call_logs').where({ carrier_call_id: 'lost-1' }).first();
    expect(ended).to.include({ status: 'ended', disposition: 'completed', duration: 25 });
    expect(ended.timeline.map((entry: { type: string }) => entry.type)).to.deep.equal([
      'call.answered',
      'call.updated',
      'call.ended',
    ]);
  });

  it('answers a party that nobody told as null, and one that is no number as sent', async () => {
    const { first, carrier, number } = await world;
    const [{ from: _, ...silent }, at] = [{ from: '', to: number, direction: 'incoming' }, BASE + 60_000];
    const body = (call: string, more: object) => ({
      type: 'call.ringing',
      call_id: `party-${call}`,
      ...silent,
      ...more,
    });
    await deliver(first, carrier, [
      { id: 'party-1', receivedAt: at, body: body('none', {}) },
      { id: 'party-2', receivedAt: at, body: body('blank', { from: '' }) },
      { id: 'party-3', receivedAt: at, body: body('word', { from: 'unknown' }) },
    ]);
    await drainAll([first]);

    const rows = await first.db('call_logs').where('carrier_call_id', 'like', 'party-%').orderBy('carrier_call_id');
    expect(rows.map((row) => [row.carrier_call_id, row.caller_number, row.country])).to.deep.equal([
      ['party-blank', null, null],
      ['party-none', null, null],
      ['party-word', 'unknown', null],
    ]);
  });

  it('keeps a webhook with an impossible time as failed', async () => {
    const { first, carrier } = await world;
    const ahead = webhook('ahead-1', 'call.ringing', { occurred_at: iso(BASE + 60_000 + 86_400_001) });
    await deliver(first, carrier, [ahead]);
    await drainAll([first]);

    expect(await statusOf(ahead.id)).to.include({ status: 'failed', code: 'impossible_time' });
  });
});

describe('the drain of what this process has stored', function () {
  this.timeout(60_000);
  const world = (async () => {
    const opened = await openInboxes(1);
    return { ...opened, carrierId: await makeGenericCarrier(opened.first, null) };
  })();
  after(async () => (await world).close());
  afterEach(async () => {
    const { first } = await world;
    for (const table of ['inbound_webhooks', 'webhook_arrivals', 'webhook_outcomes']) await first.db(table).delete();
  });

  /** A drain with a memory of its own, and how often it has claimed from the inbox. */
  async function openDrain(more: Pick<DrainDeps, 'thread' | 'claimAllEveryMs'> = {}) {
    const { db, events, carriers, clock, platform } = (await world).first;
    const fresh = createFreshWebhooks();
    let claims = 0;
    const hear = ({ sql }: { sql: string }): void => {
      if (/claim_pending_webhooks/.test(sql)) claims += 1;
    };
    db.on('query', hear);
    const drain = createDrain({
      ...{ db, carriers, clock, fresh, eventLog: events.log, log: platform.log, ...more },
      calls: createCallsWriter(clock),
      callIds: async () => null,
      metrics: createIngestionMetrics(createMetrics()),
    });
    return { drain, fresh, claims: () => claims, stop: () => db.removeListener('query', hear) };
  }

  /** As they come together. */
  const groupsOf = (webhooks: readonly NewWebhook[]): NewWebhook[][] =>
    Array.from({ length: Math.ceil(webhooks.length / 100) }, (_, group) =>
      webhooks.slice(group * 100, (group + 1) * 100),
    );

  const hold = (fresh: FreshWebhooks, webhooks: readonly NewWebhook[]): void => {
    for (const group of groupsOf(webhooks)) fresh.put(group);
  };

  /** Those of numbers that nobody holds, in the inbox. */
  async function store(count: number): Promise<NewWebhook[]> {
    const { first, carrierId } = await world;
    const webhooks = Array.from({ length: count }, (): NewWebhook => {
      const id = newId();
      const body = {
        type: 'call.ringing',
        call_id: id,
        direction: 'incoming',
        from: '+12025550143',
        to: '+12025550177',
      };
      return {
        ...{ id, carrierId, accountId: null, provider: 'generic', deliveryKey: id },
        ...{ status: 'pending', code: null, detail: null, method: 'POST', path: '/', headers: {} },
        ...{ body: Buffer.from(JSON.stringify(body)), receivedAt: BASE },
      };
    });
    for (const group of groupsOf(webhooks)) await insertWebhooks(first.db, group);
    return webhooks;
  }

  const isGoingOn = (): boolean => false;

  it('does not lead into the inbox, however full its batches are', async () => {
    const { drain, fresh, claims, stop } = await openDrain();
    hold(fresh, await store(1100));
    const done = await drain.fresh(isGoingOn);
    stop();

    expect([done, fresh.count(), claims()]).to.deep.equal([1100, 0, 0]);
  });

  it('ends with what memory held as it began, up to a full batch, whatever comes meanwhile', async () => {
    const { drain, fresh, stop } = await openDrain();
    const [early, late] = [await store(501), await store(1000)];
    hold(fresh, early);
    const done = await drain.fresh(() => {
      hold(fresh, late.splice(0, 500));
      return false;
    });
    stop();

    // Five groups of a hundred; then the one that is left, with four of those that have come.
    expect([done, fresh.count()]).to.deep.equal([901, 600]);
  });

  it('finds what another worker has taken, and whatever it took with it, in the inbox', async () => {
    const { drain, fresh, claims, stop } = await openDrain();
    const [taken, left] = [...(await store(1)), ...(await store(1))] as [NewWebhook, NewWebhook];
    fresh.put([taken]);
    fresh.put([left]);
    const { first } = await world;
    await first.db('webhook_arrivals').where({ id: taken.id }).delete();
    const done = await drain.fresh(isGoingOn);
    stop();

    expect([done, claims()]).to.deep.equal([1, 1]);
  });

  it('is claimed whole or not at all: what another worker holds or has worked off is left to that', async () => {
    const { db } = (await world).first;
    const [one, other] = [...(await store(1)), ...(await store(2))] as [NewWebhook, NewWebhook, NewWebhook];
    const arrivals = [one.id, other.id];
    const claim = (): Promise<void> => db.transaction((tx) => run(tx, claimArrivals(arrivals)));

    const holder = await db.transaction();
    await run(holder, claimArrivals([other.id]));
    expect(await failureOf(claim())).to.satisfy(isTakenElsewhere);
    await holder.rollback();
    await claim();
    expect(await failureOf(claim())).to.satisfy(isTakenElsewhere);
  });

  it('is not read by a look into the inbox that finds nothing else', async () => {
    const { drain, fresh, claims, stop } = await openDrain();
    hold(fresh, await store(1100));
    const done = await drain.all(isGoingOn);
    stop();

    expect([done, fresh.count(), claims()]).to.deep.equal([0, 1100, 1]);
  });

  it('is left to memory by a look into all of the inbox that finds nothing else', async () => {
    const { drain, fresh, claims, stop } = await openDrain({ claimAllEveryMs: 0 });
    hold(fresh, await store(1100));
    const done = await drain.all(isGoingOn);
    stop();

    expect([done, fresh.count(), claims()]).to.deep.equal([500, 600, 1]);
  });

  it('keeps those waiting whose clock is ahead only until all of the inbox is looked into', async () => {
    const { drain, fresh, claims, stop } = await openDrain({ claimAllEveryMs: 20 });
    const [held, ahead] = (await store(2)) as [NewWebhook, NewWebhook];
    fresh.put([held]);
    const first = await drain.all(isGoingOn);
    await until('it is claimed', async () => {
      await drain.all(isGoingOn);
      const { first: inbox } = await world;
      const [row] = await inbox.db('seen_webhooks').where({ id: ahead.id });
      return row?.status !== 'pending';
    });
    stop();

    expect([first, fresh.count(), claims() > 1]).to.deep.equal([0, 0, true]);
  });

  it('keeps nobody else in the inbox waiting: a look goes on while it finds what memory does not hold', async () => {
    const { drain, fresh, claims, stop } = await openDrain();
    await store(501);
    hold(fresh, await store(1200));
    const done = await drain.all(isGoingOn);
    stop();

    expect([done, fresh.count(), claims()]).to.deep.equal([501, 1200, 2]);
  });

  it('is in hand from the moment it is taken until it is worked off', async () => {
    const { drain, fresh, stop } = await openDrain();
    hold(fresh, await store(3));
    const before = drain.held();
    const run = drain.fresh(isGoingOn);
    const meanwhile = drain.held();
    await run;
    stop();

    expect(before).to.deep.equal({ underWay: 0, waiting: 3 });
    expect(meanwhile).to.deep.equal({ underWay: 3, waiting: 0 });
    expect(drain.held()).to.deep.equal({ underWay: 0, waiting: 0 });
  });

  describe('of which crowds go to a thread', () => {
    /** A thread that is done with a batch when it is told to be. */
    async function openBeside() {
      const asked: { readonly count: number; end(): void }[] = [];
      const workOff = (pack: () => readonly PackedWebhooks[]): Promise<Batch> | null => {
        if (asked.length - ended >= 2) return null;
        const webhooks = pack().flatMap(unpackWebhooks);
        const outcomes = webhooks.map(() => ({ status: 'processed', code: null }) as const);
        return new Promise((resolve) => {
          const end = (): void => {
            ended += 1;
            resolve({ webhooks, delays: webhooks.map(() => null), outcomes, takenUp: 0 });
          };
          asked.push({ count: webhooks.length, end });
        });
      };
      let ended = 0;
      const counts = (): number[] => asked.map(({ count }) => count);
      return { ...(await openDrain({ thread: { workOff } })), counts, end: (place: number) => asked[place]?.end() };
    }

    const crowd = (count: number): NewWebhook[] =>
      Array.from({ length: count }, () => ({
        ...{ id: newId(), carrierId: newId(), accountId: null, provider: 'generic', deliveryKey: newId() },
        ...{ status: 'pending', code: null, detail: null, method: 'POST', path: '/', headers: {} },
        ...{ body: Buffer.from('{}'), receivedAt: BASE },
      }));

    it('hands the next one over before the one before it is done, and no third', async () => {
      const { drain, fresh, counts, end, stop } = await openBeside();
      for (let group = 0; group < 12; group += 1) fresh.put(crowd(100));
      const run = drain.fresh(isGoingOn);
      await nextTurn();
      expect([counts(), drain.held()]).to.deep.equal([[500, 500], { underWay: 1000, waiting: 200 }]);
      end(0);
      await nextTurn();
      expect(counts()).to.deep.equal([500, 500]);
      fresh.put(crowd(200));
      await nextTurn();
      expect(counts()).to.deep.equal([500, 500, 400]);
      end(1);
      end(2);
      stop();

      expect(await run).to.equal(1400);
      expect(drain.held()).to.deep.equal({ underWay: 0, waiting: 0 });
    });

    it('hands over a full batch that comes while the thread works, and leaves fewer to gather', async () => {
      const { drain, fresh, counts, end, stop } = await openBeside();
      fresh.put(crowd(100));
      const run = drain.fresh(isGoingOn);
      fresh.put(crowd(399));
      await nextTurn();
      expect(counts()).to.deep.equal([100]);
      fresh.put(crowd(1));
      await nextTurn();
      expect(counts()).to.deep.equal([100, 400]);
      fresh.put(crowd(150));
      end(0);
      end(1);
      stop();

      expect([await run, fresh.count()]).to.deep.equal([500, 150]);
    });

    it('goes on at once with half a batch when the thread has nothing left', async () => {
      const { drain, fresh, counts, end, stop } = await openBeside();
      fresh.put(crowd(100));
      const run = drain.fresh(isGoingOn);
      fresh.put(crowd(200));
      end(0);
      await nextTurn();
      expect(counts()).to.deep.equal([100, 200]);
      end(1);
      stop();

      expect(await run).to.equal(300);
    });

    it('begins no other when the inbox is to be looked into, and waits for what the thread has', async () => {
      const { drain, fresh, counts, end, stop } = await openBeside();
      fresh.put(crowd(100));
      let isToLook = false;
      const run = drain.fresh(() => isToLook);
      isToLook = true;
      fresh.put(crowd(400));
      await nextTurn();
      expect(counts()).to.deep.equal([100]);
      end(0);
      stop();

      expect([await run, fresh.count()]).to.deep.equal([100, 400]);
    });
  });

  it('is in hand as well where it was found in the inbox', async () => {
    const { drain, stop } = await openDrain();
    const { first } = await world;
    await store(3);
    const holder = await first.db.transaction();
    await holder.raw('lock table call_logs in access exclusive mode');
    const run = drain.all(isGoingOn);
    await until('they are under way', () => drain.held().underWay === 3);
    await holder.rollback();
    await run;
    stop();

    expect(drain.held().underWay).to.equal(0);
  });
});
