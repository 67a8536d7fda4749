import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { createDrainJob } from '../../../src/features/ingestion/ingestion.worker.js';

/** A drain whose looks into the inbox end when they are told to. */
function heldDrain() {
  const ends: (() => void)[] = [];
  const look = (): Promise<number> => new Promise((resolve) => ends.push(() => resolve(0)));
  const job = createDrainJob({ all: look, fresh: async () => 0 });
  return { job, looks: () => ends.length, endLook: () => ends.at(-1)?.() };
}

describe('the drain job', () => {
  it('looks once more when it is woken during a look, however often', async () => {
    const { job, looks, endLook } = heldDrain();
    const run = job.run();
    for (let call = 0; call < 3; call += 1) void job.wake();
    endLook();
    await nextTurn();
    expect(looks()).to.equal(2);
    endLook();
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
    endLook();
    await nextTurn();
    endLook();
    await run;
  });

  it('begins anew when it is woken after its end', async () => {
    const { job, looks, endLook } = heldDrain();
    const first = job.run();
    endLook();
    await first;
    const second = job.wake();
    endLook();
    await second;

    expect(looks()).to.equal(2);
  });
});
