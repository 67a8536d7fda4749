import type { Visibility } from '../../http/actor.js';
import type { Db } from '../../platform/db/connect.js';
import { conditionsOf, joinSql, ownedBy, type Sql, sql, startedWithin } from '../calls/index.js';
import { COUNTERS, type CounterName } from './figures.js';
import type { Range, ReportWish } from './report.js';
import type { Span } from './time-buckets.js';

/** Which calls are meant. */
export interface CallsWish {
  readonly visibility: Visibility;
  readonly filters: ReportWish['filters'];
  readonly range: Range;
}

export interface CountWish extends CallsWish {
  /** The columns that calls are grouped by. */
  readonly columns: readonly string[];
  /** Where the buckets of time begin; none: not grouped by time. */
  readonly bucketStarts: readonly number[];
  /** What calls in progress last until, ms. */
  readonly now: number;
}

/** What one portion of the calls adds to a row. */
export type PortionRow = Readonly<Record<CounterName, number>> & {
  /** Place of its bucket, from 1; 0: not grouped by time. */
  readonly bucket: number;
  /** The values of the columns, by name. */
  readonly [column: string]: unknown;
  /** Starts, ends (int8, microseconds since 2000) and ring durations (int4, -1: none) of its calls, packed. */
  readonly packed_starts: Buffer;
  readonly packed_ends: Buffer;
  readonly packed_rings: Buffer;
};

const READ = ['started_at', 'direction', 'disposition', 'answered_at', 'ended_at', 'duration', 'ring_duration'];

async function rowsOf<Row>(db: Db, { text, bindings }: Sql): Promise<Row[]> {
  const { rows } = await db.raw<{ rows: Row[] }>(text, bindings as never);
  return rows;
}

/** From where `timestamptz_send` counts its microseconds. */
const PACKED_FROM = `timestamptz '2000-01-01 00:00:00Z'`;

const toDate = (time: number | null): Date | undefined => (time === null ? undefined : new Date(time));

function within({ from, until }: Range): Sql[] {
  const [after, before] = [toDate(from), toDate(until)];
  return startedWithin({ ...(after && { started_after: after }), ...(before && { started_before: before }) });
}

/** Which of the calls: all, as long as there are not more than `most`, or the next `most` behind a start. */
export type Portion =
  | { readonly kind: 'all'; readonly most: number }
  | { readonly kind: 'next'; readonly most: number; readonly after: number | null };

/** The ended calls as their covering index holds them, and the few in progress beside them. */
function callsSql(wish: CallsWish, columns: readonly string[], others: readonly Sql[] = []): Sql {
  const wanted = columns.map((column) => `c.${column}`).join(', ');
  const where = joinSql(
    [...ownedBy(wish.visibility), ...within(wish.range), ...conditionsOf(wish.filters), ...others],
    ' and ',
  );
  const part = (state: string, isEnded: string): string =>
    `select ${wanted}, ${isEnded} as is_ended from call_logs c where ${state} and ${where.text}`;
  return sql(
    `(${part(`c.status = 'ended'`, 'true')} union all ${part(`c.status <> 'ended'`, 'false')}) c`,
    ...where.bindings,
    ...where.bindings,
  );
}

function portionSql(wish: CountWish, portion: Portion): Sql {
  const columns = [...READ, ...wish.columns.filter((column) => !READ.includes(column))];
  const calls = callsSql(wish, columns, behind(portion));
  // The sort key has doubles, so a portion ends with all calls that begin at its last moment.
  const end =
    portion.kind === 'all'
      ? `limit ${portion.most + 1}`
      : `order by c.started_at fetch first ${portion.most} rows with ties`;
  return sql(`select * from ${calls.text} ${end}`, ...calls.bindings);
}

const behind = (portion: Portion): Sql[] =>
  portion.kind === 'all' || portion.after === null
    ? []
    : [sql(`c.started_at > ${PACKED_FROM} + ?::float8 * interval '1 microsecond'`, portion.after)];

const COUNTED = COUNTERS.map(([name, counter]) => `${counter} as ${name}`).join(', ');

/**
 * One pass over a portion of the calls: every counter by SQL, and for what does not add up (percentile, calls at one
 * moment) the calls' times in a packed form, which costs a third of the pass. Sorting them here, as window functions
 * would, costs five times the pass. `after` is a start as it is packed.
 */
export async function countPortion(db: Db, wish: CountWish, wanted: Portion): Promise<PortionRow[]> {
  const portion = portionSql(wish, wanted);
  const starts = wish.bucketStarts.map((start) => new Date(start).toISOString());
  const bucket = starts.length > 0 ? sql('width_bucket(c.started_at, ?::timestamptz[])', starts) : sql('0');
  const keys = wish.columns.map((column) => `c.${column}`);
  return rowsOf<PortionRow>(
    db,
    sql(
      `select ${[`${bucket.text} as bucket`, ...keys, COUNTED].join(', ')},
         string_agg(timestamptz_send(c.started_at), '') as packed_starts,
         string_agg(timestamptz_send(coalesce(c.ended_at, greatest(c.started_at, ?::timestamptz))), '') as packed_ends,
         string_agg(int4send(coalesce(c.ring_duration, -1)), '') as packed_rings
       from (${portion.text}) c group by ${['1', ...keys].join(', ')}`,
      ...bucket.bindings,
      new Date(wish.now).toISOString(),
      ...portion.bindings,
    ),
  );
}

/** The first and the last start of the account's calls in the range; null: there are none. */
export async function findExtent(db: Db, visibility: Visibility, range: Range): Promise<Span | null> {
  const { text, bindings } = joinSql([sql('c.account_id = ?', visibility.accountId), ...within(range)], ' and ');
  const [row] = await rowsOf<{ first: Date | null; last: Date | null }>(
    db,
    sql(`select min(c.started_at) as first, max(c.started_at) as last from call_logs c where ${text}`, ...bindings),
  );
  return row?.first && row.last ? { first: row.first.getTime(), last: row.last.getTime() } : null;
}

/**
 * Where there are calls: of each `length` ms that have any, the first and the last start, in order, `most` of them at
 * most. Unlike the account's extent it knows the filters, for the price of a pass over one column.
 */
export async function findSpans(
  db: Db,
  wish: CallsWish,
  { length, most }: { readonly length: number; readonly most: number },
): Promise<Span[]> {
  const calls = callsSql(wish, ['started_at']);
  const rows = await rowsOf<{ first: Date; last: Date }>(
    db,
    sql(
      `select min(c.started_at) as first, max(c.started_at) as last from ${calls.text}
       group by date_bin(?::float8 * interval '1 millisecond', c.started_at, ${PACKED_FROM}) order by 1 limit ?`,
      ...calls.bindings,
      length,
      most,
    ),
  );
  return rows.map(({ first, last }) => ({ first: first.getTime(), last: last.getTime() }));
}
