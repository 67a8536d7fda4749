import type { Visibility } from '../../http/actor.js';
import type { CallDirection, CallDisposition, CallStatus } from './call.js';

/** A party as a filter names it: exactly, or by its beginnings (`4930*` may mean a number or a short code). */
export type NumberPattern =
  | { readonly kind: 'exact'; readonly number: string }
  | { readonly kind: 'prefix'; readonly prefixes: readonly string[] };

/** The list's filters as the schema leaves them: lists are alternatives, `null` in one is `none`. */
export interface CallFilters {
  readonly direction?: readonly CallDirection[];
  readonly status?: readonly CallStatus[];
  readonly disposition?: readonly (CallDisposition | null)[];
  readonly virtual_number_id?: readonly (string | null)[];
  readonly user_id?: readonly (string | null)[];
  readonly number?: readonly (NumberPattern | null)[];
  readonly caller_number?: readonly (NumberPattern | null)[];
  readonly called_number?: readonly (NumberPattern | null)[];
  readonly country?: readonly (string | null)[];
  /** `started_after ≤ started_at < started_before` */
  readonly started_after?: Date;
  readonly started_before?: Date;
  readonly min_duration?: number;
  readonly max_duration?: number;
  readonly tag?: readonly (string | null)[];
  readonly provider?: readonly string[];
  readonly carrier_id?: readonly string[];
  readonly parent_call_log_id?: readonly (string | null)[];
}

/** Place of a row in the list. */
export interface CallPlace {
  readonly startedAt: string;
  readonly id: string;
}

export interface Search {
  readonly visibility: Visibility;
  readonly filters: CallFilters;
  /** Rows behind this one. */
  readonly after: CallPlace | null;
  readonly limit: number;
}

export type FilterName = Exclude<keyof CallFilters, 'started_after' | 'started_before'>;

/** A piece of SQL with what goes into its `?`. */
export interface Sql {
  readonly text: string;
  readonly bindings: readonly unknown[];
}

export const sql = (text: string, ...bindings: unknown[]): Sql => ({ text, bindings });

export function joinSql(parts: readonly Sql[], between: string): Sql {
  return { text: parts.map((part) => part.text).join(between), bindings: parts.flatMap((part) => part.bindings) };
}

const anyOf = (parts: readonly Sql[]): Sql => {
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  const joined = joinSql(parts, ' or ');
  return sql(`(${joined.text})`, ...joined.bindings);
};

const memberOf =
  (column: string, type: 'text' | 'uuid') =>
  (values: readonly (string | null)[]): Sql => {
    const named = values.filter((value) => value !== null);
    const parts: Sql[] = [];
    if (named.length === 1) parts.push(sql(`c.${column} = ?::${type}`, named[0]));
    if (named.length > 1) parts.push(sql(`c.${column} = any(?::${type}[])`, named));
    if (named.length < values.length) parts.push(sql(`c.${column} is null`));
    return anyOf(parts);
  };

function party(column: string, pattern: NumberPattern | null): Sql {
  if (pattern === null) return sql(`c.${column} is null`);
  if (pattern.kind === 'exact') return sql(`c.${column} = ?`, pattern.number);
  return anyOf(pattern.prefixes.map((prefix) => sql(`c.${column} like ?`, `${escapeLike(prefix)}%`)));
}

const escapeLike = (text: string): string => text.replaceAll(/[\\%_]/g, '\\$&');

const parties =
  (...columns: readonly string[]) =>
  (patterns: readonly (NumberPattern | null)[]): Sql =>
    anyOf(patterns.flatMap((pattern) => columns.map((column) => party(column, pattern))));

function tagged(values: readonly (string | null)[]): Sql {
  const named = values.filter((value) => value !== null);
  const parts: Sql[] = [];
  if (named.length > 0) parts.push(sql('c.tags && ?::text[]', named));
  if (named.length < values.length) parts.push(sql(`c.tags = '{}'`));
  return anyOf(parts);
}

type Condition<Name extends FilterName> = (value: NonNullable<CallFilters[Name]>) => Sql;

/** What each filter means, on `call_logs c`. */
const CONDITIONS: { readonly [Name in FilterName]-?: Condition<Name> } = {
  direction: memberOf('direction', 'text'),
  status: memberOf('status', 'text'),
  disposition: memberOf('disposition', 'text'),
  virtual_number_id: memberOf('virtual_number_id', 'uuid'),
  user_id: memberOf('user_id', 'uuid'),
  number: parties('caller_number', 'called_number'),
  caller_number: parties('caller_number'),
  called_number: parties('called_number'),
  country: memberOf('country', 'text'),
  min_duration: (seconds) => sql('c.duration >= ?', seconds),
  max_duration: (seconds) => sql('c.duration <= ?', seconds),
  tag: tagged,
  provider: memberOf('provider', 'text'),
  carrier_id: memberOf('carrier_id', 'uuid'),
  parent_call_log_id: memberOf('parent_call_log_id', 'uuid'),
};

const FILTER_NAMES = Object.keys(CONDITIONS) as FilterName[];

/** The named filters that are set, without those left out. */
export function conditionsOf(filters: CallFilters, without: readonly FilterName[] = []): Sql[] {
  return FILTER_NAMES.filter((name) => !without.includes(name)).flatMap((name) => conditionOf(filters, name));
}

function conditionOf(filters: CallFilters, name: FilterName): Sql[] {
  const value = filters[name];
  // The table's own types hold for each name; over all names the compiler cannot follow.
  return value === undefined ? [] : [(CONDITIONS[name] as (given: unknown) => Sql)(value)];
}

/** One of the values that a filter takes. */
export interface Alternative {
  readonly condition: Sql;
  /** The column that says the same of all its calls; null for the beginning of a number. */
  readonly column: string | null;
}

/** One condition for each alternative of a filter: together they are the filter. */
export function alternativesOf(filters: CallFilters, name: FilterName): Alternative[] {
  if (name === 'number' || name === 'caller_number' || name === 'called_number') {
    const columns = name === 'number' ? ['caller_number', 'called_number'] : [name];
    return (filters[name] ?? []).flatMap((pattern) =>
      columns.map((column) => ({
        condition: party(column, pattern),
        column: pattern?.kind === 'prefix' ? null : column,
      })),
    );
  }
  const values = (filters[name] ?? []) as readonly unknown[];
  return values.flatMap((value) =>
    conditionOf({ [name]: [value] } as CallFilters, name).map((condition) => ({ condition, column: name })),
  );
}

/** Whose rows: the account's, or one user's. */
export function ownedBy(visibility: Visibility): Sql[] {
  const account = sql('c.account_id = ?', visibility.accountId);
  return visibility.userId === null ? [account] : [account, sql('c.user_id = ?', visibility.userId)];
}

/** The time range on a column that stands for `started_at`. */
export function startedWithin(filters: CallFilters, column = 'c.started_at'): Sql[] {
  const { started_after: after, started_before: before } = filters;
  return [
    ...(after ? [sql(`${column} >= ?`, after.toISOString())] : []),
    ...(before ? [sql(`${column} < ?`, before.toISOString())] : []),
  ];
}
