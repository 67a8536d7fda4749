/** What passes between a process and its thread for batches: webhooks there, what came of them back. */
import type { ToThread as Hint, FromThread as Told } from '../../platform/wakeups-thread.js';
import type { Batch } from './batch.js';
import type { PendingWebhook } from './inbound-webhook.js';

/**
 * New webhooks as they are kept and handed over for least: two pieces of bytes outside of V8's heap, however many they are.
 * As objects, a dozen for each, they would be copied by two collections while they wait, and swept up by a third.
 */
export interface PackedWebhooks {
  /** JSON of the webhooks without their bodies. */
  readonly heads: Uint8Array<ArrayBuffer>;
  /** The bodies, one behind the other. */
  readonly bodies: Uint8Array<ArrayBuffer>;
}

type Head = Omit<PendingWebhook, 'body' | 'received_at' | 'is_new'> & {
  readonly received: number;
  readonly length: number;
};

export function packWebhooks(webhooks: readonly PendingWebhook[]): PackedWebhooks {
  const bodies = new Uint8Array(webhooks.reduce((sum, { body }) => sum + body.length, 0));
  let next = 0;
  const heads = webhooks.map((webhook): Head => {
    bodies.set(webhook.body, next);
    next += webhook.body.length;
    return {
      id: webhook.id,
      carrier_id: webhook.carrier_id,
      account_id: webhook.account_id,
      provider: webhook.provider,
      code: webhook.code,
      delivery_key: webhook.delivery_key,
      method: webhook.method,
      path: webhook.path,
      headers: webhook.headers,
      attempts: webhook.attempts,
      received: webhook.received_at.getTime(),
      length: webhook.body.length,
    };
  });
  return { heads: new TextEncoder().encode(JSON.stringify(heads)), bodies };
}

export function unpackWebhooks({ heads, bodies }: PackedWebhooks): PendingWebhook[] {
  let next = 0;
  const text = Buffer.from(heads.buffer, heads.byteOffset, heads.length).toString();
  return (JSON.parse(text) as Head[]).map((head) => {
    const body = Buffer.from(bodies.buffer, bodies.byteOffset + next, head.length);
    next += head.length;
    return {
      id: head.id,
      carrier_id: head.carrier_id,
      account_id: head.account_id,
      is_new: true,
      provider: head.provider,
      code: head.code,
      delivery_key: head.delivery_key,
      method: head.method,
      path: head.path,
      headers: head.headers,
      body,
      attempts: head.attempts,
      received_at: new Date(head.received),
    };
  });
}

export type ToThread =
  | { readonly kind: 'batch'; readonly number: number; readonly packed: readonly PackedWebhooks[] }
  | { readonly kind: 'hint'; readonly hint: Hint }
  | { readonly kind: 'close' };

export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly number: number; readonly done: Batch }
  | { readonly kind: 'failed'; readonly number: number; readonly reason: string }
  | { readonly kind: 'told'; readonly told: Told };
