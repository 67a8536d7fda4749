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
  const { id } = webhook;
  if (!words || !plan) return made(id, null, NO_PLACE, NOT_UNDERSTOOD, null);
  const { eventType } = words;
  if (words.kind !== 'reports') {
    return made(id, eventType, NO_PLACE, { status: words.kind, code: words.code, detail: words.detail }, null);
  }
  const keys = legKeysOf(webhook, words);
  const call = keys.map((key) => plan.placed.get(key)).find((record) => record !== undefined);
  const place = {
    callLogId: call?.id ?? null,
    accountId: call?.account_id ?? null,
    legKeys: keys.length > 1 ? keys : null,
  };
  const expired = keys.flatMap((key) => expiredIn(plan, key, id));
  const [first] = expired;
  if (first && expired.length === keys.length) {
    return made(id, eventType, { ...place, accountId: place.accountId ?? first.accountId }, EXPIRED, null);
  }
  const open = keys.map((key) => plan.unplaced.get(key)).filter((left) => left !== undefined);
  const left = open.find(({ kind }) => kind === 'waiting') ?? (call ? undefined : open[0]);
  if (!left) return made(id, eventType, place, PROCESSED, null);
  const waitKeys = [...new Set(open.flatMap((entry) => entry.keys))];
  return made(id, eventType, place, { status: left.kind, code: left.code, detail: left.detail }, waitKeys);
}

type Place = Pick<WebhookOutcome, 'callLogId' | 'accountId' | 'legKeys'>;
type Verdict = Pick<WebhookOutcome, 'status' | 'code' | 'detail'>;

const NO_PLACE: Place = { callLogId: null, accountId: null, legKeys: null };
const NOT_UNDERSTOOD: Verdict = { status: 'failed', code: 'not_understood', detail: null };
const PROCESSED: Verdict = { status: 'processed', code: null, detail: null };

/** Member by member: objects that are spread into others take Node's slow way, here once for each webhook. */
const made = (
  id: string,
  eventType: string | null,
  place: Place,
  verdict: Verdict,
  waitKeys: WebhookOutcome['waitKeys'],
): WebhookOutcome => ({
  id,
  status: verdict.status,
  code: verdict.code,
  detail: verdict.detail,
  eventType,
  callLogId: place.callLogId,
  accountId: place.accountId,
  waitKeys,
  legKeys: place.legKeys,
});

const EXPIRED: Verdict = {
  status: 'ignored',
  code: 'expired',
  detail: 'What it tells of is older than the account keeps call logs.',
};

function expiredIn(plan: RecordPlan, key: string, webhookId: string): { readonly accountId: string }[] {
  const found = plan.expired.get(key);
  return found?.webhookIds.has(webhookId) ? [found] : [];
}

/** The legs that a webhook speaks of, each once. */
export const legKeysOf = (
  webhook: Pick<PendingWebhook, 'carrier_id'>,
  words: Extract<Understood, { kind: 'reports' }>,
): string[] => [...new Set(words.signals.map(({ callId }) => legKey(webhook.carrier_id, callId)))];
