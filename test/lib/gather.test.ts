import { expect } from 'chai';
import { createGatherer } from '../../src/lib/gather.js';

describe('createGatherer', () => {
  it('asks together what comes in one turn, and what comes meanwhile next', async () => {
    const asked: (readonly number[])[] = [];
    const answers: Promise<number>[] = [];
    const double = createGatherer(async (keys: readonly number[]) => {
      if (asked.push(keys) === 1) answers.push(double(4), double(5));
      return keys.map((key) => key * 2);
    });

    const first = await Promise.all([double(1), double(2), double(3)]);

    expect(first).to.deep.equal([2, 4, 6]);
    expect(await Promise.all(answers)).to.deep.equal([8, 10]);
    expect(asked).to.deep.equal([
      [1, 2, 3],
      [4, 5],
    ]);
  });

  it('asks at most so much at once', async () => {
    const sizes: number[] = [];
    const same = createGatherer(async (keys: readonly number[]) => {
      sizes.push(keys.length);
      return keys;
    }, 2);

    expect(await Promise.all([1, 2, 3, 4, 5].map(same))).to.deep.equal([1, 2, 3, 4, 5]);
    expect(sizes).to.deep.equal([2, 2, 1]);
  });

  it('tells a failure to those who asked, and goes on', async () => {
    let isBroken = true;
    const same = createGatherer(async (keys: readonly number[]) => {
      if (isBroken) throw new Error('no database');
      return keys;
    });

    const outcomes = await Promise.allSettled([same(1), same(2)]);
    isBroken = false;

    expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    expect(await same(3)).to.equal(3);
  });
});
