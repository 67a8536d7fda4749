import { expect } from 'chai';
import fc from 'fast-check';
import { isoTime } from '../../src/lib/iso-time.js';

const LAST_MS = 8_640_000_000_000_000;
const DAY_MS = 86_400_000;

describe('a time as text', () => {
  it('is what Date makes of it, whatever the time', () => {
    const times = fc.oneof(
      fc.integer({ min: -LAST_MS, max: LAST_MS }),
      fc.integer({ min: -40_000, max: 40_000 }).map((days) => days * DAY_MS),
      fc.integer({ min: -40_000, max: 40_000 }).map((days) => days * DAY_MS - 1),
      fc.double({ min: -1e12, max: 2e12, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(times, { minLength: 1, maxLength: 5 }), (list) => {
        expect(list.map(isoTime)).to.deep.equal(list.map((ms) => new Date(ms).toISOString()));
      }),
      { numRuns: 2000 },
    );
  });

  it('is right at every minute and every second of a day', () => {
    const start = Date.UTC(2026, 10, 30);
    for (let ms = start; ms < start + DAY_MS; ms += 61_007) expect(isoTime(ms)).to.equal(new Date(ms).toISOString());
  });

  it('is none where there is no time', () => {
    isoTime(0);
    for (const ms of [Number.NaN, Number.POSITIVE_INFINITY, LAST_MS + 1])
      expect(() => isoTime(ms)).to.throw(RangeError);
  });
});
