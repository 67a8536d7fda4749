import { expect } from 'chai';
import type { Group, ReportWish } from '../../../src/features/reports/report.js';
import { presentReport } from '../../../src/features/reports/reports.present.js';
import { createReportsService } from '../../../src/features/reports/reports.service.js';
import { type Door, makeActor, openDoor } from '../../support/door.js';
import { callRow, insertCalls, randomFrom } from '../calls/call-rows.js';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const EVERY = { from: null, until: null };

describe('reports of ranges with more buckets than a report may have rows', () => {
  let door: Door;

  before(async () => {
    door = await openDoor(() => []);
  });
  after(() => door.close());

  async function makeCalls(starts: readonly number[]) {
    const { db, clock } = door.platform;
    const accountId = await door.makeAccount();
    await insertCalls(
      db,
      starts.map((start) => callRow({ account_id: accountId, started_at: new Date(start) })),
    );
    return async (asked: Pick<ReportWish, 'groups'> & Partial<ReportWish>, mostRows?: number) => {
      const wish = { filters: {}, range: EVERY, timeZone: 'UTC', ...asked };
      const service = createReportsService({ db, clock, ...(mostRows !== undefined && { mostRows }) });
      const report = await service.reportCalls(makeActor({ accountId }), wish);
      return presentReport(report, wish, new URLSearchParams()) as { rows: unknown[] };
    };
  }

  const refused = (report: Promise<unknown>): Promise<unknown> => report.then(() => null).catch((error) => error);

  const ZONES = ['Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/St_Johns'];
  const GROUPS: readonly (readonly Group[])[] = [
    ['hour'],
    ['hour', 'day'],
    ['week', 'hour'],
    ['hour', 'direction'],
    ['day'],
    ['day', 'month'],
  ];

  it('have the rows that they have where all buckets are looked at', async () => {
    const random = randomFrom(17);
    const begin = Date.UTC(2026, 2, 1);
    // Near one another around days of changing clocks, and far between.
    const near = Array.from(
      { length: 60 },
      () => Date.UTC(2026, random.pick([2, 3, 9, 10]), 1) + random.below(96) * 15 * MINUTE,
    );
    const far = Array.from({ length: 60 }, () => begin + random.below(250 * 96) * 15 * MINUTE);
    const changes = ['2026-03-29T01:00Z', '2026-04-04T15:00Z', '2026-10-25T01:00Z', '2026-11-01T04:30Z'].flatMap((at) =>
      Array.from({ length: 12 }, (_, i) => Date.parse(at) + (i - 6) * 15 * MINUTE),
    );
    const ask = await makeCalls([...near, ...far, ...changes]);
    const ranges = [EVERY, { from: begin + 20 * MINUTE, until: begin + 240 * DAY + 5 * MINUTE }];

    for (const timeZone of ZONES) {
      for (const groups of GROUPS) {
        for (const range of ranges) {
          const whole = await ask({ groups, timeZone, range });
          const most = whole.rows.length;

          expect(await ask({ groups, timeZone, range }, most), `${timeZone} ${groups}`).to.deep.equal(whole);
          expect(await refused(ask({ groups, timeZone, range }, most - 1))).to.include({ kind: 'invalid' });
        }
      }
    }
  });

  it('are judged by the calls that the filters leave', async () => {
    const hourly = Array.from({ length: 50 }, (_, i) => Date.UTC(2026, 4, 1) + i * 60 * MINUTE);
    const ask = await makeCalls(hourly);
    await door.platform
      .db('call_logs')
      .where({ started_at: new Date(hourly[30] ?? 0) })
      .update({ country: 'FR' });

    const { rows } = await ask({ groups: ['hour'], filters: { country: ['FR'] } }, 1);

    expect(rows).to.have.lengthOf(1);
    expect(await refused(ask({ groups: ['hour'], filters: { country: ['DE'] } }, 48))).to.include({ kind: 'invalid' });
  });
});
