import { expect } from 'chai';
import { pino } from 'pino';
import { createEventSweeper } from '../../../src/features/events/events.sweeper.js';
import { findLogBounds, readEventPage } from '../../../src/features/events/index.js';
import { createWorld, type World } from '../live/live-world.js';

describe('event sweeper', function () {
  this.timeout(30_000);
  let world: World;

  before(async () => {
    world = await createWorld();
  });
  after(() => world.close());

  async function aged(accountId: string, seqs: readonly number[], days: number): Promise<void> {
    await world.db.raw(
      'update events set created_at = now() - make_interval(days => ?) where account_id = ? and seq = any(?::bigint[])',
      [days, accountId, [...seqs]],
    );
  }

  const sweep = () =>
    createEventSweeper({ db: world.db, log: pino({ level: 'silent' }), retentionSeconds: 7 * 86_400 })();

  it('deletes what is older than it is kept, up to the first event that is not', async () => {
    const accountId = await world.writer.account();
    for (let i = 0; i < 6; i += 1) await world.writer.call(accountId);
    await aged(accountId, [1, 2, 3, 5], 8);

    await sweep();

    const left = await readEventPage(world.db, accountId, { after: 0, limit: 10 });
    expect(left.events.map(({ seq }) => seq)).to.deep.equal([4, 5, 6]);
    expect(left).to.include({ newest: 6, pruned: 3 });
  });

  it("keeps an account's own time where it has one", async () => {
    const [short, long] = [await world.writer.account(), await world.writer.account()];
    await world.db('accounts').where({ id: short }).update({ event_retention_days: 1 });
    await world.db('accounts').where({ id: long }).update({ event_retention_days: 30 });
    for (const id of [short, long]) {
      await world.writer.call(id);
      await world.writer.call(id);
      await aged(id, [1], 2);
    }

    await sweep();

    const bounds = await findLogBounds(world.db, [short, long]);
    expect(bounds.get(short)).to.deep.equal({ newest: 2, pruned: 1 });
    expect(bounds.get(long)).to.deep.equal({ newest: 2, pruned: 0 });
  });
});
