import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { unpackWebhooks } from '../../../src/features/ingestion/batch-messages.js';
import { createFreshWebhooks, type FreshWebhooks } from '../../../src/features/ingestion/fresh-webhooks.js';
import { type NewWebhook, toPending } from '../../../src/features/ingestion/inbound-webhook.js';
import { newId } from '../../../src/lib/ids.js';
import { until } from '../../support/until.js';
import { type Inbox, makeAccount, makeGenericCarrier, makeNumber, openInboxes } from './inbox-bench.js';

const webhook = (more: Partial<NewWebhook> = {}): NewWebhook => ({
  ...{ id: newId(), carrierId: newId(), accountId: null, provider: 'generic', deliveryKey: newId() },
  ...{ status: 'pending', code: null, detail: null, method: 'POST', path: '/', headers: {} },
  ...{ body: Buffer.from('{}'), receivedAt: 0, ...more },
});

describe('the webhooks in memory', () => {
  const idsOf = (webhooks: readonly { id: string }[]): string[] => webhooks.map(({ id }) => id);

  /** What comes out is told in three ways that must say the same. */
  function take(fresh: FreshWebhooks, most: number): readonly string[] {
    const taken = fresh.take(most);
    if (!taken) return [];
    expect(idsOf(taken.groups().flat())).to.deep.equal(taken.ids);
    expect(idsOf(taken.packed().flatMap(unpackWebhooks))).to.deep.equal(taken.ids);
    return taken.ids;
  }

  for (const isToWait of [false, true]) {
    describe(isToWait ? 'packed' : 'as they are', () => {
      it('are handed out once, the oldest first', () => {
        const fresh = createFreshWebhooks();
        const [first, second, third] = [webhook(), webhook(), webhook()];
        fresh.put([first, second], isToWait);
        fresh.put([third], isToWait);

        expect(take(fresh, 2)).to.deep.equal([first.id, second.id]);
        expect(take(fresh, 2)).to.deep.equal([third.id]);
        expect(take(fresh, 2)).to.deep.equal([]);
        expect(fresh.count()).to.equal(0);
        expect(fresh.forget([first.id])).to.equal(0);
      });

      it('are those that came together, as many of them as are wanted at most, or one group', () => {
        const fresh = createFreshWebhooks();
        const groups = [3, 2, 1].map((count) => Array.from({ length: count }, () => webhook()));
        for (const group of groups) fresh.put(group, isToWait);

        expect(take(fresh, 2)).to.deep.equal(idsOf(groups[0] ?? []));
        expect(take(fresh, 3)).to.deep.equal(idsOf(groups.slice(1).flat()));
      });

      it('are only those that wait for a worker, and not those that were found in the inbox', () => {
        const fresh = createFreshWebhooks();
        const [ignored, found, left] = [webhook({ status: 'ignored' }), webhook(), webhook()];
        fresh.put([ignored, found, left], isToWait);

        expect(fresh.forget([found.id, ignored.id, newId()])).to.equal(1);
        expect(fresh.count()).to.equal(1);
        expect(take(fresh, 10)).to.deep.equal([left.id]);
      });

      it('tell the oldest of them', () => {
        const fresh = createFreshWebhooks();
        const webhooks = Array.from({ length: 3 }, () => webhook());
        expect(fresh.oldest()).to.equal(null);
        fresh.put(webhooks.slice(1).toReversed(), isToWait);
        fresh.put(webhooks.slice(0, 1), isToWait);
        expect(fresh.oldest()).to.equal(idsOf(webhooks).toSorted()[0]);
        fresh.forget([fresh.oldest() ?? '']);

        expect(fresh.oldest()).to.equal(idsOf(webhooks).toSorted()[1]);
      });

      it('tell who waits for so many of them, the last one who asked', async () => {
        const fresh = createFreshWebhooks();
        const told: string[] = [];
        const wait = (name: string, count: number): void => void fresh.whenHolds(count).then(() => told.push(name));
        wait('replaced', 1);
        wait('two', 2);
        fresh.put([webhook()], isToWait);
        await nextTurn();
        expect(told).to.deep.equal([]);
        fresh.put([webhook()], isToWait);
        await nextTurn();
        expect(told).to.deep.equal(['two']);
        wait('there already', 2);
        await nextTurn();

        expect(told).to.deep.equal(['two', 'there already']);
      });

      it('are as they would be read from the inbox', () => {
        const fresh = createFreshWebhooks();
        const given = webhook({ body: Buffer.from([0, 255, 10]), headers: { 'x-name': 'Grüße' }, receivedAt: 123 });
        fresh.put([given], isToWait);

        expect(fresh.take(1)?.groups()).to.deep.equal([[toPending(given)]]);
      });

      it('are bounded in number and in bytes, and have room again when they were taken', () => {
        const fresh = createFreshWebhooks();
        expect(
          fresh.put(
            Array.from({ length: 2000 }, () => webhook()),
            isToWait,
          ),
        ).to.equal(true);
        expect(fresh.put([webhook()], isToWait)).to.equal(false);
        fresh.take(2000);
        const large = Array.from({ length: 16 }, () => webhook({ body: Buffer.alloc(1_048_576) }));
        expect(fresh.put(large, isToWait)).to.equal(true);
        expect(fresh.put([webhook()], isToWait)).to.equal(false);
        fresh.forget(idsOf(large));
        expect(fresh.put([webhook()], isToWait)).to.equal(true);
      });
    });
  }
});

