import { createPublicKey, type KeyObject, verify as verifySignature } from 'node:crypto';
import type {
  CallState,
  Direction,
  Disposition,
  HangupSource,
  ProviderAdapter,
  Secrets,
  Signal,
  Understanding,
  Verdict,
  WebhookContent,
  WebhookRequest,
} from '../provider.js';
import { secretRule } from './credential-rules.js';
import {
  type EndReason,
  isHangupCause,
  reasonOfCauseName,
  reasonOfNumber,
  reasonOfSipStatus,
} from './hangup-causes.js';
import { currencyOf, decimalOf, memberOf, numberOf, readJson, secondsOf, textOf, told } from './json.js';
import { anySignatureMatches, hmac, refuse, refuseStaleText, VERIFIED } from './signatures.js';
import { parseTime } from './times.js';

const SECRET_PREFIX = 'whsec_';
const PUBLIC_KEY_PREFIX = 'whpk_';
/** The specification sets no limit; two keys in rotation, in two versions, are four. */
const MOST_SIGNATURES = 16;

/** Standard alphabet, padded, nothing else: `Buffer.from` would skip what it does not know. */
function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

const withoutPrefix = (value: string, prefix: string): string =>
  value.startsWith(prefix) ? value.slice(prefix.length) : value;

function checkSecret(value: string): string | null {
  const key = value.startsWith(SECRET_PREFIX) ? decodeBase64(value.slice(SECRET_PREFIX.length)) : null;
  return key && key.length >= 24 && key.length <= 64 ? null : 'must be whsec_ and the base64 of 24 to 64 bytes';
}

function publicKeyOf(value: string): KeyObject | null {
  const bytes = decodeBase64(withoutPrefix(value, PUBLIC_KEY_PREFIX));
  if (bytes?.length !== 32) return null;
  try {
    return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') } });
  } catch {
    return null;
  }
}

function checkPublicKey(value: string): string | null {
  const isKey = value.startsWith(PUBLIC_KEY_PREFIX) && publicKeyOf(value) !== null;
  return isKey ? null : 'must be whpk_ and the base64 of an Ed25519 public key of 32 bytes';
}

function matchesSecret(
  secrets: readonly string[] | undefined,
  given: readonly string[],
  parts: readonly [string, Buffer],
) {
  return anySignatureMatches(given, secrets, (secret) => {
    const key = decodeBase64(withoutPrefix(secret, SECRET_PREFIX));
    return key && key.length > 0 ? [hmac('sha256', key, parts, 'base64')] : [];
  });
}

function matchesPublicKey(
  keys: readonly string[] | undefined,
  given: readonly string[],
  [head, body]: readonly [string, Buffer],
): boolean {
  const signed = Buffer.concat([Buffer.from(head), body]);
  const signatures = given.map(decodeBase64).filter((signature) => signature?.length === 64);
  return (keys ?? []).some((value) => {
    const key = publicKeyOf(value);
    return key !== null && signatures.some((signature) => signature && verifySignature(null, signed, key, signature));
  });
}

function verify(request: WebhookRequest, secrets: Secrets, now: number): Verdict {
  const id = request.headers['webhook-id'];
  const timestamp = request.headers['webhook-timestamp'];
  const header = request.headers['webhook-signature'];
  if (!id || !timestamp || !header) {
    const detail = 'One of the headers webhook-id, webhook-timestamp and webhook-signature is missing.';
    return refuse('missing_signature', detail);
  }
  // The dot divides what is signed: with one in the id, the end of it could pass for the time.
  if (!/^[\x21-\x2d\x2f-\x7e]{1,256}$/.test(id)) {
    return refuse('malformed_id', 'The webhook-id must be 1 to 256 printable characters without space and dot.');
  }
  const stale = refuseStaleText(timestamp, now);
  if (stale) return stale;
  const signatures = header.split(/[ ]+/).slice(0, MOST_SIGNATURES);
  const of = (version: string) =>
    signatures.filter((text) => text.startsWith(`${version},`)).map((text) => text.slice(version.length + 1));
  const parts = [`${id}.${timestamp}.`, request.body] as const;
  if (matchesSecret(secrets.secret, of('v1'), parts)) return VERIFIED;
  if (matchesPublicKey(secrets.public_key, of('v1a'), parts)) return VERIFIED;
  if (of('v1').length + of('v1a').length === 0) {
    return refuse('malformed_signature', 'The webhook-signature holds no "v1,…" and no "v1a,…".');
  }
  const detail =
    'No signature matches. Check the secret or key, and that the exact bytes of the body are signed: ' +
    'webhook-id + "." + webhook-timestamp + "." + body.';
  return refuse('bad_signature', detail);
}

const STATES: ReadonlyMap<string, CallState | null> = new Map([
  ['call.initiated', 'initiated'],
  ['call.ringing', 'ringing'],
  ['call.answered', 'answered'],
  ['call.ended', 'ended'],
  ['call.updated', null],
]);

const DIRECTIONS: ReadonlyMap<string, Direction> = new Map([
  ['incoming', 'incoming'],
  ['inbound', 'incoming'],
  ['outgoing', 'outgoing'],
  ['outbound', 'outgoing'],
]);

const DISPOSITIONS: ReadonlyMap<string, Disposition> = new Map([
  ['completed', 'completed'],
  ['no_answer', 'no_answer'],
  ['busy', 'busy'],
  ['rejected', 'rejected'],
  ['canceled', 'canceled'],
  ['cancelled', 'canceled'],
  ['failed', 'failed'],
]);

