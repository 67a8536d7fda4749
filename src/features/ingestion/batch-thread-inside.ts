/** The other side of `batch-thread.ts`: what runs in the thread. */
import type { MessagePort } from 'node:worker_threads';
import { createThreadWakeups, type ThreadWakeups } from '../../platform/wakeups-thread.js';
import { type Batch, type BatchDeps, processBatch } from './batch.js';
import { type FromThread, type PackedWebhooks, type ToThread, unpackWebhooks } from './batch-messages.js';
import { fromMemory } from './sources.js';

export interface BatchWorker {
  readonly wakeups: ThreadWakeups;
  /** Works off what is asked for from now on, one after the other. `close` is called when no more will be. */
  serve(deps: BatchDeps, close: () => Promise<void>): void;
}

export function createBatchWorker(port: MessagePort): BatchWorker {
  const post = (message: FromThread): void => port.postMessage(message);
  const wakeups = createThreadWakeups({ postMessage: (told) => post({ kind: 'told', told }) });

  let working = Promise.resolve();

  async function workOff(deps: BatchDeps, number: number, packed: readonly PackedWebhooks[]): Promise<void> {
    try {
      const done = await processBatch(deps, fromMemory(packed.map(unpackWebhooks)));
      post({ kind: 'done', number, done: slim(done) });
    } catch (error) {
      post({ kind: 'failed', number, reason: String(error) });
    }
  }

  return {
    wakeups,
    serve(deps, close) {
      port.on('message', (message: ToThread) => {
        if (message.kind === 'hint') wakeups.heard(message.hint);
        else if (message.kind === 'batch') {
          const { number, packed } = message;
          working = working.then(() => workOff(deps, number, packed));
        } else void close().finally(() => port.close());
      });
      post({ kind: 'ready' });
    },
  };
}

/** Without what nobody asks for there. */
const slim = ({ webhooks, delays, outcomes, takenUp }: Batch): Batch => ({
  webhooks: webhooks.map(({ provider, carrier_id, is_new, method, received_at }) => ({
    provider,
    carrier_id,
    is_new,
    method,
    received_at,
  })),
  delays,
  outcomes: outcomes.map(({ status, code }) => ({ status, code })),
  takenUp,
});