const BASE = Date.UTC(2026, 4, 1, 12);
const NUMBER = '+12025550100';

describe('a process that works off what it stores', function () {
  this.timeout(60_000);
  let inboxes: readonly Inbox[];
  let close: () => Promise<void>;
  let carrierId: string;

  before(async () => {
    ({ inboxes, close } = await openInboxes(3));
    const [first] = inboxes as [Inbox];
    const accountId = await makeAccount(first.db);
    await makeNumber(first.db, accountId, NUMBER, BASE - 86_400_000);
    carrierId = await makeGenericCarrier(first, accountId);
    for (const inbox of inboxes.slice(0, 2)) inbox.ingestion.watch();
  });
  after(() => close());

  /** A call of four webhooks as files of the carrier: stored by the same group commit as those at the door. */
  const savedCall = (call: string) =>
    ['call.initiated', 'call.ringing', 'call.answered', 'call.ended'].map((type, place) => ({
      name: `${call}-${place}`,
      path: '',
      receivedAt: BASE + place * 1000,
      headers: { 'content-type': 'application/json', 'webhook-id': `${call}-${place}` },
      body: Buffer.from(
        JSON.stringify({
          ...{ type, call_id: call, direction: 'incoming', from: '+12025550143', to: NUMBER },
          occurred_at: new Date(BASE + place * 1000).toISOString(),
        }),
      ),
    }));

  const done = (inbox: Inbox, count: number, like: string): Promise<unknown> =>
    until('all are worked off', async () => {
      const rows = await inbox.db('seen_webhooks').whereLike('delivery_key', like).where({ status: 'processed' });
      return rows.length === count;
    });

  const toldOf = (inbox: Inbox, like: string) =>
    inbox
      .db('call_logs')
      .whereLike('carrier_call_id', like)
      .then((rows) => rows.map(({ timeline }) => timeline.map((entry: { type: string }) => entry.type)));

  it('does so without reading it from the inbox', async () => {
    const [first] = inboxes as [Inbox];
    const statements: string[] = [];
    const hear = ({ sql }: { sql: string }): number => statements.push(sql);
    first.db.on('query', hear);
    const crowd = Array.from({ length: 13 }, (_, call) => `read-${call}`).flatMap(savedCall);
    await first.ingestion.importWebhooks(carrierId, crowd);
    await done(first, 52, 'read-%');
    first.db.removeListener('query', hear);

    expect(statements.filter((sql) => /insert into inbound_webhooks/.test(sql))).to.have.lengthOf(1);
    expect(
      statements.filter((sql) => /claim_pending_webhooks|(from|join) (inbound|seen)_webhooks/.test(sql)),
    ).to.deep.equal([]);
  });

  it('stores together what comes one after another while it is behind', async () => {
    const [first] = inboxes as [Inbox];
    let inserts = 0;
    const hear = ({ sql }: { sql: string }): void => {
      if (/insert into inbound_webhooks/.test(sql)) inserts += 1;
    };
    const storeTwoApart = async (name: string): Promise<number> => {
      inserts = 0;
      const [one, other] = savedCall(name);
      const storing = first.ingestion.importWebhooks(carrierId, one ? [one] : []);
      for (let turn = 0; turn < 3; turn += 1) await nextTurn();
      await Promise.all([storing, first.ingestion.importWebhooks(carrierId, other ? [other] : [])]);
      return inserts;
    };
    const holder = await first.db.transaction();
    first.db.on('query', hear);
    try {
      await holder.raw('lock table call_logs in access exclusive mode');
      const many = Array.from({ length: 30 }, (_, call) => `behind-${call}`).flatMap(savedCall);
      await first.ingestion.importWebhooks(carrierId, many);
      let round = 0;
      // They go apart where more than the time of a gathering passes between them.
      await until('two go together', async () => (await storeTwoApart(`behind-two-${round++}`)) === 1);
    } finally {
      first.db.removeListener('query', hear);
      await holder.rollback();
    }
    await until('all are worked off', async () => {
      const rows = await first.db('seen_webhooks').whereLike('delivery_key', 'behind-%').where('status', 'pending');
      return rows.length === 0;
    });
  });

  it('tells each fact once while others work off the same inbox and the same webhooks come to several', async () => {
    const [first, second, third] = inboxes as [Inbox, Inbox, Inbox];
    const calls = Array.from({ length: 60 }, (_, call) => `race-${call}`);
    let isOver = false;
    const thief = (async () => {
      while (!isOver) await third.ingestion.drain();
    })();
    try {
      for (let at = 0; at < calls.length; at += 6) {
        const some = calls.slice(at, at + 6).flatMap(savedCall);
        await Promise.all([
          ...some.map((one) => first.ingestion.importWebhooks(carrierId, [one])),
          ...some.toReversed().map((one) => second.ingestion.importWebhooks(carrierId, [one])),
        ]);
      }
      await done(first, 240, 'race-%');
    } finally {
      isOver = true;
      await thief;
    }

    const told = await toldOf(first, 'race-%');
    expect(told).to.have.lengthOf(60);
    for (const types of told)
      expect(types.filter((type: string) => type !== 'call.updated').toSorted()).to.deep.equal([
        'call.answered',
        'call.ended',
        'call.initiated',
        'call.ringing',
      ]);
    const counter = await first.db('account_counters').max({ seq: 'seq' }).first();
    expect(await first.db('events').orderBy('seq').pluck('seq')).to.deep.equal(
      Array.from({ length: Number(counter?.seq) }, (_, place) => place + 1),
    );
  });

  it('puts off what spoils a batch, and finds it in the inbox', async () => {
    const [first, , third] = inboxes as [Inbox, Inbox, Inbox];
    await first.db.raw(`alter table call_logs add constraint no_bad check (carrier_call_id <> 'bad-0')`);
    await first.ingestion.importWebhooks(carrierId, [...savedCall('bad-0'), ...savedCall('bad-1')]);
    await done(first, 4, 'bad-1-%');
    await until('the bad ones are put off', async () => {
      const rows = await first.db('seen_webhooks').whereLike('delivery_key', 'bad-0-%');
      return rows.every(({ attempts, status }) => attempts > 0 && status === 'pending');
    });
    await first.db.raw('alter table call_logs drop constraint no_bad');
    await first.db('inbound_webhooks').whereLike('delivery_key', 'bad-0-%').update({ next_attempt_at: null });
    await third.ingestion.drain();

    await done(first, 4, 'bad-0-%');
    expect(await toldOf(first, 'bad-0')).to.have.lengthOf(1);
  });
});
