import type { Knex } from 'knex';
import type { Db, SqlRunner } from '../../platform/db/connect.js';
import { begin, commitTogether, runTogether, type Statement } from '../../platform/db/statement.js';
import { type Beginning, beginAlong, type Transaction } from '../../platform/db/transaction.js';
import type { Wakeups } from '../../platform/wakeups.js';
import type { NewEvent, QueuedEvent, StoredEvent } from './event.js';
import { insertEvents, lineUp, raiseCounters } from './events.repository.js';

/** A burst is read from the database, by the processes that listen, rather than written out once more for all of them. */
const MOST_TOLD = 32;

export type Record = (event: NewEvent) => void;

/** Topic of the hints that accounts' logs have grown: a list of StoredEvent, or of `{accountId, seq}`. */
export const EVENTS_TOPIC = 'events';

/** Topic of the hints that an account's past events read otherwise now; the hint is the account's id. */
export const EVENTS_REWRITTEN_TOPIC = 'events-rewritten';

export interface EventLog {
  /**
   * Runs the work in one transaction, appends what it recorded, commits, and wakes the readers. What it still has to
   * write goes along with the events and the commit. Nothing that is written then may wait for a lock: the counters
   * that are held by that time are everybody's.
   */
  transaction<T>(work: (tx: Db, record: Record) => Promise<T>, close?: Close<T>): Promise<T>;
  /**
   * The same for work that comes often and asks in SQL alone. The begin goes along with what it asks first, which must
   * be reading or locks of the transaction where that is a query of Knex.
   */
  leanTransaction<T>(
    work: (tx: SqlRunner, record: Record) => Promise<T>,
    close: Close<T>,
    beginning?: Beginning,
  ): Promise<T>;
}

/** Asked when the work is done. `queue`: what it recorded, in that order. */
export type Close<T> = (tx: SqlRunner, done: T, queue: readonly QueuedEvent[]) => Closing;

export interface Closing {
  /** What may still wait for locks: sent first. */
  readonly ahead?: readonly Statement[];
  /** What is written once the accounts' counters are raised, which `newestSeq` tells. */
  readonly writes?: readonly Statement[];
  /** What is left to do before the commit, when all of that is written. */
  readonly finish?: (() => Promise<void>) | undefined;
}

export function createEventLog(db: Knex, wakeups: Wakeups): EventLog {
  async function inside<Tx extends Knex.Transaction | Transaction, T>(
    tx: Tx,
    work: (tx: Tx, record: Record) => Promise<T>,
    close?: Close<T>,
  ): Promise<T> {
    const recorded: NewEvent[] = [];
    const outcome = await work(tx, (event) => recorded.push(event));
    const queue = lineUp(recorded);
    const newest = await end(tx, queue, close?.(tx, outcome, queue) ?? {});
    if (queue.length > 0) tell(wakeups, placed(queue, newest, Date.now()));
    return outcome;
  }

  return {
    async transaction(work, close) {
      const tx = await begin(db);
      try {
        return await inside(tx, work, close);
      } catch (error) {
        if (!tx.isCompleted()) await tx.rollback().catch(() => undefined);
        throw error;
      }
    },
    async leanTransaction(work, close, beginning) {
      const tx = await beginAlong(db, beginning);
      try {
        return await inside(tx, work, close);
      } catch (error) {
        await tx.rollback();
        throw error;
      }
    },
  };
}

/** Sends all that is left and the commit in one go; answers the newest place of each account. */
async function end(
  tx: Knex.Transaction | Transaction,
  queue: readonly QueuedEvent[],
  { ahead = [], writes = [], finish }: Closing,
): Promise<ReadonlyMap<string, number>> {
  const raise = queue.length > 0 ? [raiseCounters(queue)] : [];
  const statements = [...ahead, ...raise, ...writes, ...insertEvents(queue)];
  let answers: unknown[];
  if (finish) {
    answers = await runTogether(tx, statements);
    await finish();
    await commitTogether(tx, []);
  } else answers = await commitTogether(tx, statements);
  return queue.length > 0 ? (answers[ahead.length] as Map<string, number>) : new Map();
}

const placed = (
  queue: readonly QueuedEvent[],
  newest: ReadonlyMap<string, number>,
  committedAt: number,
): StoredEvent[] =>
  queue.map((event) => ({
    accountId: event.accountId,
    seq: (newest.get(event.accountId) ?? 0) - event.behind,
    type: event.type,
    subjectId: event.subjectId,
    occurredAt: event.occurredAt,
    receivedAt: event.receivedAt,
    payload: event.payload,
    before: event.before ?? null,
    committedAt,
  }));

/** The events themselves: who stands right before them need not ask the database. */
function tell(wakeups: Wakeups, events: readonly StoredEvent[]): void {
  const newest = newestOf(events);
  wakeups.publish(EVENTS_TOPIC, events, events.length > MOST_TOLD ? [newest] : [events, newest]);
}

/** Where to look: each account with its newest event. */
function newestOf(events: readonly StoredEvent[]): readonly Pick<StoredEvent, 'accountId' | 'seq'>[] {
  return [...new Map(events.map(({ accountId, seq }) => [accountId, { accountId, seq }])).values()];
}
