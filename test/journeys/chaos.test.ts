import { expect } from 'chai';
import { type ChaosOptions, type ChaosReport, runChaos } from '../../bench/chaos/chaos.js';
import { hasRedis } from '../../bench/chaos/redis.js';
import { ensureBuilt } from '../support/built.js';

const SMALL = { rate: 40, accounts: 2, longestFaultMs: 1500, longestStepMs: 1500, tell: () => undefined };

/** Small runs of `npm run chaos`; the long ones are made by hand. */
describe('an installation of several processes', function () {
  this.timeout(180_000);
  before(ensureBuilt);

  const run = (options: Omit<ChaosOptions, keyof typeof SMALL>): Promise<ChaosReport> =>
    runChaos({ ...SMALL, ...options });

  it('keeps every answer true while its parts are killed, paused and cut off', async () => {
    const report = await run({ seed: 3, seconds: 9, faults: 7, processes: 1, together: false, redis: hasRedis() });

    expect(report.violations).to.deep.equal([]);
    expect(report.counts.accepted).to.be.above(300);
    expect(report.counts).to.include({ lost: 0, doubled: 0, disordered: 0 });
  });

  for (const [kind, together] of [
    ['of one role each', false],
    ['of all roles', true],
  ] as const) {
    it(`loses and doubles nothing while its processes, ${kind}, are stopped and started one after another`, async () => {
      const report = await run({
        seed: 4,
        seconds: 5,
        faults: 4,
        processes: 2,
        together,
        redis: false,
        only: /stopped/,
      });

      expect(report.violations).to.deep.equal([]);
      expect(report.answers).to.not.have.property('503');
      expect(report.counts.lost).to.equal(0);
    });
  }
});
