import { DEFINITIONS, figuresOf } from './figures.js';
import { COLUMN_GROUPS, type Group, isTimeUnit, memberOf, type Range, type ReportWish } from './report.js';
import type { ReportRow } from './report-rows.js';
import type { CallReport } from './reports.service.js';
import type { Bucket } from './time-buckets.js';

const LIST = '/api/call_logs/';
/** What of a report's query the list of calls does not know, or gets from the row. */
const OWN = ['from', 'to', 'timezone', 'group_by', 'started_after', 'started_before'];

export function presentReport(report: CallReport, wish: ReportWish, asked: URLSearchParams): Record<string, unknown> {
  const rows = report.rows
    .rows()
    .map((row) => ({ row, bucket: row.bucket === null ? undefined : report.buckets[row.bucket] }))
    .sort((a, b) => compareRows(a.row, b.row, wish.groups));
  return {
    rows: rows.map(({ row, bucket }) => ({
      ...Object.fromEntries(wish.groups.map((group) => [memberOf(group), groupValue(row, bucket, group)])),
      calls_url: callsUrl(asked, row, bucket ?? wish.range),
      ...figuresOf(row.tally),
    })),
    totals: figuresOf(report.rows.totals()),
    definitions: DEFINITIONS,
  };
}

const groupValue = (row: ReportRow, bucket: Bucket | undefined, group: Group): string | null =>
  (isTimeUnit(group) ? bucket?.labels[group] : row.values[COLUMN_GROUPS[group]]) ?? null;

/** By the groups in their order; time from the oldest, none last. */
function compareRows(a: ReportRow, b: ReportRow, groups: readonly Group[]): number {
  for (const group of groups) {
    const order = isTimeUnit(group)
      ? (a.bucket ?? 0) - (b.bucket ?? 0)
      : compareValues(a.values[COLUMN_GROUPS[group]] ?? null, b.values[COLUMN_GROUPS[group]] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return a < b ? -1 : 1;
}

/** Asks the list for exactly the calls of the row: the report's filters, with what the row is about in their place. */
function callsUrl(asked: URLSearchParams, row: ReportRow, range: Range | Bucket): string {
  const query = new URLSearchParams(asked);
  for (const name of OWN) query.delete(name);
  for (const [name, value] of Object.entries(row.values)) query.set(name, value ?? 'none');
  if (range.from !== null) query.set('started_after', new Date(range.from).toISOString());
  if (range.until !== null) query.set('started_before', new Date(range.until).toISOString());
  const text = query.toString();
  return text === '' ? LIST : `${LIST}?${text}`;
}
