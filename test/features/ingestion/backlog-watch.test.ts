import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { watchBacklog } from '../../../src/features/ingestion/backlog-watch.js';
import { newId } from '../../../src/lib/ids.js';
import type { Db } from '../../../src/platform/db/connect.js';
import { until } from '../../support/until.js';
import { deliver, drainAll, makeAccount, makeGenericCarrier, openInboxes } from './inbox-bench.js';

describe('the watch over the backlog', function () {
  this.timeout(30_000);
  const world = (async () => {
    const opened = await openInboxes(1);
    const accountId = await makeAccount(opened.first.db);
    const carrier = { id: await makeGenericCarrier(opened.first, accountId), accountId };
    const store = (): Promise<void> =>
      deliver(opened.first, carrier, [{ id: newId(), receivedAt: 0, body: { type: 'call.updated', call_id: 'x' } }]);
    return { ...opened, store };
  })();
  after(async () => (await world).close());

  it('lets in exactly as many as may wait, also when all ask at the same moment', async () => {
    const { first } = await world;
    const backlog = watchBacklog(first.db, 5, () => undefined);

    const entered = await Promise.all(Array.from({ length: 20 }, () => backlog.enter()));
    backlog.stop();

    expect(entered.filter((isIn) => isIn)).to.have.lengthOf(5);
    expect(backlog.isFull()).to.equal(true);
  });

  it('counts once more before it refuses, so that what was worked off makes room at once', async () => {
    const { first, store } = await world;
    const counts: number[] = [];
    const backlog = watchBacklog(first.db, 2, ({ count }) => counts.push(count));
    for (let stored = 0; stored < 2; stored += 1) {
      expect(await backlog.enter()).to.equal(true);
      await store();
      backlog.leave();
    }
    expect(await backlog.enter()).to.equal(false);

    await drainAll([first]);
    await until('it lets in', () => backlog.enter());
    backlog.stop();

    expect(counts.at(-1)).to.equal(0);
  });

  it('counts again soon after the database was out of reach, however long it took to find that out', async () => {
    const { first } = await world;
    let isOut = true;
    const asked = async (...question: Parameters<Db['raw']>): Promise<unknown> => {
      if (!isOut) return first.db.raw(...question);
      await pause(500);
      throw new Error('The database is out of reach.');
    };
    const backlog = watchBacklog({ raw: asked } as unknown as Db, 1, () => undefined);
    await backlog.enter();
    backlog.leave();
    expect(await backlog.enter()).to.equal(false);

    isOut = false;
    await until('it lets in', () => backlog.enter(), 4000);
    backlog.stop();

    expect(backlog.isFull()).to.equal(true);
  });
});
