import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { createDrainJob } from '../../../src/features/ingestion/ingestion.worker.js';
import { until } from '../../support/until.js';

const held = (underWay = 0, waiting = 0) => ({ held: () => ({ underWay, waiting }) });

/** A drain whose looks into the inbox end when they are told to. */
function heldDrain() {
  const ends: (() => void)[] = [];
  const look = (): Promise<number> => new Promise((resolve) => ends.push(() => resolve(0)));
  const job = createDrainJob({
    ...{ all: look, fresh: async () => 0, ...held() },
    storeAndWorkOff: async () => ({ isStored: false, isMore: false }),
  });
  /** A look begins a moment after its run, which sees to memory first. */
  const endLook = async (): Promise<void> => {
    await nextTurn();
    ends.at(-1)?.();
  };
  return { job, looks: () => ends.length, endLook };
}

/** A drain that stores and works off at once for as long as it is told. */
function storingDrain({ isMore = false, isStored = true } = {}) {
  const done: string[] = [];
  let end: () => void = () => undefined;
  const job = createDrainJob({
    all: async () => done.push('all') * 0,
    fresh: async () => done.push('fresh') * 0,
    ...held(),
    storeAndWorkOff: () =>
      new Promise((resolve) => {
        end = () => resolve({ isStored, isMore });
      }),
  });
  return { job, done, end: () => end() };
}

