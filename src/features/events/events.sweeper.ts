import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Knex } from 'knex';
import type { Logger } from '../../platform/log.js';
import { findAccountsToPrune, pruneEvents } from './events.repository.js';

declare module '../../platform/queue/queue.js' {
  interface JobMap {
    'prune-events': Record<string, never>;
  }
}

/** How often old events are looked for. */
export const PRUNE_EVERY_MS = 60_000;
/** A batch locks the account's counter for the end of its transaction only; 5,000 rows go in some 20 ms. */
const BATCH = 5000;

/** Deletes the events that are older than they are kept, the oldest first; the cursor rules live on `pruned_seq`. */
export function createEventSweeper(deps: { db: Knex; log: Logger; retentionSeconds: number }) {
  return async function prune(): Promise<number> {
    let total = 0;
    for (const account of await findAccountsToPrune(deps.db, deps.retentionSeconds)) {
      for (let deleted = BATCH; deleted === BATCH; ) {
        deleted = await deps.db.transaction((tx) => pruneEvents(tx, account, BATCH));
        total += deleted;
        await nextTurn();
      }
    }
    if (total > 0) deps.log.info({ deleted: total }, 'old events deleted');
    return total;
  };
}
