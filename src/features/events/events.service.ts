import type { Knex } from 'knex';
import type { Db } from '../../platform/db/connect.js';
import { begin, commitTogether, type Statement } from '../../platform/db/statement.js';
import type { Wakeups } from '../../platform/wakeups.js';
import type { NewEvent, StoredEvent } from './event.js';
import { insertEvents, placeEvents } from './events.repository.js';

/** A burst is read from the database, by the processes that listen, rather than written out once more for all of them. */
const MOST_TOLD = 32;

export type Record = (event: NewEvent) => void;

/** Topic of the hints that accounts' logs have grown: a list of StoredEvent, or of `{accountId, seq}`. */
export const EVENTS_TOPIC = 'events';

/** Topic of the hints that an account's past events read otherwise now; the hint is the account's id. */
export const EVENTS_REWRITTEN_TOPIC = 'events-rewritten';

export interface EventLog {
  /**
   * Runs the work in one transaction, appends what it recorded at the end, commits, and wakes the readers. Nothing
   * after the append may wait for a lock: the counters it holds are everybody's.
   */
  transaction<T>(work: (tx: Db, record: Record) => Promise<T>, close?: (tx: Db, done: T) => Closing): Promise<T>;
}

/** What ends a transaction, when its work is done. */
export interface Closing {
  /** Statements that may still wait for locks, sent along with what places the events. */
  readonly ahead?: readonly Statement[];
  /**
   * Called inside the transaction once the events have their places (also without any): what carries a seq. The
   * statements that it answers are sent along with the commit.
   */
  readonly placed?: (events: readonly StoredEvent[]) => readonly Statement[] | Promise<readonly Statement[]>;
}

export function createEventLog(db: Knex, wakeups: Wakeups): EventLog {
  return {
    async transaction(work, close) {
      const recorded: NewEvent[] = [];
      const tx = await begin(db);
      try {
        const outcome = await work(tx, (event) => recorded.push(event));
        const { ahead = [], placed } = close?.(tx, outcome) ?? {};
        const stored = await placeEvents(tx, recorded, ahead);
        const last = (await placed?.(stored)) ?? [];
        await commitTogether(tx, [...last, ...insertEvents(stored)]);
        if (stored.length > 0) tell(wakeups, stored);
        return outcome;
      } catch (error) {
        if (!tx.isCompleted()) await tx.rollback().catch(() => undefined);
        throw error;
      }
    },
  };
}

/** The events themselves: who stands right before them need not ask the database. */
function tell(wakeups: Wakeups, stored: readonly StoredEvent[]): void {
  const committedAt = Date.now();
  const events = stored.map((event) => ({ ...event, committedAt }));
  const newest = newestOf(stored);
  wakeups.publish(EVENTS_TOPIC, events, events.length > MOST_TOLD ? [newest] : [events, newest]);
}

/** Where to look: each account with its newest event. */
function newestOf(events: readonly StoredEvent[]): readonly Pick<StoredEvent, 'accountId' | 'seq'>[] {
  return [...new Map(events.map(({ accountId, seq }) => [accountId, { accountId, seq }])).values()];
}
