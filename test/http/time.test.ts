import { expect } from 'chai';
import { readOwnTime, readTime, withinYears } from '../../src/http/time.js';

describe('a time as a client writes it', () => {
  const readable = [
    ['2026-10-01', '2026-10-01T00:00:00.000Z'],
    ['2026-10-01T12:30', '2026-10-01T12:30:00.000Z'],
    ['2026-10-01t12:30:05.25z', '2026-10-01T12:30:05.250Z'],
    ['2026-10-01T12:30:00 02:00', '2026-10-01T10:30:00.000Z'],
    ['0001-01-01', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ] as const;
  for (const [text, meant] of readable) {
    it(`is read when it is ${text}`, () => {
      expect(readTime(text)?.toISOString()).to.equal(meant);
    });
  }

  for (const text of [
    ...['', 'soon', '2026-06-31', '2026-13-01', '20261001', '+275760-09-13', '12026-01-01', '2026-10-01T25:00'],
    ...['0000-01-01', '0000-12-31T23:59:59Z', '0001-01-01T00:00:00+00:01', '9999-12-31T23:59:59-01:00'],
  ]) {
    it(`is none when it is '${text}'`, () => {
      expect(readTime(text)).to.equal(null);
    });
  }

  it('is ours only when we would spell it so', () => {
    expect(readOwnTime('2026-10-01T12:30:00.000Z')).to.equal('2026-10-01T12:30:00.000Z');
    for (const other of ['2026-10-01', '2026-10-01T12:30:00Z', '2026-02-30T00:00:00.000Z', 7, undefined])
      expect(readOwnTime(other)).to.equal(null);
  });

  it('is held within the years that can be asked for', () => {
    expect(new Date(withinYears(-1e15)).toISOString()).to.equal('0001-01-01T00:00:00.000Z');
    expect(new Date(withinYears(1e15)).toISOString()).to.equal('9999-12-31T23:59:59.999Z');
    expect(withinYears(5)).to.equal(5);
  });
});
