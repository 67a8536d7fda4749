/**
 * How a search is asked, so that its cost follows the page and not the table. `call_logs_page` serves the plain list.
 * Every other index holds ended calls alone (a call enters it once, when it ends, and not with each change of its
 * state), so a filtered search asks for the ended calls by the index of its most telling filter, once for each
 * alternative (only then is an index read in the list's order), and for the few calls in progress beside it. The
 * pages of the parts are joined, and the rows fetched for those alone that are on the page.
 */
import type { Visibility } from '../../http/actor.js';
import {
  alternativesOf,
  type CallFilters,
  conditionsOf,
  type FilterName,
  joinSql,
  ownedBy,
  type Sql,
  sql,
  startedWithin,
} from './call-filters.js';

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

/** A part of the search: ordered by `started`, `id` through one index. */
interface Part {
  readonly from: string;
  readonly started: string;
  readonly id: string;
  readonly where: readonly Sql[];
  /** Its filters are judged by the index alone, before a row is fetched. */
  readonly judgedByIndex?: boolean;
}

const MOST_PARTS = 24;
/** The others are so common that a page of them is found soon on the way through all calls. */
const RARE_DISPOSITIONS: readonly unknown[] = ['busy', 'rejected', 'canceled', 'failed', 'lost'];

const ENDED = sql(`c.status = 'ended'`);
const IN_PROGRESS = sql(`c.status <> 'ended'`);

const callsWhere = (where: readonly Sql[]): Part => ({
  from: 'call_logs c',
  started: 'c.started_at',
  id: 'c.id',
  where,
});

/** The filters that have an index, the most telling first. */
const TELLING: readonly FilterName[] = [
  'parent_call_log_id',
  'caller_number',
  'called_number',
  'number',
  'virtual_number_id',
  'user_id',
  'tag',
  'disposition',
  'country',
  'carrier_id',
];

function drives(filters: CallFilters, name: FilterName): boolean {
  const values = filters[name] as readonly unknown[] | undefined;
  if (!values || values.includes(null) || alternativesOf(filters, name).length > MOST_PARTS) return false;
  return name !== 'disposition' || values.every((value) => RARE_DISPOSITIONS.includes(value));
}

function partsOf({ visibility, filters }: Search): Part[] {
  const owned = ownedBy(visibility);
  const driver = TELLING.find((name) => drives(filters, name));
  if (driver === 'tag') return taggedParts(visibility, filters);
  const all = [...owned, ...conditionsOf(filters)];
  if (driver === 'parent_call_log_id') return [callsWhere([...all, ...startedWithin(filters)])];
  if (all.length === 1) return [callsWhere([...owned, ...startedWithin(filters)])];
  return splitByState(filters, owned, driver);
}

/** The ended calls, once for each alternative of the driver, and those in progress: these have no disposition yet. */
function splitByState(filters: CallFilters, owned: readonly Sql[], driver: FilterName | undefined): Part[] {
  const { status, disposition } = filters;
  const mayHaveEnded = (!status || status.includes('ended')) && !disposition?.every((value) => value === null);
  const mayGoOn = (!status || status.some((state) => state !== 'ended')) && (disposition?.includes(null) ?? true);
  const range = startedWithin(filters);
  const parts: Part[] = [];
  if (mayHaveEnded) {
    const others = [...owned, ...conditionsOf(filters, driver ? [driver, 'status'] : ['status']), ...range];
    const alternatives = driver ? alternativesOf(filters, driver).map((condition) => [condition]) : [[]];
    const ended = alternatives.map((condition) => callsWhere([ENDED, ...others, ...condition]));
    parts.push(...ended.map((part) => ({ ...part, judgedByIndex: true })));
  }
  if (mayGoOn) parts.push(callsWhere([IN_PROGRESS, ...owned, ...conditionsOf(filters), ...range]));
  return parts.length > 0 ? parts : [callsWhere([sql('false')])];
}

function taggedParts(visibility: Visibility, filters: CallFilters): Part[] {
  // The tags' own account is the call's; said of the call again, the planner would take it for a rare match.
  const [, ...ofUser] = ownedBy(visibility);
  const others = [...ofUser, ...conditionsOf(filters, ['tag'])];
  return (filters.tag ?? []).map((tag) => ({
    from: 'call_log_tags t join call_logs c on c.id = t.call_log_id',
    started: 't.started_at',
    id: 't.call_log_id',
    where: [
      sql('t.account_id = ? and t.tag = ?', visibility.accountId, tag),
      ...startedWithin(filters, 't.started_at'),
      ...others,
    ],
  }));
}

function pageOf(part: Part, columns: string, { after, limit }: Search): Sql {
  const { from, started, id, where } = part;
  const behind = after ? [sql(`(${started}, ${id}) < (?::timestamptz, ?::uuid)`, after.startedAt, after.id)] : [];
  const condition = joinSql([...where, ...behind], ' and ');
  return sql(
    `select ${columns} from ${from} where ${condition.text} order by ${started} desc, ${id} desc limit ?`,
    ...condition.bindings,
    limit,
  );
}

/** A page of call logs, newest first. */
export function searchSql(search: Search, columns: readonly string[]): Sql {
  const wanted = columns.map((column) => `c.${column}`).join(', ');
  const parts = partsOf(search);
  const [only] = parts;
  if (parts.length === 1 && only && !only.judgedByIndex) return pageOf(only, wanted, search);
  const pages = parts.map((part) => pageOf(part, `${part.id} as id, ${part.started} as started_at`, search));
  const union = joinSql(
    pages.map((page) => sql(`(${page.text})`, ...page.bindings)),
    ' union ',
  );
  return sql(
    `select ${wanted} from (select u.id, u.started_at from (${union.text}) u
       order by u.started_at desc, u.id desc limit ?) p
     join call_logs c on c.id = p.id order by p.started_at desc, p.id desc`,
    ...union.bindings,
    search.limit,
  );
}

/** How many rows a search has behind its place. */
export function countSql({ visibility, filters, after }: Omit<Search, 'limit'>): Sql {
  const behind = after ? [sql('(c.started_at, c.id) < (?::timestamptz, ?::uuid)', after.startedAt, after.id)] : [];
  const base = [...ownedBy(visibility), ...startedWithin(filters), ...behind];
  const count = (where: readonly Sql[]): Sql => {
    const condition = joinSql(where, ' and ');
    return sql(`(select count(*) from call_logs c where ${condition.text})`, ...condition.bindings);
  };
  const named = [...conditionsOf(filters, ['tag']), ...taggedInTotal(visibility, filters)];
  if (named.length === 0) return sql(`select ${count(base).text} as count`, ...count(base).bindings);
  const both = joinSql([count([ENDED, ...base, ...named]), count([IN_PROGRESS, ...base, ...named])], ' + ');
  return sql(`select ${both.text} as count`, ...both.bindings);
}

function taggedInTotal(visibility: Visibility, filters: CallFilters): Sql[] {
  if (!filters.tag || filters.tag.includes(null)) return conditionsOf({ ...(filters.tag && { tag: filters.tag }) });
  const range = startedWithin(filters, 't.started_at');
  const condition = joinSql(
    [sql('t.account_id = ? and t.tag = any(?::text[])', visibility.accountId, filters.tag), ...range],
    ' and ',
  );
  return [sql(`c.id in (select t.call_log_id from call_log_tags t where ${condition.text})`, ...condition.bindings)];
}
