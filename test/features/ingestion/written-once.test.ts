import { expect } from 'chai';
import {
  claimWebhooks,
  deleteOldWebhooks,
  queueAgain,
  readBacklog,
  settleOutcomes,
} from '../../../src/features/ingestion/inbox.repository.js';
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
