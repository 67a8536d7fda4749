import type { Knex } from 'knex';
import { type Actor, type Visibility, visibilityOf } from '../../http/actor.js';
import type { Clock } from '../../lib/clock.js';
import type { Db } from '../../platform/db/connect.js';
import { findCalendar } from './calendar.js';
import { COLUMN_GROUPS, isTimeUnit, type ReportWish } from './report.js';
import { createReportRows, type ReportRows } from './report-rows.js';
import { type CountWish, countPortion, type PortionRow } from './reports.queries.js';
import type { Bucket } from './time-buckets.js';

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
  readonly mostRows?: number;
}

export function createReportsService({
  db,
  clock,
  portion = PORTION,
  mostRows = MOST_ROWS,
}: ReportsDeps): ReportsService {
  return {
    reportCalls(actor, wish) {
      const counting = { visibility: visibilityOf(actor), wish, now: clock.now(), portion, mostRows };
      // One snapshot for all statements.
      return db.transaction((tx: Db) => count(tx, counting), { isolationLevel: 'repeatable read', readOnly: true });
    },
  };
}

interface Counting {
  readonly visibility: Visibility;
  readonly wish: ReportWish;
  readonly now: number;
  readonly portion: number;
  readonly mostRows: number;
}

async function count(tx: Db, { visibility, wish, now, portion, mostRows }: Counting): Promise<CallReport> {
  const columns = wish.groups.flatMap((group) => (isTimeUnit(group) ? [] : [COLUMN_GROUPS[group]]));
  const rows = createReportRows(columns, mostRows);
  const units = wish.groups.filter(isTimeUnit);
  const calls = { visibility, filters: wish.filters, range: wish.range };
  const calendar =
    units.length === 0
      ? { range: wish.range, buckets: [] }
      : await findCalendar(tx, calls, { units, timeZone: wish.timeZone, mostRows });
  if (!calendar) return { rows, buckets: [] };
  const { range, buckets } = calendar;
  const bucketStarts = buckets.map(({ from }) => from);
  await addCalls(tx, { ...calls, range, columns, bucketStarts, now }, { rows, most: portion });
  return { rows, buckets };
}

interface Counted {
  readonly rows: ReportRows;
  readonly most: number;
}

/** At once where there are not too many, else portion by portion, so that memory does not grow with the calls. */
async function addCalls(tx: Db, question: CountWish, { rows, most }: Counted): Promise<void> {
  const all = await countPortion(tx, question, { kind: 'all', most });
  if (sizeOf(all) <= most) return void rows.add(all);
  let after: number | null = null;
  for (let isMore = true; isMore; ) {
    const portion: PortionRow[] = await countPortion(tx, question, { kind: 'next', most, after });
    after = rows.add(portion);
    isMore = sizeOf(portion) >= most;
  }
}

const sizeOf = (portion: readonly PortionRow[]): number => portion.reduce((sum, { calls }) => sum + calls, 0);
