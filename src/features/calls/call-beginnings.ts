/**
 * The search by the beginning of a number: no index has such calls in the list's order, and how many there are is not
 * known before. So a function of the database looks for them in steps, each of a bounded cost (decision 9).
 */
import { type CallFilters, type FilterName, type NumberPattern, type Search, type Sql, sql } from './call-filters.js';

const PARTIES: readonly FilterName[] = ['number', 'caller_number', 'called_number'];
/** What the function takes besides; under other filters an index of theirs may tell more. */
const TAKEN_ALONG: readonly (keyof CallFilters)[] = ['direction', 'status', 'started_after', 'started_before'];

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** The first text behind all that begin so, as the bytes of UTF-8 are ordered; null: there is none. */
export function endOf(beginning: string): string | null {
  const points = [...beginning];
  const last = points.pop()?.codePointAt(0);
  if (last === undefined) return null;
  if (last === 0x10ffff) return endOf(points.join(''));
  // Behind the last one before the surrogates, which stand for no character of their own.
  return points.join('') + String.fromCodePoint(last === 0xd7ff ? 0xe000 : last + 1);
}

interface Range {
  readonly beginning: string;
  readonly end: string;
}

function rangesOf(patterns: readonly (NumberPattern | null)[]): Range[] | null {
  const ranges = patterns.flatMap((pattern): (Range | null)[] => {
    if (pattern?.kind !== 'prefix') return [null];
    return pattern.prefixes.map((beginning) => {
      const end = endOf(beginning);
      return end === null ? null : { beginning, end };
    });
  });
  return ranges.includes(null) ? null : (ranges as Range[]);
}

/** The place that calls are wanted from behind: a page's, or the end of the time range where that comes first. */
function placeOf({ filters: { started_before: before }, after }: Search): readonly [string, string] {
  if (after && (!before || Date.parse(after.startedAt) < before.getTime())) return [after.startedAt, after.id];
  return [before?.toISOString() ?? 'infinity', FIRST_ID];
}

/** Rows (`id`, `started_at`) of the ended calls of the page; null where the search asks for something else as well. */
export function callsByBeginning(search: Search): Sql | null {
  const { visibility, filters } = search;
  const names = (Object.keys(filters) as (keyof CallFilters)[]).filter((name) => filters[name] !== undefined);
  const [party, ...others] = names.filter((name) => !TAKEN_ALONG.includes(name));
  if (visibility.userId !== null || others.length > 0 || !PARTIES.includes(party as FilterName)) return null;
  const ranges = rangesOf(filters[party as 'number'] ?? []);
  if (!ranges) return null;
  return sql(
    `find_calls_by_beginning(?::uuid, ?, ?::text[], ?::text[], ?::text[], ?::timestamptz, ?::timestamptz, ?::uuid, ?)`,
    visibility.accountId,
    party,
    ranges.map(({ beginning }) => beginning),
    ranges.map(({ end }) => end),
    filters.direction ?? null,
    filters.started_after?.toISOString() ?? '-infinity',
    ...placeOf(search),
    search.limit,
  );
}
