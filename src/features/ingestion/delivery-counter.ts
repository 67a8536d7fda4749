import { setTimeout as pause } from 'node:timers/promises';
import type { Knex } from 'knex';
import type { Logger } from '../../platform/log.js';
import { countDeliveries, type Repeat } from './inbox.repository.js';

const FLUSH_EVERY_MS = 500;
const MOST_KEYS = 10_000;
const ROUNDS = 20;
const PAUSE_MS = 10;

/**
 * Counts repeated deliveries off the answer's path: gathered in memory and added twice a second, sorted by key. The
 * record's `deliveries` may be low after a crash; nothing else depends on it.
 */
export interface DeliveryCounter {
  count(carrierId: string, deliveryKey: string): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export function createDeliveryCounter(db: Knex, log: Logger): DeliveryCounter {
  let repeats = new Map<string, Repeat>();
  let timer: NodeJS.Timeout | undefined;
  let flushing = Promise.resolve();

  function add({ carrierId, deliveryKey, count }: Repeat): void {
    const key = `${carrierId} ${deliveryKey}`;
    const known = repeats.get(key);
    if (known) repeats.set(key, { ...known, count: known.count + count });
    else if (repeats.size < MOST_KEYS) repeats.set(key, { carrierId, deliveryKey, count });
    timer ??= setTimeout(() => void flush(), FLUSH_EVERY_MS).unref();
  }

  /** Rows that a worker holds are asked for again, first soon, then with the next flush. */
  async function write(batch: readonly Repeat[]): Promise<void> {
    try {
      let held = await countDeliveries(db, batch);
      for (let round = 0; held.length > 0 && round < ROUNDS; round++) {
        await pause(PAUSE_MS);
        held = await countDeliveries(db, held);
      }
      for (const repeat of held) add(repeat);
    } catch (error) {
      log.warn({ err: error, lost: batch.length }, 'deliveries could not be counted');
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const batch = [...repeats.values()];
    repeats = new Map();
    if (batch.length > 0) flushing = flushing.then(() => write(batch));
    return flushing;
  }

  return {
    count: (carrierId, deliveryKey) => add({ carrierId, deliveryKey, count: 1 }),
    flush,
    async close() {
      await flush();
      clearTimeout(timer);
    },
  };
}
