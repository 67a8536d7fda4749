import type { CallFilters } from '../calls/index.js';
import { TIME_UNITS, type TimeUnit } from './time-buckets.js';

/** What a report can be grouped by besides time, with the member (and filter) that names a row's value. */
export const COLUMN_GROUPS = {
  virtual_number: 'virtual_number_id',
  user: 'user_id',
  direction: 'direction',
  disposition: 'disposition',
  country: 'country',
  carrier: 'carrier_id',
} as const satisfies Readonly<Record<string, keyof CallFilters>>;

export type ColumnGroup = keyof typeof COLUMN_GROUPS;
export type Group = TimeUnit | ColumnGroup;

export const GROUPS: readonly Group[] = [...TIME_UNITS, ...(Object.keys(COLUMN_GROUPS) as ColumnGroup[])];

export const isTimeUnit = (group: Group): group is TimeUnit => (TIME_UNITS as readonly string[]).includes(group);

/** The member of a row that holds its group's value. */
export const memberOf = (group: Group): string => (isTimeUnit(group) ? group : COLUMN_GROUPS[group]);

/** `from ≤ started_at < until`, ms since 1970; null: no bound. */
export interface Range {
  readonly from: number | null;
  readonly until: number | null;
}

export interface ReportWish {
  /** Without the time range, which is in `range`. */
  readonly filters: Omit<CallFilters, 'started_after' | 'started_before'>;
  readonly range: Range;
  readonly groups: readonly Group[];
  readonly timeZone: string;
}
