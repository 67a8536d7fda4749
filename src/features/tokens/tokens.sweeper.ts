import type { Knex } from 'knex';
import type { Clock } from '../../lib/clock.js';

import { deleteEndedFamilies } from './tokens.repository.js';

declare module '../../platform/queue/queue.js' {
  interface JobMap {
    'sweep-tokens': Record<string, never>;
  }
}

export const SWEEP_EVERY_MS = 3_600_000;
const BATCH = 1000;
/** For processes whose clocks differ a little. */
const GRACE_MS = 3_600_000;

/** Deletes the sign-ins of which no token lives any more; answers how many. */
export function createTokensSweeper({ db, clock }: { readonly db: Knex; readonly clock: Clock }) {
  return async function sweep(): Promise<number> {
    const before = new Date(clock.now() - GRACE_MS);
    let total = 0;
    for (let deleted = BATCH; deleted === BATCH; total += deleted)
      deleted = await deleteEndedFamilies(db, before, BATCH);
    return total;
  };
}
