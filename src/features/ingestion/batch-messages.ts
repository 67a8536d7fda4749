/** What passes between a process and its thread for batches: webhooks there, what came of them back. */
import type { ToThread as Hint, FromThread as Told } from '../../platform/wakeups-thread.js';
import type { Batch } from './batch.js';
import type { PendingWebhook } from './inbound-webhook.js';

/** Webhooks as they are copied fastest: one text and one piece of bytes, however many they are. */
export interface PackedWebhooks {
  /** JSON of the webhooks without their bodies. */
  readonly heads: string;
  /** The bodies, one behind the other. */
  readonly bodies: Uint8Array<ArrayBuffer>;
}

type Head = Omit<PendingWebhook, 'body' | 'received_at'> & { readonly received: number; readonly length: number };

export function packWebhooks(webhooks: readonly PendingWebhook[]): PackedWebhooks {
  const bodies = new Uint8Array(webhooks.reduce((sum, { body }) => sum + body.length, 0));
  let next = 0;
  const heads = webhooks.map(({ body, received_at: received, ...rest }): Head => {
    bodies.set(body, next);
    next += body.length;
    return { ...rest, received: received.getTime(), length: body.length };
  });
  return { heads: JSON.stringify(heads), bodies };
}

export function unpackWebhooks({ heads, bodies }: PackedWebhooks): PendingWebhook[] {
  let next = 0;
  return (JSON.parse(heads) as Head[]).map(({ received, length, ...rest }) => {
    const body = Buffer.from(bodies.buffer, next, length);
    next += length;
    return { ...rest, body, received_at: new Date(received) };
  });
}

/** What is told of a batch that was worked off in the thread: all but the webhooks, which the process has. */
export type Done = Omit<Batch, 'webhooks'>;

export type ToThread =
  | { readonly kind: 'batch'; readonly packed: PackedWebhooks }
  | { readonly kind: 'hint'; readonly hint: Hint }
  | { readonly kind: 'close' };

export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly done: Done }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'told'; readonly told: Told };
