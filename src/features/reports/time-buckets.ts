/**
 * The calendar of a report: its range cut into hours, days, weeks or months of a zone's clocks. A bucket is one
 * unbroken range of time, so that the list of calls can be asked for exactly what it holds; days of 23 and 25 hours,
 * hours of 30 minutes and hours that come twice (with two offsets) are what the clocks make of them.
 */
import type { ZoneClock } from '../../lib/zone-clock.js';

export const TIME_UNITS = ['hour', 'day', 'week', 'month'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

/** `until` exclusive, ms since 1970. */
export interface Ends {
  readonly from: number;
  readonly until: number;
}

export interface Bucket extends Ends {
  /** What it is called, for each unit. */
  readonly labels: { readonly [U in TimeUnit]?: string };
}

/** From the start of one call to that of another, both included. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** At least as long as the unit ever is in part: for an estimate of how many there are. */
const LENGTH: Readonly<Record<TimeUnit, number>> = { hour: HOUR, day: DAY, week: 7 * DAY, month: 28 * DAY };

/** How many buckets a range is cut into, or a few less. */
export const estimateBuckets = (units: readonly TimeUnit[], from: number, until: number): number =>
  units.reduce((sum, unit) => sum + (until - from) / LENGTH[unit], 0);

/** The buckets from `from` up to `until`; of two units, each pair that there is. */
export const cutRange = (clock: ZoneClock, units: readonly TimeUnit[], range: Ends): Bucket[] =>
  cut(clock, units, range).map((bucket) => labelled(clock, units, bucket));

function cut(clock: ZoneClock, units: readonly TimeUnit[], { from, until }: Ends): Ends[] {
  if (from >= until) return [];
  const starts = new Set([from]);
  for (const unit of units) for (const start of startsOf(clock, unit, from, until)) starts.add(start);
  const sorted = [...starts].sort((a, b) => a - b);
  return sorted.map((start, place) => ({ from: start, until: sorted[place + 1] ?? until }));
}

const labelled = (clock: ZoneClock, units: readonly TimeUnit[], { from, until }: Ends): Bucket => ({
  from,
  until,
  labels: Object.fromEntries(units.map((unit) => [unit, labelOf(clock, unit, from)])),
});

/** The shortest of the units, ms: no bucket is twice as long. */
export const shortest = (units: readonly TimeUnit[]): number => Math.min(...units.map((unit) => LENGTH[unit]));

/** The buckets of a range that hold something of the spans, which are in order: where calls are far between. */
export function cutAround(clock: ZoneClock, units: readonly TimeUnit[], spans: readonly Span[], range: Ends): Bucket[] {
  const margin = 2 * shortest(units);
  const pieces: { from: number; until: number }[] = [];
  for (const { first, last } of spans) {
    const from = Math.max(range.from, first - margin);
    const until = Math.min(range.until, last + margin);
    const before = pieces.at(-1);
    if (before && from <= before.until) before.until = until;
    else pieces.push({ from, until });
  }
  // What a piece begins and ends with is cut off, but no span is there.
  let next = 0;
  return pieces
    .flatMap((piece) => cut(clock, units, piece))
    .filter(({ from, until }) => {
      while ((spans[next]?.last ?? from) < from) next += 1;
      return (spans[next]?.first ?? until) < until;
    })
    .map((bucket) => labelled(clock, units, bucket));
}

/** The moments after `from` and before `until` at which a bucket begins. */
function startsOf(clock: ZoneClock, unit: TimeUnit, from: number, until: number): number[] {
  return (unit === 'hour' ? hours(clock, from, until) : dates(clock, unit, from, until)).filter(
    (start) => start > from && start < until,
  );
}

function hours(clock: ZoneClock, from: number, until: number): number[] {
  const starts: number[] = [];
  for (const span of clock.spans(from, until)) {
    starts.push(span.from);
    const first = Math.ceil((Math.max(span.from, from) + span.offset) / HOUR) * HOUR - span.offset;
    for (let start = first; start < Math.min(span.until, until); start += HOUR) starts.push(start);
  }
  return starts;
}

function dates(clock: ZoneClock, unit: TimeUnit, from: number, until: number): number[] {
  const starts: number[] = [];
  const last = clock.localOf(until - 1) + DAY;
  for (let date = beginOf(unit, clock.localOf(from)); date <= last; date = following(unit, date)) {
    starts.push(clock.momentOf(date));
  }
  return starts;
}

/** Midnight of the unit's first day, in local time. */
function beginOf(unit: TimeUnit, local: number): number {
  const day = Math.floor(local / DAY) * DAY;
  if (unit === 'month') return Date.UTC(new Date(day).getUTCFullYear(), new Date(day).getUTCMonth(), 1);
  // 1970-01-01 was a Thursday.
  return unit === 'week' ? day - ((((day / DAY + 3) % 7) + 7) % 7) * DAY : day;
}

function following(unit: TimeUnit, date: number): number {
  if (unit === 'month') return Date.UTC(new Date(date).getUTCFullYear(), new Date(date).getUTCMonth() + 1, 1);
  return date + (unit === 'week' ? 7 : 1) * DAY;
}

function labelOf(clock: ZoneClock, unit: TimeUnit, start: number): string {
  const local = clock.localOf(start);
  const iso = (time: number): string => new Date(time).toISOString();
  if (unit === 'hour') return `${iso(local).slice(0, 13)}:00:00${spellOffset(local - start)}`;
  return iso(beginOf(unit, local)).slice(0, unit === 'month' ? 7 : 10);
}

function spellOffset(offset: number): string {
  const minutes = Math.abs(offset) / 60_000;
  const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}
