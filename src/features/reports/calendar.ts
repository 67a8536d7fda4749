/** Which buckets of time a report asks for: all of its range, or where that were too many, those that have calls. */
import { zoneClock } from '../../lib/zone-clock.js';
import type { Db } from '../../platform/db/connect.js';
import type { Range } from './report.js';
import { tooManyRows } from './reports.errors.js';
import { type CallsWish, findExtent, findSpans } from './reports.queries.js';
import {
  type Bucket,
  cutAround,
  cutRange,
  type Ends,
  estimateBuckets,
  type Span,
  shortest,
  type TimeUnit,
} from './time-buckets.js';

export interface Calendar {
  readonly range: Ends;
  readonly buckets: readonly Bucket[];
}

export interface CalendarWish {
  readonly units: readonly TimeUnit[];
  readonly timeZone: string;
  readonly mostRows: number;
}

/** Null: no calls. */
export async function findCalendar(tx: Db, calls: CallsWish, wish: CalendarWish): Promise<Calendar | null> {
  const { range } = calls;
  if (isBounded(range) && isFew(range, wish)) return wholeOf(range, wish);
  const extent = await findExtent(tx, calls.visibility, range);
  if (!extent) return null;
  const asked = { from: range.from ?? extent.first, until: range.until ?? extent.last + 1 };
  if (isFew(asked, wish)) return wholeOf(asked, wish);
  const narrow = { from: Math.max(asked.from, extent.first), until: Math.min(asked.until, extent.last + 1) };
  if (isFew(narrow, wish)) return wholeOf(narrow, wish);
  const spans = await findFewSpans(tx, calls, wish);
  const { units, timeZone } = wish;
  return spans.length === 0 ? null : { range: asked, buckets: cutAround(zoneClock(timeZone), units, spans, asked) };
}

const isBounded = (range: Range): range is Ends => range.from !== null && range.until !== null;

const isFew = ({ from, until }: Ends, { units, mostRows }: CalendarWish): boolean =>
  estimateBuckets(units, from, until) <= mostRows;

const wholeOf = (range: Ends, { units, timeZone }: CalendarWish): Calendar => ({
  range,
  buckets: cutRange(zoneClock(timeZone), units, range),
});

/** What lies in a bucket is in three lengths of its unit at most, and a bucket with calls makes a row or more. */
async function findFewSpans(tx: Db, calls: CallsWish, { units, mostRows }: CalendarWish): Promise<Span[]> {
  const most = 3 * mostRows;
  const spans = await findSpans(tx, calls, { length: shortest(units), most: most + 1 });
  if (spans.length > most) throw tooManyRows(mostRows);
  return spans;
}
