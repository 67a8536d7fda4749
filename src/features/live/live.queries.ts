import type { Visibility } from '../../http/actor.js';
import type { Db } from '../../platform/db/connect.js';

/** How a row of `call_logs` is read and shown; the calls' own columns and presentation. */
export interface CallShape {
  readonly columns: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: the row is the calls' own, live only passes it on
  present(row: any): Record<string, unknown>;
}

export interface Board {
  /** The newest event when the calls were read. */
  readonly seq: number;
  /** Calls in progress, the oldest first. */
  readonly calls: readonly Record<string, unknown>[];
}

export type BoardReader = (visibility: Visibility) => Promise<Board>;

/** Counter and calls come from one statement, so from one moment: an event is either in the calls or after the seq. */
export function createBoardReader(db: Db, { columns, present }: CallShape): BoardReader {
  const selected = columns.map((column) => `c.${column}`).join(', ');
  return async ({ accountId, userId }) => {
    const { rows } = await db.raw<{ rows: { board_seq: number; id: string | null }[] }>(
      `select k.seq as board_seq, ${selected}
       from account_counters k
       left join call_logs c on c.account_id = k.account_id and c.status <> 'ended'
         and (cast(:userId as uuid) is null or c.user_id = :userId)
       where k.account_id = :accountId order by c.started_at, c.id`,
      { accountId, userId },
    );
    const calls = rows.filter((row) => row.id !== null).map((row) => present(row));
    return { seq: rows[0]?.board_seq ?? 0, calls };
  };
}
