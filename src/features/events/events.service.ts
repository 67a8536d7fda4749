import type { Knex } from 'knex';
import type { Db } from '../../platform/db/connect.js';
import type { Wakeups } from '../../platform/wakeups.js';
import type { NewEvent, StoredEvent } from './event.js';
import { appendEvents } from './events.repository.js';

export type Record = (event: NewEvent) => void;

/** Topic of the hints that an account's log has grown: JSON of `[{a: account id, e: [events with seq]}]`. */
export const EVENTS_TOPIC = 'events';

export interface EventLog {
  /**
   * Runs the work in one transaction, appends what it recorded as the last statement, commits, and wakes the readers.
   * `recorded` gets the events with their places before the commit, for what must carry their seq.
   */
  transaction<T>(work: (tx: Db, record: Record) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

export interface TransactionOptions {
  /** Called after the append, inside the transaction, with the events as they were placed. */
  readonly placed?: (tx: Db, events: readonly StoredEvent[]) => Promise<void>;
}

export function createEventLog(db: Knex, wakeups: Wakeups): EventLog {
  return {
    async transaction(work, options = {}) {
      let stored: StoredEvent[] = [];
      const result = await db.transaction(async (tx) => {
        const recorded: NewEvent[] = [];
        const outcome = await work(tx, (event) => recorded.push(event));
        stored = await appendEvents(tx, recorded);
        await options.placed?.(tx, stored);
        return outcome;
      });
      if (stored.length > 0) wakeups.publish(EVENTS_TOPIC, JSON.stringify(stored));
      return result;
    },
  };
}
