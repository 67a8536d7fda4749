/** The list's SQL: the pages of a search's parts joined, and the rows fetched for those alone that are on the page. */
import type { Visibility } from '../../http/actor.js';
import {
  type CallFilters,
  conditionsOf,
  joinSql,
  ownedBy,
  type Search,
  type Sql,
  sql,
  startedWithin,
} from './call-filters.js';
import { ENDED, IN_PROGRESS, type Part, partsOf } from './call-search-parts.js';

function pageOf(part: Part, columns: string, { after, limit }: Search): Sql {
  const { from, started, id, where, column, forEach } = part;
  const behind = after ? [sql(`(${started}, ${id}) < (?::timestamptz, ?::uuid)`, after.startedAt, after.id)] : [];
  const condition = joinSql([...where, ...behind], ' and ');
  const order = [...(column ? [column] : []), `${started} desc`, `${id} desc`].join(', ');
  const page = sql(
    `select ${columns} from ${from.text} where ${condition.text} order by ${order} limit ?`,
    ...from.bindings,
    ...condition.bindings,
    limit,
  );
  if (!forEach) return page;
  return sql(
    `select p.* from (${forEach.text}) k cross join lateral (${page.text}) p`,
    ...forEach.bindings,
    ...page.bindings,
  );
}

/**
 * With a page's place as the end of the time range that is asked for: of the two, an index is entered at the range's,
 * and would be read from there to the place. Without a range it is entered at the place by itself, and an end beside it
 * would only have the planner take the two for independent and count far too few rows.
 */
function narrowed({ filters, after }: Search): CallFilters {
  if (!after || !filters.started_before) return filters;
  const behind = new Date(Date.parse(after.startedAt) + 1);
  return { ...filters, started_before: filters.started_before < behind ? filters.started_before : behind };
}

/** A page of call logs, newest first. */
export function searchSql(search: Search, columns: readonly string[]): Sql {
  const wanted = columns.map((column) => `c.${column}`).join(', ');
  const parts = partsOf({ ...search, filters: narrowed(search) });
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
