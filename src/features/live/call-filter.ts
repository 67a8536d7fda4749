import type { StoredEvent } from '../events/index.js';

/** Lists are OR inside and AND between; an absent one asks nothing. Null in a list of ids: calls without one. */
export interface CallFilter {
  readonly virtual_number_ids?: readonly (string | null)[];
  readonly user_ids?: readonly (string | null)[];
  readonly directions?: readonly string[];
  readonly types?: readonly string[];
  readonly tags?: readonly string[];
}

/** What somebody gets to see: whose calls (null: the whole account's), and which of them they asked for. */
export interface Scope {
  readonly userId: string | null;
  readonly filter: CallFilter;
}

/** What visibility and filter look at. */
export interface JudgedCall {
  readonly user_id?: unknown;
  readonly virtual_number_id?: unknown;
  readonly direction?: unknown;
  readonly tags?: unknown;
}

export type Verdict = 'send' | 'remove' | 'skip';

/** Whether the call as it is may be seen and was asked for; types ask about events, not about calls. */
export function seesCall({ userId, filter }: Scope, call: JudgedCall): boolean {
  if (userId !== null && call.user_id !== userId) return false;
  const { virtual_number_ids: numbers, user_ids: users, directions, tags } = filter;
  if (numbers && !numbers.includes((call.virtual_number_id ?? null) as string | null)) return false;
  if (users && !users.includes((call.user_id ?? null) as string | null)) return false;
  if (directions && !directions.includes(call.direction as string)) return false;
  return !tags || (Array.isArray(call.tags) && call.tags.some((tag) => tags.includes(tag)));
}

/** `remove`: the change took the call out of what this scope sees. */
export function judge(scope: Scope, event: StoredEvent): Verdict {
  if (seesCall(scope, event.payload)) {
    const { types } = scope.filter;
    return types === undefined || types.includes(event.type) ? 'send' : 'skip';
  }
  return event.before && seesCall(scope, { ...event.payload, ...event.before }) ? 'remove' : 'skip';
}

/** Scopes with the same key see the same. */
export function scopeKey({ userId, filter }: Scope): string {
  const lists = [filter.virtual_number_ids, filter.user_ids, filter.directions, filter.types, filter.tags];
  return JSON.stringify([userId, ...lists.map((list) => (list ? [...new Set(list)].sort() : null))]);
}
