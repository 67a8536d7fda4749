/** Where the webhooks of a batch come from. */
import type { SqlRunner } from '../../platform/db/connect.js';
import type { Source } from './batch.js';
import { type NewWebhook, type PendingWebhook, toPending } from './inbound-webhook.js';
import { arrivalOf, claimArrivals } from './inbox.repository.js';

export function fromInbox(claim: (tx: SqlRunner) => Promise<PendingWebhook[]>): Source {
  const source = {
    held: [] as readonly PendingWebhook[],
    claim: [],
    async offer(tx: SqlRunner) {
      source.held = await claim(tx);
      return source.held;
    },
  };
  return source;
}

/** Whoever waits for the answer must not wait long for others' locks. */
const LOCK_TIMEOUT_MS = 25;

export const unstored = (webhooks: readonly NewWebhook[]): Source => ({
  ...{ held: [], claim: [], unstored: webhooks, beginning: { lockTimeoutMs: LOCK_TIMEOUT_MS } },
  offer: async () => webhooks.map(toPending),
});

/** Claimed only with what is written: nobody else knows of them yet, or hardly anybody. */
export function fromMemory(groups: readonly (readonly PendingWebhook[])[]): Source {
  const webhooks = groups.flat();
  const arrivals = groups.map((group) => arrivalOf(group.map(({ id }) => id)));
  return { held: webhooks, claim: [claimArrivals(arrivals)], offer: async () => webhooks };
}
