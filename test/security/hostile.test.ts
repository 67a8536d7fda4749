import { expect } from 'chai';
import { runHostile } from '../../bench/chaos/hostile.js';
import { ensureBuilt } from '../support/built.js';

/**
 * Small: the suite shares its processors with other tests, and only what stands still for seconds is found here. At
 * full size by hand: `npm run chaos -- --hostile`.
 */
const SIZE = { slow: 100, passwords: 100, seconds: 2 };
const MOST_TIMES = 3;
const FLOOR_MS = 2000;
const MOST_GROWTH_MB = 100;

describe('somebody hostile', function () {
  this.timeout(240_000);
  before(ensureBuilt);

  it('slows nobody down and fills no memory', async () => {
    const report = await runHostile(SIZE);

    expect(report.attacked.p99Ms).to.be.below(Math.max(report.calm.p99Ms * MOST_TIMES, FLOOR_MS));
    expect(report.growthMb).to.be.below(MOST_GROWTH_MB);
    expect(report.refusals).to.not.have.property('500');
  });
});
