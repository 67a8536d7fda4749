import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { createUnderWay } from '../../src/lib/under-way.js';

/** A promise that is kept when it is told to. */
function later<T>(outcome: T): { readonly work: Promise<T>; end(): void } {
  let end: () => void = () => undefined;
  const work = new Promise<T>((resolve) => {
    end = () => resolve(outcome);
  });
  return { work, end: () => end() };
}

const isDone = async (promise: Promise<void>): Promise<boolean> => {
  let isOver = false;
  void promise.then(() => {
    isOver = true;
  });
  await nextTurn();
  return isOver;
};

describe('works under way', () => {
  it('are counted until they end, and told of before whoever waits', async () => {
    const told: string[] = [];
    const works = createUnderWay<string>((outcome) => told.push(outcome));
    const [one, other] = [later('one'), later('other')];
    works.add(one.work);
    works.add(other.work);
    const waiting = works.fewerThan(2).then(() => told.push('waited'));
    expect(works.count()).to.equal(2);
    other.end();
    await waiting;

    expect([told, works.count()]).to.deep.equal([['other', 'waited'], 1]);
  });

  it('are waited for until few enough go on', async () => {
    const works = createUnderWay<number>(() => undefined);
    const [one, other] = [later(1), later(2)];
    works.add(one.work);
    works.add(other.work);
    const none = works.fewerThan(1);
    one.end();
    expect(await isDone(none)).to.equal(false);
    expect(await isDone(works.fewerThan(2))).to.equal(true);
    other.end();

    expect(await isDone(none)).to.equal(true);
  });

  it('are waited for no longer than for something else', async () => {
    const works = createUnderWay<number>(() => undefined);
    const [one, other] = [later(1), later<void>(undefined)];
    expect(await isDone(works.oneOr(other.work))).to.equal(true);
    works.add(one.work);
    const either = works.oneOr(other.work);
    expect(await isDone(either)).to.equal(false);
    other.end();

    expect(await isDone(either)).to.equal(true);
    const next = works.oneOr(new Promise(() => undefined));
    one.end();
    expect(await isDone(next)).to.equal(true);
  });
});
