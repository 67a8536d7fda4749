/**
 * How a search is asked, so that its cost follows the page and not the table. `call_logs_page` serves the plain list.
 * Every other index holds ended calls alone (a call enters it once, when it ends, and not with each change of its
 * state), so a filtered search asks for the ended calls by the index of its most telling filter, once for each
 * alternative (only then is an index read in the list's order), and for the few calls in progress beside it.
 */
import type { Visibility } from '../../http/actor.js';
import { callsByBeginning } from './call-beginnings.js';
import {
  alternativesOf,
  type CallFilters,
  conditionsOf,
  type FilterName,
  joinSql,
  ownedBy,
  type Search,
  type Sql,
  sql,
  startedWithin,
} from './call-filters.js';

/** A part of the search: ordered by `started`, `id` through one index. */
export interface Part {
  readonly from: Sql;
  readonly started: string;
  readonly id: string;
  readonly where: readonly Sql[];
  /** Says the same of all of it: named in the order, because the planner does not see it of a column that is null. */
  readonly column?: string | null;
  /** Its filters are judged by indexes alone, before a row is fetched. */
  readonly judgedByIndex?: boolean;
  /** Rows `k`, for each of which it is asked once. */
  readonly forEach?: Sql;
}

export const ENDED = sql(`c.status = 'ended'`);
export const IN_PROGRESS = sql(`c.status <> 'ended'`);

const MOST_PARTS = 24;
/** The others are so common that a page of them is found soon on the way through all calls. */
const RARE_DISPOSITIONS: readonly unknown[] = ['busy', 'rejected', 'canceled', 'failed', 'lost'];

/** The filters that have an index of ended calls, the most telling first. */
const TELLING: readonly FilterName[] = [
  ...(['caller_number', 'called_number', 'number', 'virtual_number_id', 'user_id'] as const),
  ...(['disposition', 'country', 'carrier_id', 'provider'] as const),
];
/** Those of them that may be null. */
const NULLABLE: readonly FilterName[] = [
  ...(['caller_number', 'called_number', 'number', 'virtual_number_id', 'user_id', 'country'] as const),
];

/** The filter whose index is gone through; `none` comes last, it may be true of most calls. */
function driverOf(filters: CallFilters): FilterName | undefined {
  const given = (name: FilterName): readonly unknown[] => (filters[name] as readonly unknown[] | undefined) ?? [];
  const fits = (name: FilterName): boolean => {
    const parts = alternativesOf(filters, name).length;
    return parts > 0 && parts <= MOST_PARTS;
  };
  const isRare = (name: FilterName): boolean =>
    name !== 'disposition' || given(name).every((value) => RARE_DISPOSITIONS.includes(value));
  const told = TELLING.filter((name) => !given(name).includes(null));
  return [...told.filter(isRare), ...NULLABLE].find(fits);
}

const callsWhere = (where: readonly Sql[]): Part => ({
  from: sql('call_logs c'),
  started: 'c.started_at',
  id: 'c.id',
  where,
});

export function partsOf(search: Search): Part[] {
  const { visibility, filters } = search;
  const all = [...ownedBy(visibility), ...conditionsOf(filters)];
  const isPlain = all.length === 1;
  const ofParents = filters.parent_call_log_id !== undefined && !filters.parent_call_log_id.includes(null);
  if (isPlain || ofParents) return [callsWhere([...all, ...startedWithin(filters)])];
  const isTagAlone = isTagged(filters) && all.length === 2 && visibility.userId === null;
  if (isTagAlone) return tagParts(visibility, filters);
  const parts = [...endedParts(search), ...inProgress(filters, all)];
  return parts.length > 0 ? parts : [callsWhere([sql('false')])];
}

/** The few calls that have not ended; they have no disposition yet. */
function inProgress(filters: CallFilters, all: readonly Sql[]): Part[] {
  const { status, disposition } = filters;
  const isMeant = !status || status.some((state) => state !== 'ended');
  if (!isMeant || (disposition && !disposition.includes(null))) return [];
  return [callsWhere([IN_PROGRESS, ...all, ...startedWithin(filters)])];
}

