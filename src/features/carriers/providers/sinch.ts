import { createHash } from 'node:crypto';
import type {
  HangupSource,
  ProviderAdapter,
  Secrets,
  Signal,
  Understanding,
  Verdict,
  WebhookAnswer,
  WebhookContent,
  WebhookRequest,
} from '../provider.js';
import { secretRule } from './credential-rules.js';
import { type EndReason, reasonOf } from './hangup-causes.js';
import { currencyOf, decimalOf, memberOf, readJson, secondsOf, textOf, told } from './json.js';
import { anySignatureMatches, equalsInConstantTime, hmac, refuse, refuseStale, VERIFIED } from './signatures.js';
import { parseTime } from './times.js';
import { impossibleTime, missingCallId, readTimes, signals, unknownEvent } from './understanding.js';

/** Sinch Voice callbacks: https://developers.sinch.com/docs/voice/api-reference/callbacks */

/** Sinch documents that its UTC times may come without their `Z`. */
const parseSinchTime = (text: string): number | null => parseTime(text) ?? parseTime(`${text.trim()}Z`);

/** The path alone is signed: no host, no query. */
const pathOf = (url: string): string => url.replace(/^[a-z]+:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '') || '/';

function signedText(request: WebhookRequest, timestamp: string): string {
  const hash = request.body.length === 0 ? '' : createHash('md5').update(request.body).digest('base64');
  const type = request.headers['content-type'] ?? '';
  return [request.method, hash, type, `x-timestamp:${timestamp}`, pathOf(request.url)].join('\n');
}

function refuseTimestamp(timestamp: string | undefined, now: number): Verdict | null {
  if (!timestamp) return refuse('missing_timestamp', 'The request has no x-timestamp header, which Sinch signs.');
  const time = parseSinchTime(timestamp);
  if (time === null) return refuse('malformed_timestamp', 'The x-timestamp header is not a time.');
  return refuseStale(Math.floor(time / 1000), now);
}

const knows = (values: readonly string[] | undefined, given: string): boolean =>
  (values ?? []).some((value) => value !== '' && equalsInConstantTime(value, given));

function verify(request: WebhookRequest, secrets: Secrets, now: number): Verdict {
  const header = request.headers.authorization;
  if (!header) return refuse('missing_signature', 'The request has no Authorization header: turn on signing at Sinch.');
  const [, key, signature] = /^application +([^\s:]+):([A-Za-z0-9+/]+={0,2})$/i.exec(header) ?? [];
  if (!key || !signature) {
    return refuse('malformed_signature', 'The Authorization header is not "application <key>:<signature>".');
  }
  const timestamp = request.headers['x-timestamp'];
  const refusal = refuseTimestamp(timestamp, now);
  if (refusal) return refusal;
  if (!knows(secrets.application_key, key)) {
    return refuse('bad_credentials', 'The request is of another Sinch application than the application_key says.');
  }
  const text = signedText(request, timestamp ?? '');
  const sign = (secret: string): readonly string[] => {
    const bytes = Buffer.from(secret, 'base64');
    return bytes.length === 0 ? [] : [hmac('sha256', bytes, [text], 'base64')];
  };
  if (anySignatureMatches([signature], secrets.application_secret, sign)) return VERIFIED;
  return refuse(
    'bad_signature',
    'The signature does not fit: wrong application_secret, another path than at Sinch, or the body changed on the way.',
  );
}

/** What a leg came to when its result does not say it. The list is open. */
const REASONS: ReadonlyMap<string, EndReason> = new Map([
  ['TIMEOUT', reasonOf('ring_timeout')],
  ['CALLERHANGUP', reasonOf('originator_cancel')],
  ['CALLEEHANGUP', reasonOf('call_rejected')],
  ['CANCEL', reasonOf('originator_cancel')],
  ['MANAGERHANGUP', reasonOf('originator_cancel')],
  ['OTHERPEERANSWERED', reasonOf('answered_elsewhere')],
  ['BLOCKED', reasonOf('forbidden')],
  ['NOCREDITPARTNER', reasonOf('insufficient_funds')],
  ['USERNOTFOUND', reasonOf('unallocated_number')],
  ['CONGESTION', reasonOf('congestion')],
  ['CLIENTNETWORK', reasonOf('network_error')],
  ['GENERALERROR', reasonOf('network_error')],
  ['CALLBACKERROR', reasonOf('application_error')],
  ['INVALIDSVAMLACTION', reasonOf('application_error')],
]);

const SOURCES: ReadonlyMap<string, HangupSource> = new Map([
  ['CALLERHANGUP', 'caller'],
  ['CANCEL', 'caller'],
  ['CALLEEHANGUP', 'callee'],
  ['MANAGERHANGUP', 'system'],
]);

