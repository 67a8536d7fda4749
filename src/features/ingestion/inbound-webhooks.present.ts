import { isUtf8 } from 'node:buffer';
import { IMPORTED } from './inbound-webhook.js';
import type { CausedEvent, WebhookGroup, WebhookInFull, WebhookRow } from './inbound-webhooks.queries.js';
import type { Understood, UnderstoodSignal } from './understand.js';
import { maskHeaders, maskPath } from './webhook-masking.js';

export const presentWebhook = (row: WebhookRow): Record<string, unknown> => ({
  id: row.id,
  carrier_id: row.carrier_id,
  provider: row.provider,
  status: row.status,
  code: row.code,
  detail: row.detail,
  event_type: row.event_type,
  call_log_id: row.call_log_id,
  deliveries: row.deliveries,
  received_at: row.received_at.toISOString(),
  processed_at: row.processed_at?.toISOString() ?? null,
});

export function presentWebhookInFull(
  row: WebhookInFull,
  understood: Understood,
  events: readonly CausedEvent[],
): Record<string, unknown> {
  const { status, code, detail } = row;
  const isText = isUtf8(row.body);
  return {
    ...presentWebhook(row),
    method: row.method,
    path: maskPath(row.path),
    delivery_key: row.delivery_key,
    headers: maskHeaders(row.headers),
    body: row.body.toString(isText ? 'utf8' : 'base64'),
    body_encoding: isText ? 'utf-8' : 'base64',
    verdict: { signature: row.method === IMPORTED ? 'not_checked' : 'verified', status, code, detail },
    understood: presentUnderstood(understood),
    events,
  };
}

function presentUnderstood(understood: Understood): Record<string, unknown> {
  const { kind, eventType: event_type } = understood;
  if (kind === 'reports') {
    return { kind: 'signals', event_type, code: null, detail: null, signals: understood.signals.map(presentSignal) };
  }
  return { kind, event_type, code: understood.code, detail: understood.detail, signals: [] };
}

function presentSignal({ callId, report }: UnderstoodSignal): Record<string, unknown> {
  const { verdict, price, occurredAt, answeredAt } = report;
  const members = {
    carrier_call_id: callId,
    state: report.state,
    occurred_at: occurredAt === undefined ? undefined : new Date(occurredAt).toISOString(),
    direction: report.direction,
    from: report.from,
    to: report.to,
    disposition: verdict?.disposition ?? undefined,
    hangup_cause: verdict?.hangupCause ?? undefined,
    provider_cause: verdict?.providerCause ?? undefined,
    hangup_source: verdict?.hangupSource ?? undefined,
    answered_at: answeredAt === undefined ? undefined : new Date(answeredAt).toISOString(),
    talk_seconds: report.talkSeconds,
    total_seconds: report.totalSeconds,
    parent_carrier_call_id: report.parentCallId,
    session_id: report.sessionId,
    price: price?.amount,
    currency: price?.currency ?? undefined,
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

export const presentGroup = (group: WebhookGroup): Record<string, unknown> => ({
  ...group,
  newest: group.newest.toISOString(),
});
