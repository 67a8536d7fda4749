import { expect } from 'chai';
import { createLimit } from '../../src/lib/limit.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a limit', () => {
  it('lets so many work at once, and the others in the order in which they came', async () => {
    const limit = createLimit(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const work = (i: number) =>
      limit.run(() => {
        begun.push(i);
        return new Promise<number>((resolve) => ends.push(() => resolve(i)));
      });
    const all = [0, 1, 2, 3].map(work);
    expect(begun).to.deep.equal([0, 1]);
    expect(limit.waiting()).to.equal(2);

    for (let i = 0; i < 4; i += 1) {
      ends[i]?.();
      await turn();
      expect(begun).to.deep.equal([0, 1, 2, 3].slice(0, i + 3));
    }

    expect(await Promise.all(all)).to.deep.equal([0, 1, 2, 3]);
    expect(limit.isIdle()).to.equal(true);
  });

  it('goes on after work that fails, at once or later', async () => {
    const limit = createLimit(1);
    const thrown = limit.run(() => {
      throw new Error('at once');
    });
    const rejected = limit.run(async () => {
      throw new Error('later');
    });
    const next = limit.run(() => 'next');

    const [atOnce, later, done] = await Promise.allSettled([thrown, rejected, next]);

    expect([atOnce, later].map((result) => result.status)).to.deep.equal(['rejected', 'rejected']);
    expect(done).to.deep.equal({ status: 'fulfilled', value: 'next' });
    expect(limit.isIdle()).to.equal(true);
  });
});
