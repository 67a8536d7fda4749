import { setTimeout as pause } from 'node:timers/promises';
import type { Knex } from 'knex';
import { createNumberEraser } from '../../lib/number-eraser.js';
import type { Db } from '../../platform/db/connect.js';
import type { Logger } from '../../platform/log.js';
import type { SecretBox } from '../../platform/secret-box.js';
import { ERASURE_STEPS, type Erasure, HEARD_AFTER_MS } from './erasure.js';
import {
  beginRenaming,
  claimErasure,
  findDueErasures,
  hasOlderWriters,
  hasWritersBefore,
  saveProgress,
} from './erasure.repository.js';
import type { ErasureRule } from './erasure-rule.js';
import { STEPS } from './erasure-steps.js';
import { sealingPlace } from './pseudonyms.js';

declare module '../../platform/queue/queue.js' {
  interface JobMap {
    'erase-parties': Record<string, never>;
  }
}

export const LOOK_EVERY_MS = 5000;
const PATIENCE_MS = 50;

export interface EraserDeps {
  readonly db: Knex;
  readonly log: Logger;
  readonly secrets: SecretBox;
  readonly rule: Pick<ErasureRule, 'callIds'>;
  /** Tells whoever keeps events in memory that those of the account are others now. */
  rewritten(accountId: string): void;
}

/** Works off the erasures that are due; answers how many were finished. A crash anywhere costs one page done again. */
export function createErasureWorker(deps: EraserDeps) {
  const { db, log, rewritten } = deps;

  /** Null: another worker is at it. */
  async function finish(id: string): Promise<Erasure | null> {
    while (await hasOlderWriters(db, HEARD_AFTER_MS, id)) await pause(PATIENCE_MS);
    // Only now, when everybody has heard of it and asks what ids are now, may one be renamed.
    const begun = await beginRenaming(db, id);
    while (await hasWritersBefore(db, begun)) await pause(PATIENCE_MS);
    for (;;) {
      const erasure = await db.transaction((tx: Db) => doPage(tx, deps, id));
      if (!erasure) return null;
      if (erasure.status === 'done') return erasure;
    }
  }

  return async function work(): Promise<number> {
    let finished = 0;
    for (const id of await findDueErasures(db, HEARD_AFTER_MS)) {
      try {
        const erasure = await finish(id);
        if (!erasure) continue;
        finished += 1;
        rewritten(erasure.account_id);
        log.info({ erasureId: id, accountId: erasure.account_id, changed: erasure.changed }, 'number erased');
      } catch (error) {
        // One that cannot be done now must not keep the others waiting; the next look tries it again.
        log.error({ err: error, erasureId: id }, 'number could not be erased');
      }
    }
    return finished;
  };
}

/** Undefined: another worker is at it. */
async function doPage(tx: Db, { secrets, rule }: EraserDeps, id: string): Promise<Erasure | undefined> {
  const erasure = await claimErasure(tx, id);
  if (!erasure?.sealed_number) return undefined;
  const { account_id: accountId, pseudonym, sealed_number, step, place } = erasure;
  const number = secrets.open(sealed_number, sealingPlace(accountId));
  const eraser = createNumberEraser(number, pseudonym);
  const callIds = await rule.callIds();
  if (!callIds) throw new Error('The erasure is not known yet.');
  const { table, changed, next } = await STEPS[step](tx, { accountId, eraser, callIds, place });
  const progress = after(erasure, next);
  const count = (erasure.changed[table] ?? 0) + changed;
  const saved = { ...progress, changed: { ...erasure.changed, [table]: count } };
  await saveProgress(tx, saved);
  return saved;
}

function after(erasure: Erasure, next: unknown): Erasure {
  if (next !== null) return { ...erasure, status: 'running', place: next };
  const step = ERASURE_STEPS[ERASURE_STEPS.indexOf(erasure.step) + 1];
  if (step) return { ...erasure, status: 'running', step, place: null };
  return { ...erasure, status: 'done', place: null, sealed_number: null };
}
