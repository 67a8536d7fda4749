import { expect } from 'chai';
import { parseEpoch, parseTime, parseZonedTime } from '../../../../src/features/carriers/providers/times.js';

const AT = Date.parse('2026-03-02T15:04:05.123Z');

describe('the times of providers', () => {
  const read: ReadonlyArray<readonly [text: string, ms: number | null]> = [
    ['2026-03-02T15:04:05.123Z', AT],
    ['2026-03-02T15:04:05.123999Z', AT],
    ['2026-03-02T16:04:05.123+01:00', AT],
    ['2026-03-02T15:04:05.123+0000', AT],
    ['2026-03-02 10:04:05.123-05', AT],
    ['2026-03-02T15:04:05Z', AT - 123],
    ['Mon, 02 Mar 2026 15:04:05 +0000', AT - 123],
    ['2 Mar 2026 15:04:05 GMT', AT - 123],
    ['2026-03-02T15:04:05', null],
    ['2026-02-30T15:04:05Z', null],
    ['2026-03-02T25:04:05Z', null],
    ['2026-03-02T15:04:05+24:00', null],
    ['Mon, 32 Mar 2026 15:04:05 +0000', null],
    ['Mon, 02 Foo 2026 15:04:05 +0000', null],
    ['soon', null],
    ['', null],
  ];
  for (const [text, ms] of read) {
    it(`reads "${text}" as ${ms === null ? 'no time' : new Date(ms).toISOString()}`, () => {
      expect(parseTime(text)).to.equal(ms);
    });
  }

  it('reads counts since 1970, cut to milliseconds', () => {
    expect(parseEpoch('1772463845', 'seconds')).to.equal(AT - 123);
    expect(parseEpoch('1772463845.1239', 'seconds')).to.equal(AT);
    expect(parseEpoch('1772463845123', 'milliseconds')).to.equal(AT);
    expect(parseEpoch('1772463845123999', 'microseconds')).to.equal(AT);
    expect(parseEpoch('1772463845junk', 'seconds')).to.equal(null);
    expect(parseEpoch('99999999999999999', 'seconds')).to.equal(null);
  });

  it('reads the clock of a zone, also in the hours that come twice or not at all', () => {
    const read = (text: string, notBefore?: number) => parseZonedTime(text, 'Europe/Berlin', notBefore);

    expect(read('2026-07-01 12:00:00.5')).to.equal(Date.parse('2026-07-01T10:00:00.500Z'));
    expect(read('2026-10-25 02:30:00')).to.equal(Date.parse('2026-10-25T00:30:00Z'));
    expect(read('2026-10-25 02:30:00', Date.parse('2026-10-25T00:40:00Z'))).to.equal(
      Date.parse('2026-10-25T01:30:00Z'),
    );
    expect(read('2026-03-29 02:30:00')).to.equal(Date.parse('2026-03-29T01:30:00Z'));
    expect(parseZonedTime('2026-07-01 12:00:00', 'UTC')).to.equal(Date.parse('2026-07-01T12:00:00Z'));
    expect(parseZonedTime('2026-07-01 12:00:00', 'Mars/Olympus')).to.equal(null);
  });
});
