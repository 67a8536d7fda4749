import type { Knex } from 'knex';
import { type Actor, type Visibility, visibilityOf } from '../../http/actor.js';
import type { Clock } from '../../lib/clock.js';
import { zoneClock } from '../../lib/zone-clock.js';
import type { Db } from '../../platform/db/connect.js';
import { COLUMN_GROUPS, isTimeUnit, type Range, type ReportWish } from './report.js';
import { createReportRows, type ReportRows } from './report-rows.js';
import { tooManyRows } from './reports.errors.js';
import { type CountWish, countPortion, findExtent, type PortionRow } from './reports.queries.js';
import { type Bucket, cutRange, estimateBuckets, type TimeUnit } from './time-buckets.js';

const MOST_ROWS = 10_000;
const PORTION = 200_000;

export interface CallReport {
  readonly rows: ReportRows;
  /** Of rows that are grouped by time. */
  readonly buckets: readonly Bucket[];
}

export interface ReportsService {
  /** @throws AppError 400: too many rows */
  reportCalls(actor: Actor, wish: ReportWish): Promise<CallReport>;
}

export interface ReportsDeps {
  readonly db: Knex;
  readonly clock: Clock;
  /** Calls that are counted at once. */
  readonly portion?: number;
}

export function createReportsService({ db, clock, portion = PORTION }: ReportsDeps): ReportsService {
  const most = portion;
  return {
    reportCalls: (actor, wish) =>
      // One snapshot for all statements.
      db.transaction((tx: Db) => count(tx, { visibility: visibilityOf(actor), wish, now: clock.now(), most }), {
        isolationLevel: 'repeatable read',
        readOnly: true,
      }),
  };
}

interface Counting {
  readonly visibility: Visibility;
  readonly wish: ReportWish;
  readonly now: number;
  readonly most: number;
}

interface Counted {
  readonly rows: ReportRows;
  readonly most: number;
}

async function count(tx: Db, { visibility, wish, now, most }: Counting): Promise<CallReport> {
  const columns = wish.groups.flatMap((group) => (isTimeUnit(group) ? [] : [COLUMN_GROUPS[group]]));
  const rows = createReportRows(columns);
  const units = wish.groups.filter(isTimeUnit);
  const range = units.length === 0 ? wish.range : await bounded(tx, visibility, units, wish.range);
  if (!range) return { rows, buckets: [] };
  const buckets = isBounded(range) ? cutRange(zoneClock(wish.timeZone), units, range.from, range.until) : [];
  const bucketStarts = units.length === 0 ? [] : buckets.map(({ from }) => from);
  const question = { visibility, filters: wish.filters, range, columns, bucketStarts, now };
  await addCalls(tx, question, { rows, most });
  return { rows, buckets };
}

/** At once where there are not too many, else portion by portion, so that memory does not grow with the calls. */
async function addCalls(tx: Db, question: CountWish, { rows, most }: Counted): Promise<void> {
  const all = await countPortion(tx, question, { kind: 'all', most });
  if (sizeOf(all) <= most) return void add(rows, all);
  let after: number | null = null;
  for (let isMore = true; isMore; ) {
    const portion: PortionRow[] = await countPortion(tx, question, { kind: 'next', most, after });
    after = add(rows, portion);
    isMore = sizeOf(portion) >= most;
  }
}

const sizeOf = (portion: readonly PortionRow[]): number => portion.reduce((sum, { calls }) => sum + calls, 0);

function add(rows: ReportRows, portion: readonly PortionRow[]): number {
  const last = rows.add(portion);
  if (rows.size() > MOST_ROWS) throw tooManyRows(MOST_ROWS);
  return last;
}

type BoundedRange = { readonly [End in keyof Range]: number };

const isBounded = (range: Range): range is BoundedRange => range.from !== null && range.until !== null;

/** The range with both ends, cut to the calls that there are where it has no end or is long; null: no calls. */
async function bounded(
  tx: Db,
  visibility: Visibility,
  units: readonly TimeUnit[],
  range: Range,
): Promise<BoundedRange | null> {
  if (isBounded(range) && estimateBuckets(units, range.from, range.until) <= MOST_ROWS) return range;
  const extent = await findExtent(tx, visibility, range);
  if (!extent) return null;
  const cut = { from: range.from ?? extent.first, until: range.until ?? extent.last + 1 };
  if (estimateBuckets(units, cut.from, cut.until) <= MOST_ROWS) return cut;
  const narrow = { from: Math.max(cut.from, extent.first), until: Math.min(cut.until, extent.last + 1) };
  if (estimateBuckets(units, narrow.from, narrow.until) > MOST_ROWS) throw tooManyRows(MOST_ROWS);
  return narrow;
}
