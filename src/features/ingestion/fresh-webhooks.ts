/**
 * What this process has stored and will work off itself, in memory until then: it need not be read from the inbox. The
 * inbox stays the truth: whatever is lost here, or was never put here, is found there.
 */
import { type NewWebhook, type PendingWebhook, toPending } from './inbound-webhook.js';

/** Together some tens of MB at most: a burst that is larger waits in the inbox. */
const MOST = 2000;
const MOST_BYTES = 16_777_216;

export interface FreshWebhooks {
  /** How many wait here. */
  count(): number;
  /** Those of them that wait for a worker. Answers false when there is no room for them. */
  put(stored: readonly NewWebhook[]): boolean;
  /** The oldest, at most so many, which are then no longer here. */
  take(most: number): PendingWebhook[];
  /** What was found in the inbox is worked off from there. Answers how many of them were here. */
  forget(ids: readonly string[]): number;
}

export function createFreshWebhooks(): FreshWebhooks {
  const waiting = new Map<string, PendingWebhook>();
  let bytes = 0;

  function remove(id: string): void {
    bytes -= waiting.get(id)?.body.length ?? 0;
    waiting.delete(id);
  }

  return {
    count: () => waiting.size,
    put(stored) {
      const pending = stored.filter(({ status }) => status === 'pending');
      const more = pending.reduce((sum, { body }) => sum + body.length, 0);
      if (waiting.size + pending.length > MOST || bytes + more > MOST_BYTES) return false;
      bytes += more;
      for (const webhook of pending) waiting.set(webhook.id, toPending(webhook));
      return true;
    },
    take(most) {
      const taken = [...waiting.values()].slice(0, most);
      for (const { id } of taken) remove(id);
      return taken;
    },
    forget(ids) {
      const before = waiting.size;
      if (before > 0) for (const id of ids) remove(id);
      return before - waiting.size;
    },
  };
}
