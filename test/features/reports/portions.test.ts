import { expect } from 'chai';
import { createSweep } from '../../../src/features/reports/concurrency.js';
import { presentReport } from '../../../src/features/reports/reports.present.js';
import { createReportsService } from '../../../src/features/reports/reports.service.js';
import { type Door, makeActor, openDoor } from '../../support/door.js';
import { callRow, insertCalls, randomFrom } from '../calls/call-rows.js';

describe('reports of more calls than are counted at once', () => {
  let door: Door;

  before(async () => {
    door = await openDoor(() => []);
  });
  after(() => door.close());

  it('are the same in portions of any size, also where many calls begin at one moment', async () => {
    const random = randomFrom(99);
    const { db, clock } = door.platform;
    const accountId = await door.makeAccount();
    const begin = Date.UTC(2026, 4, 1);
    const rows = Array.from({ length: 150 }, () => {
      const started_at = new Date(begin + random.below(60) * 900_000);
      const ended_at = new Date(started_at.getTime() + random.below(5) * 900_000 + random.below(2));
      const direction = random.pick(['incoming', 'outgoing']);
      return callRow({ account_id: accountId, started_at, ended_at, direction, ring_duration: random.below(50) });
    });
    const open = callRow({ account_id: accountId, started_at: new Date(begin), status: 'ringing', ended_at: null });
    await insertCalls(db, [...rows, open]);
    const wish = {
      ...{ filters: {}, range: { from: null, until: null }, timeZone: 'Asia/Kathmandu' },
      groups: ['day', 'direction'],
    } as const;
    const ask = async (portion: number) => {
      const report = await createReportsService({ db, clock, portion }).reportCalls(makeActor({ accountId }), wish);
      return presentReport(report, wish, new URLSearchParams());
    };

    const whole = await ask(1000);

    expect((whole.totals as { calls: number }).calls).to.equal(151);
    for (const portion of [1, 7, 40, 150, 151]) expect(await ask(portion), String(portion)).to.deep.equal(whole);
  });

  it('count the calls at one moment as looking at each start does', () => {
    const random = randomFrom(3);
    for (let round = 0; round < 200; round += 1) {
      const calls = Array.from({ length: random.below(30) }, () => {
        const start = random.below(20);
        return { start, end: start + random.below(8) };
      }).sort((a, b) => a.start - b.start);
      const cut = random.below(calls.length + 1);
      const sweep = createSweep();

      for (const part of [calls.slice(0, cut), calls.slice(cut)]) {
        sweep.add(
          Float64Array.from(part, ({ start }) => start),
          Float64Array.from(part, ({ end }) => end),
        );
      }

      const most = Math.max(
        0,
        ...calls.map(({ start: at }) => calls.filter(({ start, end }) => start <= at && at < end).length),
      );
      expect(sweep.most()).to.equal(most);
    }
  });
});
