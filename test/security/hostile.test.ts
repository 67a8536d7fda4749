import { expect } from 'chai';
import { runHostile } from '../../bench/chaos/hostile.js';
import { ensureBuilt } from '../support/built.js';

/** Small, and without a look at the clock: how long ordinary requests take meanwhile is measured by `npm run chaos -- --hostile`. */
const SIZE = { slow: 100, passwords: 100, seconds: 2 };
const MOST_GROWTH_MB = 100;

describe('somebody hostile', function () {
  this.timeout(240_000);
  before(ensureBuilt);

  it('is refused, keeps nobody from a right answer, and fills no memory', async () => {
    // It throws unless every ordinary request is answered 200.
    const report = await runHostile(SIZE);

    expect(report.refusals).to.not.be.empty.and.not.have.property('500');
    expect(report.growthMb).to.be.below(MOST_GROWTH_MB);
  });
});
