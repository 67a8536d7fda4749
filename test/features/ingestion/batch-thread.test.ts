import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import {
  type FromThread,
  packWebhooks,
  type ToThread,
  unpackWebhooks,
} from '../../../src/features/ingestion/batch-messages.js';
import { createBatchThread } from '../../../src/features/ingestion/batch-thread.js';
import type { PendingWebhook } from '../../../src/features/ingestion/inbound-webhook.js';
import { createLogger } from '../../../src/platform/log.js';
import type { Wakeups } from '../../../src/platform/wakeups.js';
import { failureOf } from '../../support/failure-of.js';
import { until } from '../../support/until.js';
import { pendingWebhook } from './pending-webhook.js';

const pending = (more: Partial<PendingWebhook> = {}): PendingWebhook =>
  pendingWebhook({ headers: { 'x-name': 'Grüße "📞"' }, ...more });

describe('webhooks on their way to a thread', () => {
  it('arrive as they were', () => {
    const pool = Buffer.from('before {"ü":1} after');
    const webhooks = [
      pending({ body: pool.subarray(7, 15) }),
      pending({ body: Buffer.alloc(0), code: 'carrier_inactive', attempts: 3 }),
      pending({ body: Buffer.from([0, 255, 128, 10]), headers: {}, delivery_key: 'ß\n"' }),
    ];

    expect(unpackWebhooks(structuredClone(packWebhooks(webhooks)))).to.deep.equal(webhooks);
  });
});

/** In the place of a thread, played by the test. */
class Played extends EventEmitter {
  readonly told: ToThread[] = [];
  isTerminated = false;
  postMessage(message: ToThread, moved?: ArrayBuffer[]): void {
    this.told.push(structuredClone(message, { transfer: moved ?? [] }));
    if (message.kind === 'close') this.emit('exit', 0);
  }
  unref(): void {}
  async terminate(): Promise<number> {
    this.isTerminated = true;
    this.emit('exit', 1);
    return 1;
  }
  say(message: FromThread): void {
    this.emit('message', message);
  }
}

const DONE = {
  webhooks: [pending()],
  delays: [5],
  outcomes: [{ status: 'processed' as const, code: null }],
  takenUp: 0,
};
const numberOf = (told: ToThread | undefined): number => (told?.kind === 'batch' ? told.number : Number.NaN);
const some = () => [packWebhooks([pending()])];
const wakeups: Wakeups = { publish: () => undefined, subscribe: () => () => undefined, close: async () => undefined };

describe('the thread for batches', () => {
  let begun: Played[];
  const open = (more: { idleMs?: number } = {}) => {
    begun = [];
    const start = (): Worker => {
      begun.push(new Played());
      return begun.at(-1) as unknown as Worker;
    };
    return createBatchThread({ start, wakeups, log: createLogger('silent'), ...more });
  };
  const at = (place: number): Played => begun[place] as Played;

  it('is begun by the first batch, and takes those that come when it is ready, two at a time', async () => {
    const thread = open();
    expect(begun).to.have.lengthOf(0);
    expect(thread.workOff(some)).to.equal(null);
    expect(begun).to.have.lengthOf(1);
    expect(thread.workOff(some)).to.equal(null);
    expect(thread.isReady()).to.equal(false);
    at(0).say({ kind: 'ready' });
    expect(thread.isReady()).to.equal(true);
    const webhook = pending();
    const first = thread.workOff(() => [packWebhooks([webhook])]);
    const second = thread.workOff(some);
    expect(thread.workOff(some)).to.equal(null);
    const [told, next] = at(0).told;
    at(0).say({ kind: 'done', number: numberOf(next), done: { ...DONE, takenUp: 2 } });
    at(0).say({ kind: 'done', number: numberOf(told), done: DONE });

    expect(await first).to.deep.equal(DONE);
    expect(await second).to.deep.equal({ ...DONE, takenUp: 2 });
    expect(thread.workOff(some)).not.to.equal(null);
    expect(begun).to.have.lengthOf(1);
    expect(told?.kind === 'batch' && told.packed.flatMap(unpackWebhooks)).to.deep.equal([webhook]);
  });

  it('tells when a batch has failed, and takes the next one', async () => {
    const thread = open();
    thread.workOff(some);
    at(0).say({ kind: 'ready' });
    const failing = Promise.resolve(thread.workOff(some));
    at(0).say({ kind: 'failed', number: numberOf(at(0).told[0]), reason: 'no good' });

    expect(await failureOf(failing))
      .to.be.an('error')
      .with.property('message', 'no good');
    expect(thread.workOff(some)).not.to.equal(null);
  });

  it('leaves its batches to others when it ends, and is not begun again at once', async () => {
    const thread = open();
    thread.workOff(some);
    at(0).say({ kind: 'ready' });
    const left = [Promise.resolve(thread.workOff(some)), Promise.resolve(thread.workOff(some))] as const;
    at(0).emit('error', new Error('out of memory'));
    at(0).emit('exit', 1);

    for (const batch of left) expect(await failureOf(batch)).to.be.an('error');
    expect(thread.workOff(some)).to.equal(null);
    expect(begun).to.have.lengthOf(1);
  });

  it('ends when no crowd comes, and is begun again by the next one', async () => {
    const thread = open({ idleMs: 20 });
    thread.workOff(some);
    at(0).say({ kind: 'ready' });
    await until('it was closed', () => at(0).told.some(({ kind }) => kind === 'close'));
    thread.workOff(some);

    expect(begun).to.have.lengthOf(2);
    await thread.close();
  });

  it('does not end while it works', async () => {
    const thread = open({ idleMs: 20 });
    thread.workOff(some);
    at(0).say({ kind: 'ready' });
    const long = thread.workOff(some);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(at(0).told.map(({ kind }) => kind)).to.deep.equal(['batch']);
    at(0).say({ kind: 'done', number: numberOf(at(0).told[0]), done: DONE });

    await long;
    await until('it was closed', () => at(0).told.at(-1)?.kind === 'close');
  });

  it('is closed with the process, and takes nothing then', async () => {
    const thread = open();
    thread.workOff(some);
    at(0).say({ kind: 'ready' });
    await thread.close();

    expect(at(0).told.map(({ kind }) => kind)).to.deep.equal(['close']);
    expect(thread.workOff(some)).to.equal(null);
    expect(begun).to.have.lengthOf(1);
  });
});
