import type { Knex } from 'knex';
import { legKey, numberKey } from '../calls/index.js';
import { SET_ASIDE } from './inbox.repository.js';
import { legKeysOf } from './outcome.js';
import { findCallsOfLegs, type KeptWebhook, listUnused, type RebuildScope } from './rebuild.queries.js';
import type { Understood } from './understand.js';

/**
 * Webhooks that came to nothing, and of which the adapter as it is now reads what it did not read then: an unknown
 * status that is known by now, another number, another leg. They are processed once more.
 */

const BATCH = 200;

export interface NewlyUnderstood {
  /** Ids of the webhooks by the call log that they turn out to speak of. */
  readonly byCall: ReadonlyMap<string, readonly string[]>;
  /** Ids of all of them. */
  readonly all: readonly string[];
}

interface Deps {
  readonly db: Knex;
  understand(webhook: KeptWebhook): Promise<Understood>;
}

export async function findNewlyUnderstood(
  deps: Deps,
  scope: RebuildScope & { readonly carrierId?: string },
): Promise<NewlyUnderstood> {
  const byCall = new Map<string, string[]>();
  const all: string[] = [];
  for (let after: string | null = null; ; ) {
    const page: KeptWebhook[] = await listUnused(deps.db, scope, { after, limit: BATCH });
    for (const { webhook, calls } of await placeAll(deps, page)) {
      const meant = calls.filter((call) => isMeant(scope, call));
      // With one call asked for, what speaks of no call, or of another, is not meant.
      if (meant.length === 0 && (scope.callId !== undefined || calls.length > 0)) continue;
      if (meant.length === 0 && scope.accountId !== undefined && webhook.account_id !== scope.accountId) continue;
      all.push(webhook.id);
      for (const { id } of meant) byCall.set(id, [...(byCall.get(id) ?? []), webhook.id]);
    }
    after = page.at(-1)?.id ?? null;
    if (page.length < BATCH) return { byCall, all };
  }
}

const isMeant = ({ accountId, callId }: RebuildScope, call: { id: string; account_id: string }): boolean =>
  (accountId === undefined || call.account_id === accountId) && (callId === undefined || call.id === callId);

async function placeAll(deps: Deps, page: readonly KeptWebhook[]) {
  const told = [];
  for (const webhook of page) {
    const words = await deps.understand(webhook);
    if (words.kind === 'reports' && saysMore(webhook, words)) told.push({ webhook, words });
  }
  const legs = told.flatMap(({ webhook, words }) =>
    words.signals.map(({ callId }) => ({ carrierId: webhook.carrier_id, callId })),
  );
  const calls = legs.length === 0 ? [] : await findCallsOfLegs(deps.db, legs);
  const byLeg = new Map(calls.map((call) => [legKey(call.carrier_id, call.carrier_call_id), call]));
  return told.map(({ webhook, words }) => ({
    webhook,
    calls: legKeysOf(webhook, words).flatMap((key) => byLeg.get(key) ?? []),
  }));
}

/** What was understood before and only found no place is known by its keys: it is taken up by itself when that comes. */
function saysMore(webhook: KeptWebhook, words: Extract<Understood, { kind: 'reports' }>): boolean {
  if (!SET_ASIDE.includes(webhook.code ?? '')) return true;
  const known = new Set(webhook.wait_keys);
  const isKnownLeg = legKeysOf(webhook, words).every((key) => known.has(key));
  if (!isKnownLeg || webhook.code !== 'unknown_number') return !isKnownLeg;
  const numbers = words.signals.flatMap(({ report: { direction, from, to } }) => {
    if (direction === undefined) return [from, to];
    return [direction === 'incoming' ? to : from];
  });
  return numbers.some((number) => number !== undefined && !known.has(numberKey(number)));
}
