import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Knex } from 'knex';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../platform/log.js';
import { DAY_MS } from './retention.js';
import { deleteOldCalls, findCallRetentions } from './retention.repository.js';

declare module '../../platform/queue/queue.js' {
  interface JobMap {
    'delete-old-calls': Record<string, never>;
  }
}

export const SWEEP_EVERY_MS = 60_000;
/** Some 30 ms: each row stands in a dozen indexes. */
const BATCH = 500;

export interface SweeperDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Deletes call logs that are older than their account keeps them; answers how many. */
export function createRetentionSweeper({ db, clock, log }: SweeperDeps) {
  return async function sweep(): Promise<number> {
    let total = 0;
    for (const [accountId, days] of await findCallRetentions(db)) {
      const before = new Date(clock.now() - days * DAY_MS);
      for (let deleted = BATCH; deleted === BATCH; total += deleted) {
        deleted = await deleteOldCalls(db, { accountId, before, limit: BATCH });
        await nextTurn();
      }
    }
    if (total > 0) log.info({ deleted: total }, 'old call logs deleted');
    return total;
  };
}