describe('the drain job', () => {
  it('looks once more when it is woken during a look, however often', async () => {
    const { job, looks, endLook } = heldDrain();
    const run = job.run();
    for (let call = 0; call < 3; call += 1) void job.wake();
    await endLook();
    await nextTurn();
    expect(looks()).to.equal(2);
    await endLook();
    await run;

    expect(looks()).to.equal(2);
  });

  it('keeps nobody who wakes it during a run, so that queued jobs leave their places to others', async () => {
    const { job, endLook } = heldDrain();
    let isOver = false;
    const run = job.run().then(() => {
      isOver = true;
    });
    await job.wake();
    expect(isOver).to.equal(false);
    await endLook();
    await endLook();
    await run;
  });

  it('begins anew when it is woken after its end', async () => {
    const { job, looks, endLook } = heldDrain();
    const first = job.run();
    await endLook();
    await first;
    const second = job.wake();
    await endLook();
    await second;

    expect(looks()).to.equal(2);
  });

  it('stores and works off at once when no run is under way, one at a time', async () => {
    const { job, done, end } = storingDrain();
    const first = job.storeAndWorkOff([]);
    expect(job.storeAndWorkOff([])).to.equal(null);
    void job.workOffFresh();
    expect(done).to.deep.equal([]);
    end();
    expect(await first).to.equal(true);
    await job.run();
    expect(done[0]).to.equal('fresh');

    const second = job.storeAndWorkOff([]);
    end();
    expect(await second).to.equal(true);
  });

  it('looks into the inbox after a webhook whose call others have waited for', async () => {
    const { job, done, end } = storingDrain({ isMore: true });
    const stored = job.storeAndWorkOff([]);
    end();
    await stored;
    await nextTurn();

    expect(done).to.include('all');
  });

  it('works off what is in memory before it looks into the inbox, and what has come meanwhile after it', async () => {
    const { job, done } = storingDrain();
    await job.run();

    expect(done).to.deep.equal(['fresh', 'all', 'fresh']);
  });

  it('lets a run through memory end early when somebody wants a look into the inbox', async () => {
    let isOver: () => boolean = () => false;
    let end: () => void = () => undefined;
    const job = createDrainJob({
      ...{ all: async () => 0, ...held() },
      fresh: (isStopping) =>
        new Promise((resolve) => {
          isOver = isStopping;
          end = () => resolve(0);
        }),
      storeAndWorkOff: async () => ({ isStored: false, isMore: false }),
    });
    const run = job.workOffFresh();
    void job.workOffFresh();
    expect(isOver()).to.equal(false);
    void job.wake();
    expect(isOver()).to.equal(true);

    let isDone = false;
    void run.then(() => {
      isDone = true;
    });
    await until('the run is over', () => {
      end();
      return isDone;
    });
  });

  /** A drain of memory alone, whose turns end when they are told to. */
  function turningDrain(inHand: ReturnType<typeof held>) {
    const ends: (() => void)[] = [];
    const job = createDrainJob({
      ...{ all: async () => 0, ...inHand },
      fresh: () => new Promise((resolve) => ends.push(() => resolve(100))),
      storeAndWorkOff: async () => ({ isStored: false, isMore: false }),
    });
    return { job, turns: () => ends.length, endTurn: () => ends.at(-1)?.() };
  }

  it('goes on at once where a whole batch waits in memory', async () => {
    const { job, turns, endTurn } = turningDrain(held(0, 500));
    const run = job.workOffFresh();
    void job.workOffFresh();
    endTurn();
    await nextTurn();
    expect(turns()).to.equal(2);
    endTurn();
    await run;
  });

  it('is behind while it works off many or many wait for it, but not with few, and not when its run is over', async () => {
    for (const [underWay, waiting, isBehind] of [
      [100, 0, true],
      [0, 100, true],
      [99, 99, false],
    ] as const) {
      const { job, endTurn } = turningDrain(held(underWay, waiting));
      expect(job.isBehind()).to.equal(false);
      const run = job.workOffFresh();
      expect(job.isBehind()).to.equal(isBehind);
      endTurn();
      await run;
      expect(job.isBehind()).to.equal(false);
    }
  });

  it('does not so during a run, nor when it is stopping, nor for a while after it took long', async () => {
    const { job: busy, endLook } = heldDrain();
    const run = busy.run();
    expect(busy.storeAndWorkOff([])).to.equal(null);
    await endLook();
    await run;
    await busy.stop();
    expect(busy.storeAndWorkOff([])).to.equal(null);

    for (const [isStored, tookMs] of [
      [false, 40],
      [true, 270],
    ] as const) {
      const { job, end } = storingDrain({ isStored });
      const slow = job.storeAndWorkOff([]);
      await pause(tookMs);
      end();
      await slow;
      await nextTurn();
      expect(job.storeAndWorkOff([])).to.equal(null);
      await pause(600);
      expect(job.storeAndWorkOff([])).not.to.equal(null);
    }
  });

  it('goes on so after what took as long as a lock may be waited for, and was stored', async () => {
    const { job, end } = storingDrain();
    const slow = job.storeAndWorkOff([]);
    await pause(40);
    end();
    await slow;
    await nextTurn();

    expect(job.storeAndWorkOff([])).not.to.equal(null);
  });

  it('says when it is free again, where that is soon: it has few in hand and is not slow just now', async () => {
    const { job, endLook } = heldDrain();
    expect(job.soonFree()).to.equal(null);
    const run = job.run();
    let isFree = false;
    const free = job.soonFree()?.then(() => {
      isFree = true;
    });
    await nextTurn();
    expect(isFree).to.equal(false);
    await endLook();
    await Promise.all([run, free]);
    expect([isFree, job.soonFree()]).to.deep.equal([true, null]);

    const { job: full, endTurn } = turningDrain(held(0, 100));
    const long = full.workOffFresh();
    expect(full.soonFree()).to.equal(null);
    endTurn();
    await long;

    const { job: vain, end } = storingDrain({ isStored: false });
    const stored = vain.storeAndWorkOff([]);
    expect(vain.soonFree()).not.to.equal(null);
    await pause(40);
    end();
    await stored;
    const again = vain.run();
    expect(vain.soonFree()).to.equal(null);
    await again;
  });

  it('says so too when the run fails, and not while it is stopping', async () => {
    const failing = createDrainJob({
      ...{ all: () => Promise.reject(new Error('away')), fresh: async () => 0, ...held() },
      storeAndWorkOff: async () => ({ isStored: false, isMore: false }),
    });
    const run = failing.run();
    await failing.soonFree();
    expect(await run.catch((error: Error) => error.message)).to.equal('away');

    const { job, endLook } = heldDrain();
    const last = job.run();
    const stopping = job.stop();
    expect(job.soonFree()).to.equal(null);
    await endLook();
    await Promise.all([last, stopping]);
  });

  it('looks again of itself where it stores nothing, until a look finds nothing, and for a while after a crowd', async () => {
    const looks: number[] = [];
    let found = [3, 1, 0, 5];
    const drain = {
      all: async () => found[looks.push(looks.length) - 1] ?? 0,
      fresh: async () => 0,
      ...held(),
      storeAndWorkOff: async () => ({ isStored: false, isMore: false }),
    };
    const job = createDrainJob(drain, { looksAgain: true });
    await job.run();
    await until('it has found nothing', async () => looks.length === 3);
    await pause(30);
    expect(looks).to.have.lengthOf(3);
    [found, looks.length] = [[4, 0, 1, 0, 0], 0];
    await job.run();
    await until('it has gone on', async () => looks.length >= 4);
    await pause(150);
    const count = looks.length;
    await pause(50);
    expect([count, looks.length]).to.deep.equal([looks.length, count]);
    expect(count).to.be.below(12);

    const other = createDrainJob(drain);
    looks.length = 0;
    await other.run();
    await pause(30);
    expect(looks).to.have.lengthOf(1);
  });
});
