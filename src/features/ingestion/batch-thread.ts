/**
 * A thread of the process that works off batches while the process stores webhooks. On one thread the two take turns,
 * and while either waits for PostgreSQL a processor has nothing to do: docs/decisions/0017-crowds-in-a-thread.md.
 *
 * It is begun by the first crowd and ended when none has come for a while. It only ever helps: a batch that it does not
 * work off, for whatever reason, is found in the inbox.
 */
import type { Worker } from 'node:worker_threads';
import type { Logger } from '../../platform/log.js';
import type { Wakeups } from '../../platform/wakeups.js';
import { relayWakeups } from '../../platform/wakeups-thread.js';
import type { Batch } from './batch.js';
import type { FromThread, PackedWebhooks, ToThread } from './batch-messages.js';

const IDLE_MS = 600_000;
/** One that has ended by itself is not begun anew at once. */
const REST_MS = 10_000;
const CLOSE_MS = 3000;
/** The one that is worked off, and the next: it need not wait until the process has time to hand it over. */
const BATCHES_AT_ONCE = 2;

export interface BatchThread {
  /** Whether it is up. It is begun by the first batch. */
  isReady(): boolean;
  /**
   * Two batches at a time, one after the other; their bytes are gone from here then. Null: it cannot, or not yet. Rejects
   * when nothing is known of what became of the batch.
   */
  workOff(pack: () => readonly PackedWebhooks[]): Promise<Batch> | null;
  close(): Promise<void>;
}

export interface BatchThreadDeps {
  start(): Worker;
  readonly wakeups: Wakeups;
  readonly log: Logger;
  /** After so long without a crowd it is ended. */
  readonly idleMs?: number;
}

interface Asked {
  resolve(done: Batch): void;
  reject(error: Error): void;
}

interface Running {
  readonly worker: Worker;
  isReady: boolean;
  /** By the number of the batch. */
  readonly asked: Map<number, Asked>;
  readonly ended: Promise<void>;
}

export function createBatchThread({ start, wakeups, log, idleMs = IDLE_MS }: BatchThreadDeps): BatchThread {
  let running: Running | undefined;
  let restUntil = Number.NEGATIVE_INFINITY;
  let isClosed = false;
  let lastNumber = 0;
  let idle: NodeJS.Timeout | undefined;

  function begin(): void {
    const worker = start();
    const relay = relayWakeups(wakeups, { postMessage: (hint) => post(worker, { kind: 'hint', hint }) });
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const begun: Running = { worker, isReady: false, asked: new Map(), ended };
    running = begun;
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'told') relay.heard(message.told);
      else if (message.kind === 'ready') begun.isReady = true;
      else settle(begun, message);
    });
    worker.on('error', (error) => log.warn({ err: error }, 'the thread for batches has ended'));
    worker.once('exit', () => {
      relay.stop();
      if (running === begun) {
        running = undefined;
        restUntil = performance.now() + REST_MS;
      }
      for (const { reject } of begun.asked.values()) reject(new Error('The thread has ended.'));
    });
    // Nothing waits for it alone.
    worker.unref();
  }

  function settle(begun: Running, message: Extract<FromThread, { kind: 'done' | 'failed' }>): void {
    const asked = begun.asked.get(message.number);
    begun.asked.delete(message.number);
    if (begun.asked.size === 0) endWhenIdle();
    if (message.kind === 'done') asked?.resolve(message.done);
    else asked?.reject(new Error(message.reason));
  }

  function endWhenIdle(): void {
    clearTimeout(idle);
    idle = setTimeout(() => void end(), idleMs).unref();
  }

  async function end(): Promise<void> {
    clearTimeout(idle);
    const ending = running;
    running = undefined;
    if (!ending) return;
    post(ending.worker, { kind: 'close' });
    const late = setTimeout(() => void ending.worker.terminate(), CLOSE_MS);
    await ending.ended;
    clearTimeout(late);
  }

  return {
    isReady: () => running?.isReady ?? false,
    workOff(pack) {
      if (isClosed || performance.now() < restUntil) return null;
      if (!running) {
        begin();
        endWhenIdle();
      }
      const at = running;
      if (!at?.isReady || at.asked.size >= BATCHES_AT_ONCE) return null;
      clearTimeout(idle);
      return new Promise((resolve, reject) => {
        const number = ++lastNumber;
        at.asked.set(number, { resolve, reject });
        const packed = pack();
        const moved = packed.flatMap(({ heads, bodies }) => [heads.buffer, bodies.buffer]);
        at.worker.postMessage({ kind: 'batch', number, packed } satisfies ToThread, moved);
      });
    },
    close() {
      isClosed = true;
      return end();
    },
  };
}

const post = (worker: Worker, message: ToThread): void => worker.postMessage(message);
