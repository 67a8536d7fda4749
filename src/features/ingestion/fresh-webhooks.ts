/**
 * What this process stores and will work off itself, in memory until then: it need not be read from the inbox, and the
 * calls that it speaks of are looked for while it is being stored. The inbox stays the truth: whatever is lost here,
 * or was never put here, is found there.
 */
import type { NewWebhook, PendingWebhook } from './inbound-webhook.js';

/** Together some tens of MB at most: a burst that is larger waits in the inbox. */
const MOST = 2000;
const MOST_BYTES = 16_777_216;

export interface FreshBatch {
  readonly webhooks: readonly PendingWebhook[];
  /** The ids of those that are stored, once nothing is under way any more: not those that had been there before. */
  stored(): Promise<ReadonlySet<string>>;
}

export interface FreshWebhooks {
  /** `stored`: the ids of those that were stored; never rejects. Answers false when there is no room for them. */
  put(webhooks: readonly NewWebhook[], stored: Promise<ReadonlySet<string>>): boolean;
  /** The oldest, at most so many, which are then no longer here; null: there are none. */
  take(most: number): FreshBatch | null;
  /** What was found in the inbox is worked off from there. */
  forget(ids: readonly string[]): void;
}

interface Fresh {
  readonly webhook: PendingWebhook;
  readonly stored: Promise<ReadonlySet<string>>;
}

export function createFreshWebhooks(): FreshWebhooks {
  const waiting = new Map<string, Fresh>();
  let bytes = 0;

  function remove(id: string): void {
    const found = waiting.get(id);
    if (!found) return;
    bytes -= found.webhook.body.length;
    waiting.delete(id);
  }

  return {
    put(webhooks, stored) {
      const pending = webhooks.filter(({ status }) => status === 'pending');
      const more = pending.reduce((sum, { body }) => sum + body.length, 0);
      if (waiting.size + pending.length > MOST || bytes + more > MOST_BYTES) return false;
      bytes += more;
      for (const webhook of pending) waiting.set(webhook.id, { webhook: toPending(webhook), stored });
      return true;
    },
    take(most) {
      const taken: Fresh[] = [];
      for (const fresh of waiting.values()) {
        if (taken.length === most) break;
        taken.push(fresh);
      }
      if (taken.length === 0) return null;
      for (const { webhook } of taken) remove(webhook.id);
      const statements = new Set(taken.map(({ stored }) => stored));
      return {
        webhooks: taken.map(({ webhook }) => webhook),
        stored: async () => new Set((await Promise.all(statements)).flatMap((ids) => [...ids])),
      };
    },
    forget(ids) {
      if (waiting.size > 0) for (const id of ids) remove(id);
    },
  };
}

/** As it would be read from the inbox. */
const toPending = (webhook: NewWebhook): PendingWebhook => ({
  id: webhook.id,
  carrier_id: webhook.carrierId,
  provider: webhook.provider,
  delivery_key: webhook.deliveryKey,
  method: webhook.method,
  path: webhook.path,
  headers: webhook.headers,
  body: webhook.body,
  attempts: 0,
  received_at: new Date(webhook.receivedAt),
});
