import { createHash } from 'node:crypto';
import type { WebhookRequest } from '../carriers/index.js';

/**
 * The life of an accepted webhook:
 *
 *   pending ──► processed            its facts are in the call log
 *      │  └───► waiting ──► ignored  lacks its leg, direction or parent; passed over after 10 min, taken up when that comes
 *      ├──────► ignored              right but of no use; `unknown_number` is taken up when the number is claimed
 *      └──────► failed               could not be used although it should; kept for a replay
 *
 * A replay makes it pending again, from any state. This is what everybody sees (the view `seen_webhooks`): the row of one
 * that is pending or processed mostly says `new`, and stays as it was stored.
 * Why: docs/decisions/0018-webhooks-are-written-once.md
 */
export const WEBHOOK_STATUSES = ['pending', 'waiting', 'processed', 'ignored', 'failed'] as const;
export type WebhookStatus = (typeof WEBHOOK_STATUSES)[number];

/** A webhook on its way into the inbox. */
export interface NewWebhook {
  readonly id: string;
  readonly carrierId: string;
  readonly accountId: string | null;
  readonly provider: string;
  readonly deliveryKey: string;
  readonly status: 'pending' | 'ignored';
  readonly code: string | null;
  readonly detail: string | null;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly receivedAt: number;
}

/** What a worker takes from the inbox. */
export interface PendingWebhook {
  readonly id: string;
  readonly carrier_id: string;
  readonly account_id: string | null;
  /** Whether its row is as it was stored. */
  readonly is_new: boolean;
  readonly provider: string;
  /** `carrier_inactive`: it is only to be kept; else what became of it before. */
  readonly code: string | null;
  readonly delivery_key: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly attempts: number;
  readonly received_at: Date;
}

/** As it would be read from the inbox. */
export const toPending = (webhook: NewWebhook): PendingWebhook => ({
  id: webhook.id,
  carrier_id: webhook.carrierId,
  account_id: webhook.accountId,
  is_new: true,
  provider: webhook.provider,
  code: webhook.code,
  delivery_key: webhook.deliveryKey,
  method: webhook.method,
  path: webhook.path,
  headers: webhook.headers,
  body: webhook.body,
  attempts: 0,
  received_at: new Date(webhook.receivedAt),
});

/** What came of a webhook. */
export interface WebhookOutcome {
  readonly id: string;
  readonly status: WebhookStatus;
  readonly code: string | null;
  readonly detail: string | null;
  readonly eventType: string | null;
  readonly callLogId: string | null;
  /** The account of the call; null leaves what is there. */
  readonly accountId: string | null;
  readonly waitKeys: readonly string[] | null;
  /** The legs that it speaks of, when they are several. */
  readonly legKeys: readonly string[] | null;
}

/**
 * Of a webhook that came while its carrier was inactive. It is `ignored` at once; only where its account has had numbers
 * erased it is `pending` before, for a worker to look for them in it. A replay takes the code away.
 */
export const CARRIER_INACTIVE = {
  code: 'carrier_inactive',
  detail: 'The carrier was inactive when the webhook came.',
} as const;

/** `method` of a webhook that was read from a file: no signature was checked. */
export const IMPORTED = 'IMPORT';

const LONGEST_KEY = 200;

/** The provider's own delivery id; without one (or with an unreasonable one) a digest of what was delivered. */
export function deliveryKeyOf(request: WebhookRequest, own: string | null): string {
  if (own !== null && own.length <= LONGEST_KEY) return storable(own);
  const digest = createHash('sha256');
  if (own === null) digest.update(request.path).update('\n').update(request.body);
  else digest.update(own);
  return digest.digest('hex');
}

type Keyed = Pick<PendingWebhook, 'id' | 'delivery_key'>;

/**
 * The key as it was delivered, with pseudonyms in the places of erased numbers: what the reports of the webhook and the
 * facts of its call go by. Two that differed only in the spelling of the number are the same.
 */
export function toldKeyOf({ id, delivery_key: key }: Keyed): string {
  return key.endsWith(`~${id}`) ? key.slice(0, -id.length - 1) : key;
}

/** As the row keeps it: with the row's own id behind it, so that it is no other's key, whatever is delivered or erased. */
export function erasedKeyOf(webhook: Keyed, text: (text: string) => string): string {
  const told = toldKeyOf(webhook);
  const erased = text(told);
  return erased === told ? webhook.delivery_key : `${erased}~${webhook.id}`;
}

/** Header values that are credentials in clear; nothing that is understood later is in them. */
const UNSTORED = new Set(['authorization', 'proxy-authorization', 'cookie']);

export function storableHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, UNSTORED.has(name) ? '[not stored]' : storable(value)]),
  );
}

/** PostgreSQL's text has no NUL, and UTF-8 no lone surrogate. */
export const storable = (text: string): string => text.replaceAll('\u0000', '\uFFFD').toWellFormed();