function reasonOfEnd(result: string, reason: string): EndReason {
  const byReason = REASONS.get(reason);
  if (result === 'ANSWERED') return { disposition: 'completed', cause: 'normal_clearing' };
  if (result === 'BUSY') return reasonOf('user_busy');
  if (result === 'NOANSWER') return byReason?.disposition === 'no_answer' ? byReason : reasonOf('no_answer');
  // FAILED is no person's word: of the reasons that name one, only a cancelled call counts.
  if (result === 'FAILED' && reason !== 'CANCEL') {
    return { disposition: 'failed', cause: byReason?.disposition === 'failed' ? byReason.cause : 'unknown' };
  }
  return byReason ?? { disposition: 'failed', cause: 'unknown' };
}

function endOf(event: unknown): Partial<Signal> {
  const result = textOf(memberOf(event, 'result'))?.toUpperCase() ?? 'N/A';
  const reason = textOf(memberOf(event, 'reason'))?.toUpperCase() ?? 'N/A';
  const { disposition, cause } = reasonOfEnd(result, reason);
  const price = decimalOf(memberOf(event, 'debit', 'amount'));
  const currency = currencyOf(memberOf(event, 'debit', 'currencyId'));
  return told<Partial<Signal>>({
    state: 'ended',
    presumedDirection: 'outgoing',
    disposition: disposition ?? 'failed',
    hangupCause: cause,
    hangupSource: SOURCES.get(reason),
    providerCause: reason === 'N/A' ? result : reason,
    talkSeconds: secondsOf(memberOf(event, 'duration')),
    ...(price !== undefined && currency !== undefined ? { price, currency } : {}),
  });
}

/**
 * No event names a direction, but only an incoming call has an `ice`, so that a `dice` alone lets presume an outgoing
 * one; `pie` (a menu's input) and `notify` tell nothing.
 */
function statementOf(event: unknown, eventType: string): Partial<Signal> | null {
  if (eventType === 'ice') {
    return told<Partial<Signal>>({ state: 'ringing', direction: 'incoming', from: textOf(memberOf(event, 'cli')) });
  }
  if (eventType === 'ace') return { state: 'answered' };
  if (eventType === 'dice') return endOf(event);
  return eventType === 'pie' || eventType === 'notify' ? {} : null;
}

function understand(_request: WebhookRequest, content: WebhookContent): Understanding {
  const event = content.kind === 'json' ? content.json : undefined;
  const eventType = textOf(memberOf(event, 'event'));
  const statement = eventType === undefined ? null : statementOf(event, eventType.toLowerCase());
  if (eventType === undefined || statement === null) return unknownEvent(eventType ?? null);
  const callId = textOf(memberOf(event, 'callid')) ?? textOf(memberOf(event, 'callId'));
  if (callId === undefined) return missingCallId(eventType, 'callid');
  const { times, unreadable } = readTimes(event, ['timestamp'], parseSinchTime);
  if (unreadable) return impossibleTime(eventType, unreadable);
  const signal = told<Signal>({
    callId,
    occurredAt: times.timestamp,
    from: textOf(memberOf(event, 'from')),
    to: textOf(memberOf(event, 'to', 'endpoint')),
  });
  return signals(eventType, { ...signal, ...statement });
}

/** `continue` is the action that leaves a call as it is; an `ice` has none, since there the call control must decide. */
function answer(_request: WebhookRequest, content: WebhookContent): WebhookAnswer {
  const eventType = content.kind === 'json' ? textOf(memberOf(content.json, 'event'))?.toLowerCase() : undefined;
  const goesOn = eventType === 'ace' || eventType === 'pie';
  return { status: 200, contentType: 'application/json', body: goesOn ? '{"action":{"name":"continue"}}' : '{}' };
}

export const sinch: ProviderAdapter = {
  name: 'sinch',
  credentials: [
    secretRule('application_key', 'required', (value) =>
      /[\s:]/.test(value) ? 'must not contain a colon or a space' : null,
    ),
    secretRule('application_secret', 'required', (value) =>
      /^[A-Za-z0-9+/]{2,}={0,2}$/.test(value) ? null : 'must be base64, as the Sinch dashboard shows it',
    ),
  ],
  verify,
  read: ({ body }) => readJson(body),
  deliveryKey: () => null,
  answer,
  understand,
  setup: (url) => [
    `Dashboard > Voice > Apps > your application: set the callback URL to ${url}`,
    'Enter its key and secret here as application_key and application_secret; requests must be signed (not Basic).',
    'An incoming call needs SVAML that says where it goes: if another server answers with it, let that one pass the callbacks on unchanged.',
  ],
};
