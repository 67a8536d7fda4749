import { expect } from 'chai';
import { runJob } from '../../support/jobs.js';
import { startSystem, type TestSystem, unique } from '../../support/system.js';
import { claimNumber, deliver, drained, genericCall, handClock, openLine } from './lines.js';

let numbers = 0;

describe('calls whose end never came', function () {
  this.timeout(30_000);
  const start = Date.now();
  const clock = handClock(start);
  let system: TestSystem;
  before(async () => {
    system = await startSystem({ clock, env: { LOST_CALL_AFTER: '120' } });
  });
  after(() => system.stop());

  async function setUp() {
    const admin = await system.createAdmin();
    numbers += 1;
    const number = `+1202555010${numbers}`;
    await claimNumber(system, admin, number);
    const line = await openLine(system, admin, 'generic');
    const call_id = unique('call');
    const { token } = admin;
    const ask = async (path: string) => (await system.ask('GET', path, { token })).body;
    return {
      admin,
      line,
      tell: async (type: string, at: number) => {
        const occurred_at = new Date(at).toISOString();
        const delivery = genericCall({
          type,
          call_id,
          to: number,
          occurred_at,
          ...(type === 'call.ended' && { duration: 30 }),
        });
        expect(await deliver(system, line, delivery)).to.equal(204);
        await drained(system);
      },
      sweep: () => runJob(system.system.features.ingestion, 'close-lost-calls'),
      call: async () => (await ask('/api/call_logs/'))[0],
      types: async () => (await ask('/api/call_events/?after=0')).map((event: { type: string }) => event.type),
      statistics: () => ask(`/api/carriers/${line.id}/statistics/`),
    };
  }

  it('are closed as lost when they are due, counted, and corrected by a late end', async () => {
    clock.set(start);
    const { tell, sweep, call, types, statistics } = await setUp();
    await tell('call.ringing', start);
    clock.set(start + 3000);
    await tell('call.answered', start + 3000);
    clock.set(start + 122_000);
    await sweep();
    const early = await call();
    clock.set(start + 124_000);
    await sweep();
    const lost = await call();
    await sweep();
    const counted = await statistics();
    await tell('call.ended', start + 40_000);
    const ended = await call();

    expect(early).to.include({ status: 'answered', disposition: null });
    expect(lost).to.include({ status: 'ended', disposition: 'lost', ended_at: new Date(start + 3000).toISOString() });
    expect(counted.lost_calls).to.equal(1);
    expect(ended).to.include({
      ...{ status: 'ended', disposition: 'completed', duration: 30 },
      ...{ ended_at: new Date(start + 40_000).toISOString() },
    });
    expect((await statistics()).lost_calls).to.equal(0);
    expect(await types()).to.deep.equal(['call.ringing', 'call.answered', 'call.updated', 'call.ended']);
    expect(await system.system.platform.metrics.registry.metrics()).to.match(/switchboard_calls_lost_total 1\b/);
  });

  it('stay lost when something else than an end comes, which fills in their times', async () => {
    clock.set(start);
    const { tell, sweep, call, types } = await setUp();
    await tell('call.ringing', start);
    clock.set(start + 121_000);
    await sweep();

    await tell('call.answered', start + 5000);

    expect(await call()).to.include({
      ...{ status: 'ended', disposition: 'lost' },
      ...{ answered_at: new Date(start + 5000).toISOString(), ended_at: new Date(start + 5000).toISOString() },
    });
    expect(await types()).to.deep.equal(['call.ringing', 'call.updated', 'call.answered']);
  });
});
