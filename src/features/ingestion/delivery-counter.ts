import type { Knex } from 'knex';
import type { Logger } from '../../platform/log.js';
import { countDeliveries } from './inbox.repository.js';

const FLUSH_EVERY_MS = 500;
const MOST_KEYS = 10_000;

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
  let repeats = new Map<string, { carrierId: string; deliveryKey: string; count: number }>();
  let timer: NodeJS.Timeout | undefined;
  let flushing = Promise.resolve();

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const batch = [...repeats.values()];
    repeats = new Map();
    if (batch.length > 0) {
      flushing = flushing
        .then(() => countDeliveries(db, batch))
        .catch((error: unknown) => log.warn({ err: error, lost: batch.length }, 'deliveries could not be counted'));
    }
    return flushing;
  }

  return {
    count(carrierId, deliveryKey) {
      const key = `${carrierId} ${deliveryKey}`;
      const known = repeats.get(key);
      if (known) known.count += 1;
      else if (repeats.size < MOST_KEYS) repeats.set(key, { carrierId, deliveryKey, count: 1 });
      timer ??= setTimeout(() => void flush(), FLUSH_EVERY_MS).unref();
    },
    flush,
    close: flush,
  };
}
