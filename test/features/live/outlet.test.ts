import { Socket } from 'node:net';
import { expect } from 'chai';
import { createEventLog } from '../../../src/features/events/index.js';
import { newId } from '../../../src/lib/ids.js';
import { createWorld, openSocket, tokenFor, type World } from './live-world.js';

type Write = (this: Socket, ...args: unknown[]) => void;

/** Counts the calls by which what contains `text` is given to the kernel; answers how to stop. */
function countWrites(text: string): () => number {
  const prototype = Socket.prototype as unknown as { _write: Write; _writev: Write };
  const { _write: single, _writev: several } = prototype;
  let count = 0;
  const note = (chunks: readonly unknown[]): void => {
    if (chunks.some((chunk) => Buffer.isBuffer(chunk) && chunk.includes(text))) count += 1;
  };
  prototype._write = function write(...args) {
    note([args[0]]);
    return single.apply(this, args);
  };
  prototype._writev = function writev(...args) {
    note((args[0] as { chunk: unknown }[]).map(({ chunk }) => chunk));
    return several.apply(this, args);
  };
  return () => {
    Object.assign(prototype, { _write: single, _writev: several });
    return count;
  };
}

describe('what waits to be written to live clients', function () {
  this.timeout(30_000);
  let world: World;
  before(async () => {
    world = await createWorld();
  });
  after(() => world.close());

  it('is written together: the events of a transaction cost a client few calls, not one each', async () => {
    const wakeups = world.wakeupsOf();
    const node = await world.startNode({}, wakeups);
    const accountId = await world.writer.account();
    const client = openSocket(node.url, { token: tokenFor({ accountId }) });
    await client.next('snapshot');

    const stopCounting = countWrites('"call.updated"');
    await createEventLog(world.db, wakeups).transaction(async (_, record) => {
      for (let place = 0; place < 30; place += 1) {
        const at = Date.now();
        const told = { accountId, type: 'call.updated', subjectId: newId(), occurredAt: at, receivedAt: at } as const;
        record({ ...told, payload: { id: told.subjectId } });
      }
    });
    await client.next('call.updated', ({ seq }) => seq === 30);

    expect(stopCounting()).to.be.within(1, 3);
    expect(client.events().map(({ seq }) => seq)).to.deep.equal(Array.from({ length: 30 }, (_, place) => place + 1));
    client.close();
  });
});