const SOURCES: ReadonlyMap<string, HangupSource> = new Map([
  ['caller', 'caller'],
  ['callee', 'callee'],
  ['system', 'system'],
]);

/** Finds a member at the top or inside `data`; one that is null or empty is not told there. */
type Pick = (name: string) => unknown;

const picker =
  (json: unknown): Pick =>
  (name) =>
    [memberOf(json, name), memberOf(json, 'data', name)].find(
      (value) => value !== undefined && value !== null && value !== '',
    );

const word = (value: unknown): string => (textOf(value) ?? '').trim().toLowerCase();

const toldDispositionOf = (pick: Pick): Disposition | undefined =>
  DISPOSITIONS.get(word(pick('disposition')).replaceAll(/[- ]/g, '_'));

const sourceOf = (pick: Pick): HangupSource | undefined =>
  SOURCES.get(word(pick('hangup_source'))) ?? SOURCES.get(word(pick('ended_by')));

const reasonOfSip = (pick: Pick): EndReason | null => reasonOfSipStatus(numberOf(pick('sip_status')) ?? 0);

function reasonOfCause(pick: Pick): EndReason | null {
  const number = numberOf(pick('hangup_cause'));
  return number === undefined ? reasonOfCauseName(textOf(pick('hangup_cause')) ?? '') : reasonOfNumber(number);
}

const reasonOfEnd = (pick: Pick): Disposition | undefined =>
  reasonOfSip(pick)?.disposition ?? reasonOfCause(pick)?.disposition ?? undefined;

/**
 * As told, whatever the type; else of an end by its causes (an answered leg's is `completed` by the call's own rules),
 * and of an update only where its causes tell: it may correct an end, not guess one.
 */
function dispositionOf(pick: Pick, state: CallState | null): Disposition | undefined {
  const toldOne = toldDispositionOf(pick);
  if (toldOne || (state !== null && state !== 'ended')) return toldOne;
  const byReason = reasonOfEnd(pick);
  if (byReason || state === null) return byReason;
  return sourceOf(pick) === 'caller' ? 'canceled' : 'no_answer';
}

/** Causes and source go with a disposition: a report that has none says nothing of the end. */
function endingOf(pick: Pick, state: CallState | null): Partial<Signal> {
  const disposition = dispositionOf(pick, state);
  if (disposition === undefined) return {};
  const asSent = textOf(pick('hangup_cause'));
  const hangupCause = reasonOfCause(pick)?.cause ?? asSent ?? reasonOfSip(pick)?.cause;
  return told<Partial<Signal>>({
    disposition,
    hangupCause,
    hangupSource: sourceOf(pick),
    providerCause: textOf(pick('sip_status')) ?? (isHangupCause(asSent ?? '') ? undefined : asSent),
  });
}

function understand(content: WebhookContent): Understanding {
  const json = content.kind === 'json' ? content.json : undefined;
  const pick = picker(json);
  const eventType = textOf(memberOf(json, 'type')) ?? null;
  const state = STATES.get(eventType ?? '');
  if (eventType === null || state === undefined) {
    const detail = eventType === null ? 'The body has no type.' : `The type "${eventType}" is not known.`;
    return { kind: 'ignored', eventType, code: 'unknown_event', detail };
  }
  const callId = textOf(pick('call_id'));
  if (!callId) {
    const detail = pick('call_id') === undefined ? 'The body has no call_id.' : 'call_id must be a text.';
    return { kind: 'failed', eventType, code: 'missing_call_id', detail };
  }
  const time = pick('occurred_at');
  const occurredAt = time === undefined ? undefined : typeof time === 'string' ? parseTime(time) : null;
  if (occurredAt === null) {
    const detail = 'occurred_at is no ISO 8601 time with an offset, such as 2026-03-02T15:04:05Z.';
    return { kind: 'failed', eventType, code: 'impossible_time', detail };
  }
  const parentCallId = textOf(pick('parent_call_id'));
  const signal = told<Signal>({
    callId,
    state: state ?? undefined,
    occurredAt,
    direction: DIRECTIONS.get(word(pick('direction'))),
    from: textOf(pick('from')),
    to: textOf(pick('to')),
    parentCallId: parentCallId === callId ? undefined : parentCallId,
    talkSeconds: secondsOf(pick('duration')) ?? secondsOf(pick('duration_seconds')),
    price: decimalOf(pick('price')),
    currency: currencyOf(pick('currency')),
    ...endingOf(pick, state),
  });
  return { kind: 'signals', eventType, signals: [signal] };
}

export const generic: ProviderAdapter = {
  name: 'generic',
  credentials: [secretRule('secret', 'optional', checkSecret), secretRule('public_key', 'optional', checkPublicKey)],
  oneOf: [['secret'], ['public_key']],
  verify,
  read: (request) => readJson(request.body),
  deliveryKey: (request) => request.headers['webhook-id'] || null,
  answer: () => ({ status: 204 }),
  understand: (_request, content) => understand(content),
  setup: (url) => [
    `POST your switch's events as JSON to ${url}`,
    'Sign them by Standard Webhooks: the headers webhook-id, webhook-timestamp and webhook-signature ("v1," with the secret or "v1a," with the private key).',
    'Keep the webhook-id when you send an event again; make a new webhook-timestamp and signature for each attempt.',
    'Send again whatever is not answered by 2xx.',
  ],
};
