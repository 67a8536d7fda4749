import { expect } from 'chai';
import { pino } from 'pino';
import {
  createEventLog,
  createEventTail,
  EVENTS_TOPIC,
  type EventTail,
  type StoredEvent,
  type TailListener,
} from '../../../src/features/events/index.js';
import type { Wakeups } from '../../../src/platform/wakeups.js';
import { createWorld, type World } from '../live/live-world.js';

const log = pino({ level: 'silent' });

/** Hints given by hand. */
function handWakeups(): Wakeups & { give(hint: unknown): void } {
  const listeners = new Set<(hint: unknown) => void>();
  return {
    publish: () => undefined,
    subscribe: (_, hear) => {
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
    close: async () => undefined,
    give: (hint) => {
      for (const hear of listeners) hear(hint);
    },
  };
}

function collector(): TailListener & { seqs: number[]; breaks: number; got(seq: number): Promise<void> } {
  const waiters: (() => void)[] = [];
  return {
    seqs: [],
    breaks: 0,
    events(batch) {
      this.seqs.push(...batch.map(({ seq }) => seq));
      for (const wake of waiters.splice(0)) wake();
    },
    broken() {
      this.breaks += 1;
      for (const wake of waiters.splice(0)) wake();
    },
    async got(seq) {
      while ((this.seqs.at(-1) ?? 0) < seq) await new Promise<void>((resolve) => waiters.push(resolve));
    },
  };
}

const event = (accountId: string, seq: number): StoredEvent => ({
  accountId,
  seq,
  type: 'call.updated',
  subjectId: accountId,
  occurredAt: 0,
  receivedAt: 0,
  payload: {},
});

describe('event tail', function () {
  this.timeout(30_000);
  const tails: EventTail[] = [];
  let world: World;

  before(async () => {
    world = await createWorld();
  });
  afterEach(async () => {
    for (const tail of tails.splice(0)) await tail.close();
  });
  after(() => world.close());

  function start(wakeups: Wakeups, pollMs = 60_000) {
    const queries: string[] = [];
    const count = ({ sql }: { sql: string }): void => void queries.push(sql);
    world.db.on('query', count);
    const tail = createEventTail({ db: world.db, wakeups, log }, { pollMs });
    tails.push(tail);
    return { tail, queries };
  }

  it('uses a hint that begins right after its position without a query', async () => {
    const accountId = await world.writer.account();
    const wakeups = handWakeups();
    const { tail, queries } = start(wakeups);
    const listener = collector();
    await tail.follow(accountId, listener);
    const before = queries.length;

    wakeups.give([event(accountId, 1), event(accountId, 2)]);
    wakeups.give([event(accountId, 2), event(accountId, 3)]);

    expect(listener.seqs).to.deep.equal([1, 2, 3]);
    expect(queries.length).to.equal(before);
  });

  it('hears of all that its own process commits without a query, however much it is', async () => {
    const accountId = await world.writer.account();
    const wakeups = world.wakeupsOf();
    const { tail, queries } = start(wakeups);
    const listener = collector();
    await tail.follow(accountId, listener);
    const events = Array.from({ length: 300 }, (_, place) => event(accountId, place + 1));

    await createEventLog(world.db, wakeups).transaction(async (_, record) => {
      for (const { seq, ...unplaced } of events) record(unplaced);
    });
    const reads = queries.filter((sql) => /from events/.test(sql)).length;
    await listener.got(300);

    expect(listener.seqs).to.deep.equal(events.map(({ seq }) => seq));
    expect(queries.filter((sql) => /from events/.test(sql)).length).to.equal(reads);
  });

  it('reads what a hint leaves out, once and in order', async () => {
    const accountId = await world.writer.account();
    const wakeups = handWakeups();
    const { tail } = start(wakeups);
    const listener = collector();
    await tail.follow(accountId, listener);
    for (let i = 0; i < 20; i += 1) await world.writer.call(accountId);

    wakeups.give([event(accountId, 7)]);
    wakeups.give([{ accountId, seq: 9 }]);
    wakeups.give('!');
    await listener.got(20);

    expect(listener.seqs).to.deep.equal(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('finds what it was never told of by looking itself', async () => {
    const accountId = await world.writer.account();
    const { tail } = start(handWakeups(), 20);
    const listener = collector();
    await tail.follow(accountId, listener);

    await world.writer.call(accountId);
    await listener.got(1);

    expect(listener.seqs).to.deep.equal([1]);
  });

  it('looks at the counters of all its accounts by one statement, and reads for nobody else', async () => {
    const [mine, others, strangers] = [
      await world.writer.account(),
      await world.writer.account(),
      await world.writer.account(),
    ];
    const { tail, queries } = start(handWakeups(), 20);
    const listener = collector();
    await tail.follow(mine, listener);
    await tail.follow(others, collector());
    await world.writer.call(strangers);
    queries.length = 0;

    await world.writer.call(mine);
    await listener.got(1);

    const reads = queries.filter((sql) => sql.includes('left join lateral'));
    expect(reads).to.have.lengthOf(1);
  });

  it('says that the log is broken when events before the next one have been deleted', async () => {
    const accountId = await world.writer.account();
    const wakeups = handWakeups();
    const { tail } = start(wakeups);
    const listener = collector();
    const following = await tail.follow(accountId, listener);
    for (let i = 0; i < 3; i += 1) await world.writer.call(accountId);
    await world.db('events').where({ account_id: accountId, seq: 1 }).delete();
    await world.db('account_counters').where({ account_id: accountId }).update({ pruned_seq: 1 });

    await following.reach(3);

    expect(listener.breaks).to.equal(1);
    expect(listener.seqs).to.deep.equal([]);
    expect(following.position()).to.equal(3);
  });

  it('tells nothing after it was stopped', async () => {
    const accountId = await world.writer.account();
    const wakeups = handWakeups();
    const { tail } = start(wakeups);
    const listener = collector();
    const following = await tail.follow(accountId, listener);

    following.stop();
    wakeups.give([event(accountId, 1)]);

    expect(listener.seqs).to.deep.equal([]);
  });
});

describe('event log', function () {
  this.timeout(30_000);
  let world: World;

  before(async () => {
    world = await createWorld();
  });
  after(() => world.close());

  it('numbers the events of concurrent writers without holes, in the order of their commits', async () => {
    const accountId = await world.writer.account();
    const wakeups = world.wakeupsOf();
    const seen: number[] = [];
    wakeups.subscribe(EVENTS_TOPIC, () => undefined);
    const tail = createEventTail({ db: world.db, wakeups, log }, { pollMs: 50 });
    const following = await tail.follow(accountId, {
      events: (batch) => void seen.push(...batch.map(({ seq }) => seq)),
      broken: () => void seen.push(-1),
    });

    await Promise.all(Array.from({ length: 6 }, () => many(accountId, 10)));
    await following.reach(60);
    await tail.close();

    expect(seen).to.deep.equal(Array.from({ length: 60 }, (_, i) => i + 1));
  });

  async function many(accountId: string, count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) await world.writer.call(accountId);
  }
});
