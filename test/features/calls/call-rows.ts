import type { Knex } from 'knex';
import { newId } from '../../../src/lib/ids.js';

/** A row of `call_logs` for the reading side's tests: an ended, answered, incoming call unless told otherwise. */
export interface CallSeed {
  readonly account_id: string;
  readonly started_at: Date;
  readonly [column: string]: unknown;
}

export function callRow(seed: CallSeed) {
  const id = newId();
  const { started_at: at } = seed;
  return {
    id,
    virtual_number_id: null,
    virtual_number: '+493012345678',
    user_id: null,
    carrier_id: newId(),
    provider: 'generic',
    carrier_call_id: id,
    direction: 'incoming',
    caller_number: '+4915112345678',
    called_number: '+493012345678',
    country: 'DE',
    status: 'ended',
    disposition: 'completed',
    ringing_at: at,
    answered_at: at,
    ended_at: at,
    duration: 0,
    ring_duration: 0,
    hangup_cause: 'normal_clearing',
    hangup_source: 'caller',
    provider_cause: null,
    price: null,
    currency: null,
    note: null,
    parent_call_log_id: null,
    last_news_at: at,
    updated_at: at,
    facts: {},
    timeline: '[]',
    ...seed,
    tags: (seed.tags as string[] | undefined) ?? [],
  };
}

export type CallSeedRow = ReturnType<typeof callRow>;

export async function insertCalls(db: Knex, rows: readonly CallSeedRow[]): Promise<void> {
  for (let i = 0; i < rows.length; i += 500) await db('call_logs').insert(rows.slice(i, i + 500));
}

/** A repeatable random number generator (mulberry32), so that a failing case can be looked at again. */
export function randomFrom(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return {
    next,
    below,
    pick: <T>(from: readonly T[]): T => from[below(from.length)] as T,
    some: <T>(from: readonly T[], most: number): T[] => {
      const count = 1 + below(most);
      return [...new Set(Array.from({ length: count }, () => from[below(from.length)] as T))];
    },
  };
}

export type Random = ReturnType<typeof randomFrom>;
