import type { AuditTrail } from '../../http/audit.js';
import type { AnyRoute } from '../../http/route.js';
import type { Db } from '../../platform/db/connect.js';
import type { Platform } from '../../platform/platform.js';
import type { PeriodicJob } from '../../platform/queue/periodic.js';
import { deleteEntriesBefore, insertEntries } from './audit.repository.js';
import { auditRoutes } from './audit.routes.js';
import { createAuditSweeper, SWEEP_EVERY_MS } from './audit.sweeper.js';
import { type NewAuditEntry, SYSTEM } from './audit-entry.js';
import { createTrail } from './trail.js';

export { blankDetails } from './audit.repository.js';
export { type AuditActor, type NewAuditEntry, NOBODY, type Origin } from './audit-entry.js';

/** Writes entries; on a transaction they stand or fall with it. */
export type RecordAudit = (db: Db, ...entries: readonly NewAuditEntry[]) => Promise<void>;

/**
 * The audit log: who changed what, and every sign-in.
 *
 * @example
 * mountRoutes(routes, { authenticate, limit, audit: audit.trail });   // every change through REST, by itself
 * await audit.record(tx, { action: 'sign_in', … });                  // what a feature tells in its own transaction
 * await blankDetails(tx, accountId, callLogIds);                      // erasure: what the entries tell of these goes
 */
export interface Audit {
  readonly trail: AuditTrail;
  readonly record: RecordAudit;
  /** What the command line does. */
  recordBySystem(told: Pick<NewAuditEntry, 'accountId' | 'action' | 'objectId' | 'after'>): Promise<void>;
  readonly routes: readonly AnyRoute[];
  readonly jobs: readonly PeriodicJob[];
  /** Deletes what is older; answers how many. By hand alone: nothing else shortens the log. */
  prune(before: Date): Promise<number>;
  sweep(): Promise<number>;
}

export function createAudit(platform: Platform): Audit {
  const { db, clock, log } = platform;
  const record: RecordAudit = (on, ...entries) => insertEntries(on, entries, new Date(clock.now()));
  const sweep = createAuditSweeper({ db, clock, log });
  return {
    sweep,
    trail: createTrail({ db, clock, log }),
    record,
    recordBySystem: (told) =>
      record(db, {
        ...told,
        ...{ outcome: 'succeeded', actor: SYSTEM, address: null, requestId: null, members: [], before: null },
        objectType: told.action.split('.', 1)[0] ?? '',
      }),
    routes: auditRoutes(db),
    jobs: [{ name: 'sweep-audit', everyMs: SWEEP_EVERY_MS, run: sweep }],
    prune: (before) => deleteEntriesBefore(db, before),
  };
}
