import { legKey, type RecordPlan } from '../calls/index.js';
import type { PendingWebhook, WebhookOutcome } from './inbound-webhook.js';
import type { Understood } from './understand.js';

/**
 * What came of a webhook, given what came of the legs it speaks of. One that speaks of several is processed as soon as
 * one of them has a call log, and waits as long as another could still find its place.
 */
export function outcomeOf(
  webhook: PendingWebhook,
  words: Understood | undefined,
  plan: RecordPlan | undefined,
): WebhookOutcome {
  const nothing = { id: webhook.id, callLogId: null, accountId: null, waitKeys: null, legKeys: null };
  if (!words || !plan) return { ...nothing, status: 'failed', code: 'not_understood', detail: null, eventType: null };
  const { eventType } = words;
  if (words.kind !== 'reports') {
    return { ...nothing, status: words.kind, code: words.code, detail: words.detail, eventType };
  }
  const keys = legKeysOf(webhook, words);
  const call = keys.map((key) => plan.placed.get(key)).find((record) => record !== undefined);
  const place = {
    callLogId: call?.id ?? null,
    accountId: call?.account_id ?? null,
    legKeys: keys.length > 1 ? keys : null,
  };
  const expired = keys.flatMap((key) => expiredIn(plan, key, webhook.id));
  const [first] = expired;
  if (first && expired.length === keys.length) {
    const accountId = place.accountId ?? first.accountId;
    return { ...nothing, ...place, ...EXPIRED, accountId, eventType };
  }
  const open = keys.map((key) => plan.unplaced.get(key)).filter((left) => left !== undefined);
  const left = open.find(({ kind }) => kind === 'waiting') ?? (call ? undefined : open[0]);
  if (!left) return { ...nothing, ...place, status: 'processed', code: null, detail: null, eventType };
  const waitKeys = [...new Set(open.flatMap((entry) => entry.keys))];
  return { id: webhook.id, ...place, waitKeys, status: left.kind, code: left.code, detail: left.detail, eventType };
}

const EXPIRED = {
  status: 'ignored',
  code: 'expired',
  detail: 'What it tells of is older than the account keeps call logs.',
} as const;

function expiredIn(plan: RecordPlan, key: string, webhookId: string): { readonly accountId: string }[] {
  const found = plan.expired.get(key);
  return found?.webhookIds.has(webhookId) ? [found] : [];
}

/** The legs that a webhook speaks of, each once. */
export const legKeysOf = (
  webhook: Pick<PendingWebhook, 'carrier_id'>,
  words: Extract<Understood, { kind: 'reports' }>,
): string[] => [...new Set(words.signals.map(({ callId }) => legKey(webhook.carrier_id, callId)))];
