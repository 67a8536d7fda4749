/** Rows of a report as their calls come in, portion by portion, and the totals over all of them. */
import { createSweep, joined, type Sweep } from './concurrency.js';
import { COUNTERS, type CounterName, type Tally } from './figures.js';
import { tooManyRows } from './reports.errors.js';
import type { PortionRow } from './reports.queries.js';

export interface ReportRow {
  /** Place of its bucket of time, from 0; null: not grouped by time. */
  readonly bucket: number | null;
  /** By column. */
  readonly values: Readonly<Record<string, string | null>>;
  readonly tally: Tally;
}

interface Growing {
  readonly counts: Record<CounterName, number>;
  readonly rings: Map<number, number>;
  readonly sweep: Sweep;
}

export interface ReportRows {
  /**
   * Answers when the portion's last call began, as it is packed.
   *
   * @throws AppError 400: too many rows
   */
  add(portion: readonly PortionRow[]): number;
  rows(): ReportRow[];
  totals(): Tally;
}

export function createReportRows(columns: readonly string[], most: number): ReportRows {
  const rows = new Map<string, Growing & Pick<ReportRow, 'bucket' | 'values'>>();
  const total = growing();

  function rowOf(found: PortionRow) {
    const values = columns.map((column) => found[column] as string | null);
    const key = JSON.stringify([found.bucket, ...values]);
    const known = rows.get(key);
    if (known) return known;
    const bucket = found.bucket === 0 ? null : found.bucket - 1;
    const made = { bucket, values: Object.fromEntries(columns.map((column, i) => [column, values[i] ?? null])) };
    const row = { ...growing(), ...made };
    rows.set(key, row);
    if (rows.size > most) throw tooManyRows(most);
    return row;
  }

  return {
    add(portion) {
      const starts: Float64Array[] = [];
      const ends: Float64Array[] = [];
      for (const found of portion) {
        const row = rowOf(found);
        const rings = readSeconds(found.packed_rings);
        for (const { counts, rings: known } of [row, total]) {
          for (const [name] of COUNTERS) counts[name] += found[name];
          for (const [seconds, count] of rings) known.set(seconds, (known.get(seconds) ?? 0) + count);
        }
        const [begin, end] = [readTimes(found.packed_starts), readTimes(found.packed_ends)];
        starts.push(begin);
        ends.push(end);
        // The sweep keeps the arrays and sorts them: the totals get copies.
        row.sweep.add(begin.slice(), end.slice());
      }
      const all = joined(starts);
      total.sweep.add(all, joined(ends));
      return all.at(-1) ?? 0;
    },
    rows: () => [...rows.values()].map(({ bucket, values, ...grown }) => ({ bucket, values, tally: tallyOf(grown) })),
    totals: () => tallyOf(total),
  };
}

const growing = (): Growing => ({
  counts: Object.fromEntries(COUNTERS.map(([name]) => [name, 0])) as Record<CounterName, number>,
  rings: new Map(),
  sweep: createSweep(),
});

const tallyOf = ({ counts, rings, sweep }: Growing): Tally => ({ counts, rings, mostAtOnce: sweep.most() });

/** Microseconds, which a double holds exactly until the year 2255. */
function readTimes(packed: Buffer): Float64Array {
  const times = new Float64Array(packed.length / 8);
  for (let i = 0; i < times.length; i += 1) {
    times[i] = packed.readInt32BE(i * 8) * 4_294_967_296 + packed.readUInt32BE(i * 8 + 4);
  }
  return times;
}

function readSeconds(packed: Buffer): Map<number, number> {
  const counts = new Map<number, number>();
  for (let at = 0; at < packed.length; at += 4) {
    const seconds = packed.readInt32BE(at);
    if (seconds >= 0) counts.set(seconds, (counts.get(seconds) ?? 0) + 1);
  }
  return counts;
}
