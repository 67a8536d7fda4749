import { expect } from 'chai';
import { isTimeZone, zonedTimes } from '../../src/lib/time-zone.js';

describe('time zones', () => {
  it('knows the IANA names', () => {
    for (const name of ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Etc/GMT+5'])
      expect(isTimeZone(name), name).to.equal(true);
    for (const name of ['', 'Mars/Base', '+01:00', '-5', 'Europe/Berlin; drop', 'Europe']) {
      expect(isTimeZone(name), name).to.equal(false);
    }
  });

  const cases: readonly (readonly [string, string, string])[] = [
    ['UTC', '2026-03-01T12:00:00.000Z', '2026-03-01T12:00:00.000+00:00'],
    ['Europe/Berlin', '2026-03-29T00:59:59.999Z', '2026-03-29T01:59:59.999+01:00'],
    ['Europe/Berlin', '2026-03-29T01:00:00.000Z', '2026-03-29T03:00:00.000+02:00'],
    ['Europe/Berlin', '2026-10-25T00:30:00.000Z', '2026-10-25T02:30:00.000+02:00'],
    ['Europe/Berlin', '2026-10-25T01:30:00.000Z', '2026-10-25T02:30:00.000+01:00'],
    ['Asia/Kathmandu', '2026-01-01T00:00:00.000Z', '2026-01-01T05:45:00.000+05:45'],
    ['America/St_Johns', '2026-01-01T00:00:00.000Z', '2025-12-31T20:30:00.000-03:30'],
    ['America/St_Johns', '2010-03-14T03:30:59.999Z', '2010-03-14T00:00:59.999-03:30'],
    ['America/St_Johns', '2010-03-14T03:31:00.000Z', '2010-03-14T01:01:00.000-02:30'],
    ['America/St_Johns', '2010-11-07T02:30:59.999Z', '2010-11-07T00:00:59.999-02:30'],
    ['America/St_Johns', '2010-11-07T02:31:00.000Z', '2010-11-06T23:01:00.000-03:30'],
    ['Australia/Lord_Howe', '2026-04-04T14:59:59.999Z', '2026-04-05T01:59:59.999+11:00'],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00.000Z', '2026-04-05T01:30:00.000+10:30'],
    ['Pacific/Kiritimati', '2026-12-31T10:00:00.000Z', '2027-01-01T00:00:00.000+14:00'],
  ];
  for (const [zone, time, expected] of cases) {
    it(`writes ${time} in ${zone} as ${expected}`, () => {
      expect(zonedTimes(zone)(Date.parse(time))).to.equal(expected);
    });
  }

  it('means the same moment in every quarter of an hour of a year, in zones with odd offsets', () => {
    for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca']) {
      const spell = zonedTimes(zone);
      for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2027, 0, 1); at += 45 * 60_000) {
        expect(Date.parse(spell(at))).to.equal(at);
      }
    }
  });
});
