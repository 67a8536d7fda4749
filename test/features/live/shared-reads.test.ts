import { expect } from 'chai';
import { CALL_COLUMNS } from '../../../src/features/calls/call.js';
import { presentCall } from '../../../src/features/calls/calls.present.js';
import { createBoardReader } from '../../../src/features/live/live.queries.js';
import { createSharedReads } from '../../../src/features/live/shared-reads.js';
import { newId } from '../../../src/lib/ids.js';
import { createWorld, type World } from './live-world.js';

describe('shared reads of the live channel', function () {
  this.timeout(30_000);
  let world: World;

  before(async () => {
    world = await createWorld();
  });
  after(() => world.close());

  const createReads = () =>
    createSharedReads(world.db, createBoardReader(world.db, { columns: CALL_COLUMNS, present: presentCall }));

  async function countStatements<T>(work: () => Promise<T>): Promise<{ statements: number; result: T }> {
    let statements = 0;
    const count = (): void => {
      statements += 1;
    };
    world.db.on('query', count);
    const result = await work();
    world.db.off('query', count);
    return { statements, result };
  }

  it('reads the log once for all that stand on the same page, whatever their cursors', async () => {
    const [accountId, other] = [await world.writer.account(), await world.writer.account()];
    for (let i = 0; i < 5; i += 1) await world.writer.call(accountId);
    await world.writer.call(other);
    const reads = createReads();

    const { statements, result } = await countStatements(() =>
      Promise.all([
        ...[3, 0, 0, 5].map((after) => reads.page({ accountId, after })),
        reads.page({ accountId: other, after: 0 }),
      ]),
    );

    // The cursor at the newest event asks for what that page cannot hold.
    expect(statements).to.equal(3);
    expect(result.map(({ events }) => events.map(({ seq }) => seq))).to.deep.equal([
      [4, 5],
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5],
      [],
      [1],
    ]);
    expect(result.map(({ newest }) => newest)).to.deep.equal([5, 5, 5, 5, 1]);
  });

  it('never answers with what was read before it was asked', async () => {
    const accountId = await world.writer.account();
    const reads = createReads();

    const early = reads.page({ accountId, after: 0 });
    await early;
    await world.writer.call(accountId);
    const late = await Promise.all([reads.page({ accountId, after: 0 }), reads.bounds(accountId)]);

    expect(late.map(({ newest }) => newest)).to.deep.equal([1, 1]);
  });

  it('lets no account wait for what another one asks', async () => {
    const [busy, quiet] = [await world.writer.account(), await world.writer.account()];
    await world.writer.call(quiet);
    const held: (() => void)[] = [];
    const isBusy = (bindings: unknown): boolean => (bindings as { accountId?: string }).accountId === busy;
    const db = new Proxy(world.db, {
      get: (target, name) => {
        if (name !== 'raw') return Reflect.get(target, name);
        return async (sql: string, bindings: never) => {
          if (isBusy(bindings)) await new Promise<void>((go) => held.push(go));
          return target.raw(sql, bindings);
        };
      },
    });
    const readBoard = createBoardReader(world.db, { columns: CALL_COLUMNS, present: presentCall });
    const reads = createSharedReads(db, async (visibility) => {
      if (visibility.accountId === busy) await new Promise<void>((go) => held.push(go));
      return readBoard(visibility);
    });

    const pages = [0, 300, 600, 900, 1200, 1500].map((after) => reads.page({ accountId: busy, after }));
    const boards = [null, newId(), newId()].map((userId) => reads.board({ accountId: busy, userId }));
    const [page, board] = await Promise.all([
      reads.page({ accountId: quiet, after: 0 }),
      reads.board({ accountId: quiet, userId: null }),
    ]);

    expect(held).to.have.lengthOf(2);
    expect([page.events.length, board.calls.length]).to.deep.equal([1, 1]);
    let isDone = false;
    const all = Promise.all([...pages, ...boards]).then(() => (isDone = true));
    while (!isDone) {
      held.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await all;
  });

  it('reads a board once for all who see the same, and another one for each who does not', async () => {
    const accountId = await world.writer.account();
    const userId = newId();
    const mine = await world.writer.call(accountId, { user_id: userId });
    await world.writer.call(accountId);
    const reads = createReads();

    const { statements, result } = await countStatements(() =>
      Promise.all([null, userId, null, userId].map((whose) => reads.board({ accountId, userId: whose }))),
    );

    expect(statements).to.equal(2);
    expect(result.map(({ calls }) => calls.length)).to.deep.equal([2, 1, 2, 1]);
    expect(result[1]?.calls[0]?.id).to.equal(mine);
  });
});
