import { expect } from 'chai';
import { isoTime } from '../../../src/platform/db/text-times.js';

describe('times that stay texts', () => {
  const cases: readonly [string, string][] = [
    ['2026-11-30 02:09:36.123+00', '2026-11-30T02:09:36.123Z'],
    ['2026-11-30 02:09:36+00', '2026-11-30T02:09:36.000Z'],
    ['2026-11-30 02:09:36.1+00', '2026-11-30T02:09:36.100Z'],
    ['2026-11-30 02:09:36.123987+00', '2026-11-30T02:09:36.123Z'],
    // Sessions of a database that keeps other clocks.
    ['2026-11-30 03:09:36.123+01', '2026-11-30T02:09:36.123Z'],
    ['2026-11-30 07:54:36+05:45', '2026-11-30T02:09:36.000Z'],
    ['2026-11-29 22:39:36-03:30', '2026-11-30T02:09:36.000Z'],
    ['12026-11-30 02:09:36+00', '+012026-11-30T02:09:36.000Z'],
  ];
  for (const [text, expected] of cases) {
    it(`makes ${expected} of ${text}`, () => {
      expect(isoTime(text)).to.equal(expected);
    });
  }
});