function endedParts(search: Search): Part[] {
  const { visibility } = search;
  const { status, disposition, ...given } = search.filters;
  const disposed = disposition?.filter((value) => value !== null);
  if ((status && !status.includes('ended')) || disposed?.length === 0) return [];
  const byBeginning = callsByBeginning(search);
  if (byBeginning) return [beginningPart(byBeginning)];
  const filters: CallFilters = { ...given, ...(disposed && { disposition: disposed }) };
  const driver = driverOf(filters);
  const isByTags = isTagged(filters) && (filters.tag ?? []).length <= MOST_PARTS;
  if (isByTags && driver === undefined && visibility.userId === null) {
    const others = [ENDED, ...conditionsOf(filters, ['tag'])];
    return tagParts(visibility, filters).map((part) => ({ ...part, ...joinedToCalls(part, others) }));
  }
  const ended = [
    ...[ENDED, ...ownedBy(visibility), ...startedWithin(filters)],
    ...conditionsOf(filters, [...(driver ? [driver] : []), ...(isTagged(filters) ? (['tag'] as const) : [])]),
    ...(isTagged(filters) ? [hasTag(visibility.accountId, filters)] : []),
  ];
  return drivenParts(driver, { filters, accountId: visibility.accountId, ended });
}

const beginningPart = ({ text, bindings }: Sql): Part => ({
  from: sql(`${text} f`, ...bindings),
  started: 'f.started_at',
  id: 'f.id',
  where: [sql('true')],
  judgedByIndex: true,
});

interface Driven {
  readonly filters: CallFilters;
  readonly accountId: string;
  /** All but the driver's own. */
  readonly ended: readonly Sql[];
}

/** Once for each alternative of the driver. */
function drivenParts(driver: FilterName | undefined, { filters, accountId, ended }: Driven): Part[] {
  if (!driver) return [{ ...callsWhere(ended), judgedByIndex: true }];
  if (driver === 'provider') {
    const forEach = carriersOf(accountId, filters.provider ?? []);
    return [{ ...callsWhere([...ended, sql('c.carrier_id = k.carrier_id')]), judgedByIndex: true, forEach }];
  }
  return alternativesOf(filters, driver).map(({ condition, column }) => ({
    ...callsWhere([...ended, condition]),
    judgedByIndex: true,
    column: column && `c.${column}`,
  }));
}

/**
 * The carriers of these providers (a carrier keeps its own) that the account has ended calls of: found by leaps from
 * one to the next in the carriers' index, of which there are few.
 */
function carriersOf(accountId: string, providers: readonly string[]): Sql {
  const next = 'select c.carrier_id, c.provider from call_logs c where';
  return sql(
    `with recursive known as (
       (${next} ${ENDED.text} and c.account_id = ? order by c.carrier_id limit 1)
       union all
       select n.* from known cross join lateral (
         ${next} ${ENDED.text} and c.account_id = ? and c.carrier_id > known.carrier_id order by c.carrier_id limit 1) n)
     select carrier_id from known where provider = any(?::text[])`,
    accountId,
    accountId,
    providers,
  );
}

/** By both sorted keys, and the range of both, so that two indexes can be read side by side. */
function hasTag(accountId: string, filters: CallFilters): Sql {
  const { tag: tags = [] } = filters;
  const named = tags.length === 1 ? sql('t.tag = ?', tags[0]) : sql('t.tag = any(?::text[])', tags);
  const where = joinSql(
    [sql('t.account_id = ?', accountId), named, ...startedWithin(filters, 't.started_at')],
    ' and ',
  );
  return sql(
    `exists (select 1 from call_log_tags t where ${where.text}
       and t.started_at = c.started_at and t.call_log_id = c.id)`,
    ...where.bindings,
  );
}

const isTagged = ({ tag }: CallFilters): boolean => tag !== undefined && !tag.includes(null);

/** By the tags' own index, which holds calls of every state. */
const tagParts = ({ accountId }: Visibility, filters: CallFilters): Part[] =>
  (filters.tag ?? []).map((tag) => ({
    from: sql('call_log_tags t'),
    started: 't.started_at',
    id: 't.call_log_id',
    where: [sql('t.account_id = ? and t.tag = ?', accountId, tag), ...startedWithin(filters, 't.started_at')],
    judgedByIndex: true,
  }));

/** The same where something else is wanted of the call. */
const joinedToCalls = ({ from, where }: Part, others: readonly Sql[]) => ({
  from: sql(`${from.text} join call_logs c on c.id = t.call_log_id`, ...from.bindings),
  where: [...where, ...others],
  judgedByIndex: false,
});
