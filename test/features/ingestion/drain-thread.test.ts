import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { createCallsWriter } from '../../../src/features/calls/index.js';
import { EVENTS_TOPIC } from '../../../src/features/events/index.js';
import { unpackWebhooks } from '../../../src/features/ingestion/batch-messages.js';
import { createDrain } from '../../../src/features/ingestion/drain.js';
import { createFreshWebhooks, type FreshWebhooks } from '../../../src/features/ingestion/fresh-webhooks.js';
import type { NewWebhook } from '../../../src/features/ingestion/inbound-webhook.js';
import { insertWebhooks } from '../../../src/features/ingestion/inbox-inserts.js';
import type { StartThread } from '../../../src/features/ingestion/index.js';
import { createIngestionMetrics } from '../../../src/features/ingestion/ingestion-metrics.js';
import { newId } from '../../../src/lib/ids.js';
import { createMetrics } from '../../../src/platform/metrics.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { until } from '../../support/until.js';
import { type Inbox, makeAccount, makeGenericCarrier, makeNumber, openInbox, settingsOf } from './inbox-bench.js';

const BASE = Date.UTC(2026, 4, 1, 12);
const NUMBER = '+12025550100';
const STATES = ['call.initiated', 'call.ringing', 'call.answered', 'call.ended'];
const ENTRY = new URL('../../../src/drain-thread.ts', import.meta.url);
/** Their webhooks are stored by one statement, and a crowd. */
const CALLS = 50;

/** Stored and in memory, as if by the door. */
async function hold({ db }: Inbox, carrierId: string, count: number): Promise<FreshWebhooks> {
  const fresh = createFreshWebhooks();
  const webhooks = Array.from({ length: count }, (_, call): NewWebhook => {
    const body = {
      ...{ type: 'call.answered', call_id: `held-${call}`, direction: 'incoming' },
      to: NUMBER,
      from: NUMBER,
    };
    return {
      ...{
        id: newId(),
        carrierId,
        accountId: null,
        provider: 'generic',
        deliveryKey: `held-${call}`,
        status: 'pending',
      },
      ...{ code: null, detail: null, method: 'POST', path: '/', headers: { 'content-type': 'application/json' } },
      ...{ body: Buffer.from(JSON.stringify(body)), receivedAt: BASE },
    };
  });
  await insertWebhooks(db, webhooks);
  fresh.put(webhooks);
  return fresh;
}

describe('a crowd whose thread fails', () => {
  let database: TestDatabase;
  let inbox: Inbox;
  before(async () => {
    database = await createTestDatabase();
    inbox = await openInbox(database.url);
  });
  after(async () => {
    await inbox.close();
    await database.drop();
  });

  it('is found in the inbox at once', async () => {
    const { db, platform, events, carriers, clock } = inbox;
    const accountId = await makeAccount(db);
    await makeNumber(db, accountId, NUMBER, BASE - 86_400_000);
    const fresh = await hold(inbox, await makeGenericCarrier(inbox, accountId), 150);
    const asked: number[] = [];
    const drain = createDrain({
      ...{ db, carriers, clock, fresh, eventLog: events.log, calls: createCallsWriter(clock), log: platform.log },
      ...{ callIds: async () => null, metrics: createIngestionMetrics(createMetrics()) },
      thread: {
        workOff(pack) {
          asked.push(pack().flatMap(unpackWebhooks).length);
          return Promise.reject(new Error('no good'));
        },
      },
    });

    expect(await drain.fresh(() => false)).to.equal(150);
    expect(asked).to.deep.equal([150]);
    expect(await db('call_logs').whereLike('carrier_call_id', 'held-%')).to.have.lengthOf(150);
  });
});

