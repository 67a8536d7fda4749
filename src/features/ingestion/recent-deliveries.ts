/** Which deliveries this process has worked off as it stored them, lately: a hint, by which a repeated one goes apart. */
import type { NewWebhook } from './inbound-webhook.js';

/** Twice as many are remembered at most: about a megabyte. */
const GENERATION = 4096;

export interface RecentDeliveries {
  add(webhooks: readonly NewWebhook[]): void;
  has(webhook: NewWebhook): boolean;
}

/** What makes two deliveries the same one. */
export const deliveryOf = ({ carrierId, deliveryKey }: NewWebhook): string => `${carrierId} ${deliveryKey}`;

export function createRecentDeliveries(generation = GENERATION): RecentDeliveries {
  let young = new Set<string>();
  let old = new Set<string>();
  return {
    add(webhooks) {
      for (const webhook of webhooks) young.add(deliveryOf(webhook));
      if (young.size < generation) return;
      old = young;
      young = new Set();
    },
    has(webhook) {
      const delivery = deliveryOf(webhook);
      return young.has(delivery) || old.has(delivery);
    },
  };
}
