import type { Visibility } from '../../http/actor.js';
import type { Db } from '../../platform/db/connect.js';
import { TEXT_TIMES } from '../../platform/db/text-times.js';
import { CALL_COLUMNS, type CallRow, type TimelineEntry } from './call.js';
import { type CallPlace, joinSql, ownedBy, type Search, type Sql, sql } from './call-filters.js';
import { countSql, searchSql } from './call-search.js';
import type { ListedCall } from './calls.present.js';

const COLUMNS = CALL_COLUMNS.map((column) => `c.${column}`).join(', ');

async function rowsOf<Row>(db: Db, { text, bindings }: Sql): Promise<Row[]> {
  const { rows } = await db.raw<{ rows: Row[] }>(text, bindings as never);
  return rows;
}

/** A page of call logs, newest first by (`started_at`, `id`). */
export async function searchCalls(db: Db, search: Search): Promise<ListedCall[]> {
  const { text, bindings } = searchSql(search, CALL_COLUMNS);
  const options = { ...TEXT_TIMES, ...plannedOnce(search) };
  const { rows } = await db.raw<{ rows: ListedCall[] }>(text, bindings as never).options(options);
  return rows;
}

/** The account's list without filters has two texts, which each connection plans once; of the others there are too many. */
function plannedOnce({ visibility, filters, after }: Search): { readonly name?: string } {
  if (visibility.userId !== null || Object.keys(filters).length > 0) return {};
  return { name: after ? 'list_calls_behind' : 'list_calls' };
}

export async function countCalls(db: Db, search: Omit<Search, 'limit'>): Promise<number> {
  const [row] = await rowsOf<{ count: number }>(db, countSql(search));
  return row?.count ?? 0;
}

const placeOf = (id: string, visibility: Visibility): Sql =>
  joinSql([sql('c.id = ?', id), ...ownedBy(visibility)], ' and ');

export async function findCall(db: Db, visibility: Visibility, id: string): Promise<CallRow | undefined> {
  const { text, bindings } = placeOf(id, visibility);
  const [row] = await rowsOf<CallRow>(db, sql(`select ${COLUMNS} from call_logs c where ${text}`, ...bindings));
  return row;
}

/** The call log, locked until the transaction ends. */
export async function lockCall(tx: Db, visibility: Visibility, id: string): Promise<CallRow | undefined> {
  const { text, bindings } = placeOf(id, visibility);
  const query = `select ${COLUMNS} from call_logs c where ${text} for update`;
  const [row] = await rowsOf<CallRow>(tx, sql(query, ...bindings));
  return row;
}

export async function findTimeline(
  db: Db,
  visibility: Visibility,
  id: string,
): Promise<readonly TimelineEntry[] | undefined> {
  const { text, bindings } = placeOf(id, visibility);
  const [row] = await rowsOf<{ timeline: TimelineEntry[] }>(
    db,
    sql(`select c.timeline from call_logs c where ${text}`, ...bindings),
  );
  return row?.timeline;
}

/** A page of the conversation of a call. */
export interface LegsWish {
  readonly id: string;
  /** Legs behind this one. */
  readonly after: CallPlace | null;
  readonly limit: number;
}

/** The conversation: the first leg that the call comes from, and every leg below it that the asker may see. */
export async function listLegs(db: Db, visibility: Visibility, { id, after, limit }: LegsWish): Promise<CallRow[]> {
  const seen = joinSql(ownedBy(visibility), ' and ');
  const wanted = joinSql(
    [seen, ...(after ? [sql('(c.started_at, c.id) > (?::timestamptz, ?::uuid)', after.startedAt, after.id)] : [])],
    ' and ',
  );
  return rowsOf<CallRow>(
    db,
    sql(
      `with recursive up as (
         select c.id, c.parent_call_log_id from call_logs c where c.id = ? and ${seen.text}
         union
         select c.id, c.parent_call_log_id from up join call_logs c on c.id = up.parent_call_log_id
           where c.account_id = ?),
       family as (
         select id from up
         union
         select c.id from family join call_logs c on c.parent_call_log_id = family.id where c.account_id = ?)
       select ${COLUMNS} from call_logs c where c.id in (select id from family) and ${wanted.text}
       order by c.started_at, c.id limit ?`,
      id,
      ...seen.bindings,
      visibility.accountId,
      visibility.accountId,
      ...wanted.bindings,
      limit,
    ),
  );
}

/** Where a row stands in the list, for going on behind it. */
export async function findPlace(db: Db, visibility: Visibility, id: string): Promise<CallPlace | undefined> {
  const row = await findCall(db, visibility, id);
  return row && { startedAt: row.started_at.toISOString(), id: row.id };
}
