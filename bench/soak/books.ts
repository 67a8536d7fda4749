import type { Subscriber } from './audience.js';

/** An event as the database holds it. */
export interface StoredRow {
  readonly seq: number;
  readonly type: string;
  readonly payload: JudgedCall;
  readonly before: Partial<JudgedCall> | null;
}

interface JudgedCall {
  readonly user_id: string | null;
  readonly virtual_number_id: string | null;
  readonly direction: string;
  readonly tags: readonly string[];
}

export interface Balance {
  readonly delivered: number;
  readonly removals: number;
  readonly lost: number;
  readonly doubled: number;
  readonly disordered: number;
  /** Got without permission, or against the filter. */
  readonly strange: number;
}

/** What a subscriber is to be told of an event; null: nothing. Written for itself: it judges the product's own judging. */
function due({ userId, filter }: Subscriber, { type, payload, before }: StoredRow): string | null {
  const shows = (call: JudgedCall): boolean => {
    const { user_ids: users, virtual_number_ids: numbers, directions, tags } = filter;
    if (userId !== null && call.user_id !== userId) return false;
    if (users !== undefined && !users.includes(call.user_id)) return false;
    if (numbers !== undefined && !numbers.includes(call.virtual_number_id)) return false;
    if (directions !== undefined && !directions.some((direction) => direction === call.direction)) return false;
    return tags === undefined || call.tags.some((tag) => tags.includes(tag));
  };
  const isWanted = filter.types === undefined || filter.types.some((wanted) => wanted === type);
  if (shows(payload)) return isWanted ? type : null;
  return before !== null && shows({ ...payload, ...before }) ? 'call.removed' : null;
}

export function dueTo(subscriber: Subscriber, stored: readonly StoredRow[]): Map<number, string> {
  const told = stored.map((row): [number, string | null] => [row.seq, due(subscriber, row)]);
  return new Map(told.filter((entry): entry is [number, string] => entry[1] !== null));
}

export function balance(subscriber: Subscriber, expected: ReadonlyMap<number, string>): Balance {
  const { seqs, types } = subscriber;
  const got = new Set(seqs);
  return {
    delivered: seqs.length,
    removals: types.filter((type) => type === 'call.removed').length,
    lost: [...expected.keys()].filter((seq) => !got.has(seq)).length,
    doubled: seqs.length - got.size,
    disordered: seqs.filter((seq, place) => seq < (seqs[place - 1] ?? 0)).length,
    strange: seqs.filter((seq, place) => expected.get(seq) !== types[place]).length,
  };
}

export function total(balances: readonly Balance[]): Balance {
  const sum = (name: keyof Balance): number => balances.reduce((all, one) => all + one[name], 0);
  return {
    ...{ delivered: sum('delivered'), removals: sum('removals') },
    ...{ lost: sum('lost'), doubled: sum('doubled'), disordered: sum('disordered'), strange: sum('strange') },
  };
}
