import type { Db } from '../../platform/db/connect.js';
import { CallIdsChanged, renameCallIds } from '../calls/index.js';

/** Each takes two advisory locks until its commit, and the server has room for some thousands. */
const AT_ONCE = 200;
/** A fault must not make whoever works off the inbox begin again for ever. */
const MOST_FUTILE = 20;

/**
 * Whether the work failed for ids that had other names, and may be begun again: those that were still to be renamed
 * have their new names now. In transactions of their own, for whoever found them holds locks already.
 */
export function createIdRenamer(db: Db): (error: unknown) => Promise<boolean> {
  let futile = 0;
  return async (error) => {
    if (!(error instanceof CallIdsChanged)) return false;
    let renamed = 0;
    for (let from = 0; from < error.renames.length; from += AT_ONCE) {
      const some = error.renames.slice(from, from + AT_ONCE);
      renamed += await db.transaction((tx: Db) => renameCallIds(tx, some));
    }
    futile = renamed > 0 ? 0 : futile + 1;
    if (futile <= MOST_FUTILE) return true;
    futile = 0;
    return false;
  };
}