describe('crowds in a thread of their own', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let inbox: Inbox;
  let carrierId: string;
  let accountId: string;
  const threads: Worker[] = [];
  const ready = new Set<Worker>();
  let start: StartThread;

  before(async () => {
    database = await createTestDatabase();
    start = () => {
      const thread = new Worker(`import('tsx/esm/api').then(({ register }) => (register(), import('${ENTRY}')))`, {
        ...{ eval: true, workerData: { databaseUrl: database.url } },
        env: { ...settingsOf(database.url), LOG_LEVEL: 'fatal' },
      });
      threads.push(thread);
      thread.on('message', ({ kind }) => kind === 'ready' && ready.add(thread));
      return thread;
    };
    inbox = await openInbox(database.url, {}, start);
    accountId = await makeAccount(inbox.db);
    await makeNumber(inbox.db, accountId, NUMBER, BASE - 86_400_000);
    carrierId = await makeGenericCarrier(inbox, accountId);
    inbox.ingestion.watch();
  });
  after(async () => {
    await inbox.close();
    await database.drop();
  });

  const crowd = (name: string) =>
    Array.from({ length: CALLS }, (_, call) => `${name}-${call}`).flatMap((call) =>
      STATES.map((type, place) => ({
        ...{ name: `${call}-${place}`, path: '', receivedAt: BASE + place * 1000 },
        headers: { 'content-type': 'application/json', 'webhook-id': `${call}-${place}` },
        body: Buffer.from(
          JSON.stringify({
            ...{ type, call_id: call, direction: 'incoming', from: '+12025550143', to: NUMBER, note: 'Grüße 📞' },
            occurred_at: new Date(BASE + place * 1000).toISOString(),
          }),
        ),
      })),
    );

  /** Stores a crowd and waits until all of it is worked off; answers how many batches of it were written here. */
  async function store(name: string, meanwhile?: () => Promise<void>): Promise<number> {
    let here = 0;
    const hear = ({ sql }: { sql: string }): void => {
      if (/insert into call_logs/.test(sql)) here += 1;
    };
    inbox.db.on('query', hear);
    await inbox.ingestion.importWebhooks(carrierId, crowd(name));
    await meanwhile?.();
    await until('all are worked off', async () => {
      const left = await inbox
        .db('seen_webhooks')
        .whereLike('delivery_key', `${name}-%`)
        .whereNot('status', 'processed');
      return left.length === 0;
    });
    inbox.db.removeListener('query', hear);
    return here;
  }

  /** Until one is up, crowds are worked off here. */
  async function inThread(name: string): Promise<void> {
    let round = 0;
    await until('a crowd is worked off beside', async () => (await store(`${name}-${round++}`)) === 0, 30_000);
  }

  /** Each fact is told once, in the calls and in the account's log, which has no gap. */
  async function expectExact(name: string): Promise<void> {
    const calls = await inbox.db('call_logs').whereLike('carrier_call_id', `${name}-%`);
    expect(calls).to.have.lengthOf(CALLS);
    for (const { status, timeline } of calls) {
      expect(status).to.equal('ended');
      const types = timeline.map((entry: { type: string }) => entry.type);
      expect(types.filter((type: string) => type !== 'call.updated').toSorted()).to.deep.equal(STATES.toSorted());
    }
    const counter = await inbox.db('account_counters').where({ account_id: accountId }).first();
    const seqs = await inbox.db('events').where({ account_id: accountId }).orderBy('seq').pluck('seq');
    expect(seqs).to.deep.equal(Array.from({ length: Number(counter?.seq) }, (_, place) => place + 1));
  }

  it('are worked off as they would be here, and whoever listens here is told where to look', async () => {
    await inThread('first');
    const heard: { accountId: string; seq: number }[] = [];
    const stop = inbox.platform.wakeups.subscribe(EVENTS_TOPIC, (hint) => heard.push(...(hint as typeof heard)));
    expect(await store('told')).to.equal(0);

    await expectExact('told');
    const counter = await inbox.db('account_counters').where({ account_id: accountId }).first();
    await until('it was told', () => heard.some((hint) => hint.seq === counter?.seq && hint.accountId === accountId));
    stop();
  });

  it('count in the metrics as any other', async () => {
    await inThread('counted');
    const webhooks = await inbox.db('seen_webhooks').count({ count: '*' }).first();
    await until('all were counted', async () => {
      const told = await inbox.platform.metrics.registry.metrics();
      const counted = /webhooks_processed_total\{provider="generic",status="processed",code=""\} (\d+)/.exec(told);
      return Number(counted?.[1]) === Number(webhooks?.count);
    });
  });

  it('are worked off here, down to the one that spoils them, when they cannot be there', async () => {
    await inThread('good');
    await inbox.db.raw(`alter table call_logs add constraint no_bad check (carrier_call_id <> 'bad-7') not valid`);
    const storing = store('bad');
    const bad = () =>
      inbox
        .db<{ delivery_key: string; attempts: number; status: string; next_attempt_at: Date | null }>(
          'inbound_webhooks',
        )
        .whereLike('delivery_key', 'bad-7-%');
    await until('the bad ones are put off', async () => {
      const rows = await bad();
      return (
        rows.length === STATES.length && rows.every(({ attempts, status }) => attempts > 0 && status === 'pending')
      );
    });
    await inbox.db.raw('alter table call_logs drop constraint no_bad');
    await bad().update({ next_attempt_at: null });
    await inbox.ingestion.drain();
    await storing;

    await expectExact('bad');
  });

  it('leave no thread behind when the process ends', async () => {
    const begun = threads.length;
    const other = await openInbox(database.url, {}, start);
    other.ingestion.watch();
    let round = 0;
    await until('a thread is begun', async () => {
      await other.ingestion.importWebhooks(carrierId, crowd(`other-${round++}`));
      return threads.length > begun;
    });
    const [last] = threads.slice(-1) as [Worker];
    await until('it is up', () => ready.has(last));
    let code: number | undefined;
    last.once('exit', (given) => {
      code = given;
    });
    await other.close();

    expect(code).to.equal(0);
  });

  it('are worked off once although the thread dies over them', async () => {
    await inThread('alive');
    const [last] = threads.slice(-1) as [Worker];
    const before = threads.length;
    const holder = await inbox.db.transaction();
    await holder.raw('lock table call_logs in share row exclusive mode');
    await store('dies', async () => {
      await until('the thread waits for the lock', async () => {
        const { rows } = await inbox.db.raw(
          `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%call_logs%' and datname = current_database()`,
        );
        return rows.length > 0;
      });
      await last.terminate();
      await holder.rollback();
    });

    await expectExact('dies');
    expect(threads).to.have.lengthOf(before);
  });
});
