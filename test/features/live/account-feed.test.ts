import { expect } from 'chai';
import type { Knex } from 'knex';
import { pino } from 'pino';
import type { Namespace } from 'socket.io';
import { createEventTail } from '../../../src/features/events/index.js';
import { Feeds, type Member } from '../../../src/features/live/account-feed.js';
import type { Delays } from '../../../src/features/live/delays.js';
import { createWorld, type World } from './live-world.js';

describe('feed of an account', function () {
  this.timeout(30_000);
  let world: World;

  before(async () => {
    world = await createWorld();
  });
  after(() => world.close());

  /** The first question is answered when `answer` is called, and all others at once. */
  function slowAtFirst(db: Knex): { db: Knex; answer(): void } {
    let answer = (): void => undefined;
    let waiting: Promise<void> | null = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const raw = async (sql: string, bindings: Knex.RawBinding): Promise<unknown> => {
      const turn = waiting;
      waiting = null;
      const rows = await db.raw(sql, bindings);
      await turn;
      return rows;
    };
    return { db: { raw } as unknown as Knex, answer };
  }

  function namespace(): { seqs: number[]; told: Promise<void>; namespace: Namespace } {
    const seqs: number[] = [];
    let tell = (): void => undefined;
    const told = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const room = {
      emit(_: string, { seq }: { seq: number }) {
        seqs.push(seq);
        tell();
      },
    };
    return { seqs, told, namespace: { to: () => room } as unknown as Namespace };
  }

  const member = (): Member => ({
    scope: { userId: null, filter: {} },
    enterRoom: () => undefined,
    leaveRoom: () => undefined,
    isClogged: () => false,
    fallBehind: () => undefined,
    startOver: () => undefined,
  });

  it('is heard when the one before it, which left while it was being opened, is answered later', async () => {
    const accountId = await world.writer.account();
    const { db, answer } = slowAtFirst(world.db);
    const room = namespace();
    const tail = createEventTail({ db, wakeups: world.wakeupsOf(), log: pino({ level: 'silent' }) }, { pollMs: 20 });
    const clock = { now: Date.now };
    const delays = { observe: () => undefined } as unknown as Delays;
    const feeds = new Feeds({ namespace: room.namespace, tail, clock, delays });
    const [gone, here] = [member(), member()];
    const before = feeds.enter(accountId, gone);
    const opening = before.ready();
    feeds.exit(before, gone);
    const feed = feeds.enter(accountId, here);
    await feed.ready();
    feed.join(here);

    answer();
    await opening;
    await world.writer.call(accountId);
    await room.told;

    expect(room.seqs).to.deep.equal([1]);
    await tail.close();
  });
});
