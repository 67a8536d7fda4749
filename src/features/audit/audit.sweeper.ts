import type { Knex } from 'knex';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../platform/log.js';
import { settleForgotten } from './audit.repository.js';

declare module '../../platform/queue/queue.js' {
  interface JobMap {
    'sweep-audit': Record<string, never>;
  }
}

export const SWEEP_EVERY_MS = 60_000;
/** No request works that long. */
const FORGOTTEN_AFTER_MS = 15 * 60_000;

/** Tells of the changes whose process died before it could; answers how many. */
export function createAuditSweeper({ db, clock, log }: { db: Knex; clock: Clock; log: Logger }) {
  return async function sweep(): Promise<number> {
    const settled = await settleForgotten(db, new Date(clock.now() - FORGOTTEN_AFTER_MS));
    if (settled > 0) log.warn({ settled }, 'changes of unknown outcome are in the audit log');
    return settled;
  };
}
