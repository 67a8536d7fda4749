import { expect } from 'chai';
import type { NewWebhook } from '../../../src/features/ingestion/inbound-webhook.js';
import { countWebhooks, listWebhooks } from '../../../src/features/ingestion/inbound-webhooks.queries.js';
import {
  claimWebhooks,
  deleteOldWebhooks,
  queueAgain,
  readBacklog,
  settleOutcomes,
} from '../../../src/features/ingestion/inbox.repository.js';
import { insertWebhooks } from '../../../src/features/ingestion/inbox-inserts.js';
import { eraseNextWebhooks } from '../../../src/features/ingestion/webhook-erasure.js';
import type { WebhookFilters } from '../../../src/features/ingestion/webhook-filters.js';
import { newId } from '../../../src/lib/ids.js';
import { createNumberEraser } from '../../../src/lib/number-eraser.js';
import { until } from '../../support/until.js';
import { deliver, drainAll, makeAccount, makeGenericCarrier, makeNumber, openInboxes } from './inbox-bench.js';

const BASE = Date.UTC(2026, 4, 1, 12);
const NUMBER = '+12025550100';
const DAY = 86_400;

describe('the row of a webhook', function () {
  this.timeout(60_000);
  let count = 0;
  const world = (async () => {
    const opened = await openInboxes(1);
    const { first } = opened;
    const accountId = await makeAccount(first.db);
    await makeNumber(first.db, accountId, NUMBER, BASE - DAY * 1000);
    const own = { id: await makeGenericCarrier(first, accountId), accountId };
    const shared = { id: await makeGenericCarrier(first, null), accountId: null };
    return { ...opened, accountId, own, shared };
  })();
  after(async () => (await world).close());

  /** Stores webhooks of calls of their own, together. */
  async function store(carrier: 'own' | 'shared', webhooks: number, members = {}): Promise<string[]> {
    const { first, [carrier]: line } = await world;
    const keys = Array.from({ length: webhooks }, () => `once-${count++}`);
    const body = { type: 'call.ringing', direction: 'incoming', from: '+12025550143', to: NUMBER, ...members };
    await deliver(
      first,
      line,
      keys.map((id) => ({ id, receivedAt: BASE, body: { ...body, call_id: id } })),
    );
    return keys;
  }

  const version = `w.ctid::text || ' ' || w.xmin::text as version`;
  async function rowsOf(keys: readonly string[]) {
    const { rows } = await (await world).first.db.raw(
      `select s.*, ${version} from seen_webhooks s join inbound_webhooks w on w.id = s.id
       where s.delivery_key = any(?::text[]) order by s.id`,
      [[...keys]],
    );
    return rows;
  }
  const rowOf = async ([key]: readonly string[]) => (await rowsOf([key ?? '']))[0];
  const work = async (): Promise<void> => drainAll([(await world).first]);

  it('is written once, also when its webhook is processed', async () => {
    const keys = await store('own', 1);
    const before = await rowOf(keys);
    await work();
    const after = await rowOf(keys);

    const call = await (await world).first.db('call_logs').where({ carrier_call_id: keys[0] }).first();
    expect(before).to.include({ status: 'pending', call_log_id: null, event_type: null, processed_at: null });
    expect(after).to.include({ status: 'processed', call_log_id: call.id, event_type: 'call.ringing' });
    expect(after.processed_at).to.be.a('date');
    expect([after.stored_status, after.version]).to.deep.equal(['new', before.version]);
  });

  it('tells itself whose its webhook is when that is not known before', async () => {
    const { accountId } = await world;
    const keys = await store('shared', 1);
    await work();

    expect(await rowOf(keys)).to.include({ status: 'processed', stored_status: 'processed', account_id: accountId });
  });

  it('tells itself what came of a webhook that is of no call', async () => {
    const keys = await store('own', 1, { type: 'sms.received' });
    await work();

    expect(await rowOf(keys)).to.include({ status: 'ignored', stored_status: 'ignored', code: 'unknown_event' });
  });

  it('is waited for, where it is to be written, before what everybody needs is locked', async () => {
    const { first, accountId } = await world;
    await store('own', 1);
    const keys = await store('own', 1, { type: 'sms.received' });
    const holder = await first.db.transaction();
    await holder.raw('select 1 from inbound_webhooks where delivery_key = ? for update', keys);
    const working = work();
    await until('the worker waits for the row', async () => {
      const { rows } = await first.db.raw(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%from inbound_webhooks%for update%'`,
      );
      return rows.length > 0;
    });
    await first.db.transaction((tx) =>
      tx('account_counters').where({ account_id: accountId }).forUpdate().noWait().first(),
    );
    await holder.rollback();
    await working;

    expect(await rowOf(keys)).to.include({ status: 'ignored' });
  });

  it('tells itself what came of its webhook from the moment somebody is to write it', async () => {
    const keys = await store('own', 2);
    await work();
    const { db } = (await world).first;
    const seen = ({ stored_status, version: _, ...row }: Record<string, unknown>) => row;
    const before = await rowsOf(keys);
    const ids = before.map(({ id }: { id: string }) => id);
    await settleOutcomes(db, ids);
    const after = await rowsOf(keys);

    expect(after.map(seen)).to.deep.equal(before.map(seen));
    expect(after.map((row: { stored_status: string }) => row.stored_status)).to.deep.equal(['processed', 'processed']);
    expect(await db('webhook_outcomes').whereIn('webhook_id', ids)).to.deep.equal([]);
  });

  it('is processed once more when that is asked for, and the call stays the same', async () => {
    const keys = await store('own', 1);
    await work();
    const { db } = (await world).first;
    const before = await rowOf(keys);
    const call = () => db('call_logs').where({ carrier_call_id: keys[0] }).first();
    const was = await call();
    expect(await queueAgain(db, [before.id])).to.equal(1);
    expect(await rowOf(keys)).to.include({ status: 'pending', processed_at: null });
    await work();

    expect(await rowOf(keys)).to.include({ status: 'processed', call_log_id: before.call_log_id });
    expect(await call()).to.deep.equal(was);
  });

  it('stays with those that it came with when it is asked for before its turn', async () => {
    const keys = await store('own', 3);
    const { db } = (await world).first;
    const [row] = await rowsOf(keys);
    expect(await queueAgain(db, [row.id])).to.equal(1);
    expect((await readBacklog(db, 100)).count).to.equal(3);
    await work();

    expect((await rowsOf(keys)).map(({ status }: { status: string }) => status)).to.deep.equal(
      Array(3).fill('processed'),
    );
  });

  it('counts as waiting for a worker, up to what is asked for, and the oldest is told', async () => {
    const { db } = (await world).first;
    expect(await readBacklog(db, 100)).to.deep.equal({ count: 0, oldest: null });
    await store('own', 30);
    const [alone] = await rowsOf(await store('own', 1));
    await db.raw('select part_arrivals(?::uuid[])', [[alone.id]]);
    await db('inbound_webhooks')
      .where({ id: alone.id })
      .update({ received_at: new Date(BASE - 1) });

    expect((await rowOf([alone.delivery_key])).stored_status).to.equal('pending');
    expect(await readBacklog(db, 100)).to.deep.equal({ count: 31, oldest: BASE - 1 });
    expect((await readBacklog(db, 20)).count).to.equal(20);
    await work();
    expect(await readBacklog(db, 100)).to.deep.equal({ count: 0, oldest: null });
  });

  it('is found by its call, its state and its reason, wherever they are kept', async () => {
    const { first, accountId } = await world;
    const done = await store('own', 1);
    const [ignored] = await rowsOf(await store('own', 1, { type: 'sms.sent' }));
    await work();
    const [shared] = await rowsOf(await store('shared', 1));
    await work();
    const pending = await rowOf(await store('own', 1));
    const processed = await rowOf(done);
    const { call_log_id: sharedCall } = await rowOf([shared.delivery_key]);
    const named = [processed.id, ignored.id, shared.id, pending.id];
    const found = async (filters: WebhookFilters) => {
      const search = { scope: { accountId, withNobodys: false }, filters: [filters], after: null, limit: 10_000 };
      const rows = await listWebhooks(first.db, search);
      expect(await countWebhooks(first.db, search)).to.equal(rows.length);
      return rows.map(({ id }) => id).filter((id) => named.includes(id));
    };

    expect(await found({ call_log_id: [processed.call_log_id] })).to.deep.equal([processed.id]);
    expect(await found({ call_log_id: [sharedCall, processed.call_log_id] })).to.have.members([
      shared.id,
      processed.id,
    ]);
    expect(await found({ call_log_id: [null] })).to.have.members([ignored.id, pending.id]);
    expect(await found({ call_log_id: [null, sharedCall] })).to.have.members([ignored.id, pending.id, shared.id]);
    expect(await found({ status: ['processed'] })).to.have.members([processed.id, shared.id]);
    expect(await found({ status: ['pending'] })).to.deep.equal([pending.id]);
    expect(await found({ status: ['ignored', 'failed'] })).to.deep.equal([ignored.id]);
    expect(await found({ status: ['ignored', 'pending'] })).to.have.members([ignored.id, pending.id]);
    expect(await found({ code: ['unknown_event'] })).to.deep.equal([ignored.id]);
    await work();
  });

  it('holds no erased number, and neither does what came of it', async () => {
    const { first, accountId } = await world;
    const keys = await store('own', 1, { note: '+12025550143' });
    await work();
    const { id } = await rowOf(keys);
    await first.db('webhook_outcomes').where({ webhook_id: id }).update({ event_type: 'call.12025550143' });
    const eraser = createNumberEraser('+12025550143', 'erased');
    await first.db.transaction((tx) => eraseNextWebhooks(tx, { accountId, eraser, after: null, limit: 10_000 }));

    const { body, event_type } = await rowOf(keys);
    expect([JSON.parse(String(body)).note, event_type]).to.deep.equal(['erased', 'call.erased']);
  });

  it('waits with the others of its statement also where ignored ones beside it are to be looked into', async () => {
    const { first } = await world;
    const { db } = first;
    const accountId = await makeAccount(db);
    const carrierId = await makeGenericCarrier(first, accountId);
    const at = new Date(BASE);
    const unused = { pseudonym: 'erased', marks: [], status: 'done', step: 'done', changed: '{}' };
    await db('erasures').insert({ ...unused, id: newId(), account_id: accountId, created_at: at });
    const webhook = (status: 'pending' | 'ignored'): NewWebhook => ({
      ...{ id: newId(), carrierId, accountId, provider: 'generic', deliveryKey: newId(), status },
      ...{ code: status === 'ignored' ? 'carrier_inactive' : null, detail: null, method: 'POST', path: '/' },
      ...{ headers: {}, body: Buffer.from('{}'), receivedAt: BASE },
    });
    const [waiting, lookedInto] = [webhook('pending'), webhook('ignored')];
    await insertWebhooks(db, [waiting, lookedInto]);

    const [one, other] = await rowsOf([waiting.deliveryKey, lookedInto.deliveryKey]);
    expect([one.stored_status, other.stored_status]).to.deep.equal(['new', 'pending']);
    expect(await db('webhook_arrivals').where({ id: waiting.id })).to.deep.equal([
      { id: waiting.id, ids: [waiting.id] },
    ]);
    await work();
    expect((await rowOf([lookedInto.deliveryKey])).status).to.equal('ignored');
  });

  it('is claimed with all that it came with, by one worker', async () => {
    const { db } = (await world).first;
    const stored = [await store('own', 90), await store('own', 90), await store('own', 90)];
    const [one, other] = [await db.transaction(), await db.transaction()];
    const first = await claimWebhooks(one, 100);
    const second = await claimWebhooks(other, 100);
    const keysOf = (rows: readonly { delivery_key: string }[]) => rows.map((row) => row.delivery_key);
    expect(keysOf(first)).to.have.members(stored.slice(0, 2).flat());
    expect(keysOf(second)).to.have.members(stored[2] ?? []);
    await one.rollback();
    await other.rollback();
    expect((await readBacklog(db, 1000)).count).to.equal(270);
    await work();
  });

  it('is looked for until nothing waits, although claims differ from a batch in size', async () => {
    const { first } = await world;
    const keys: string[] = [];
    for (let group = 0; group < 13; group += 1) keys.push(...(await store('own', 90)));
    await first.ingestion.drain();

    const statuses = (await rowsOf(keys)).map(({ status }: { status: string }) => status);
    expect(statuses).to.deep.equal(Array(1170).fill('processed'));
  });

  it('goes with its outcome when its time is over, but not before it was processed', async () => {
    const { db } = (await world).first;
    const done = await store('own', 2);
    await work();
    const ids = (await rowsOf(done)).map(({ id }: { id: string }) => id);
    const waiting = await store('own', 2);
    await deleteOldWebhooks(db, BASE + 2 * DAY * 1000, DAY, 10_000);

    expect(await rowsOf(done)).to.deep.equal([]);
    expect(await db('webhook_outcomes').whereIn('webhook_id', ids)).to.deep.equal([]);
    expect(await rowsOf(waiting)).to.have.lengthOf(2);
    await work();
  });
});
