import { createHash, createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type {
  Direction,
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
import { type EndReason, reasonOf, reasonOfSipStatus } from './hangup-causes.js';
import { decimalOf, memberOf, numberOf, readJson, secondsOf, textOf, told } from './json.js';
import { equalsInConstantTime, refuse, refuseStale, VERIFIED } from './signatures.js';
import {
  impossibleTime,
  missingCallId,
  readTimes,
  secondsBetween,
  signals,
  unknownEvent,
  unknownStatus,
} from './understanding.js';

/** Vonage Voice API event webhook: https://developer.vonage.com/en/voice/voice-api/webhook-reference */

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');

/** The claims of a token that the secret signed with HS256, else null. Its age is judged by `iat`: it has no `exp`. */
function claimsOf(token: string, secret: string): jwt.JwtPayload | null {
  if (secret === '') return null;
  // From a text jsonwebtoken would first try to make a public key.
  const key = createSecretKey(Buffer.from(secret));
  try {
    const claims = jwt.verify(token, key, { algorithms: ['HS256'], ignoreExpiration: true, ignoreNotBefore: true });
    return typeof claims === 'string' ? null : claims;
  } catch {
    return null;
  }
}

/** Vonage hashes the body printed as compact JSON, which a proxy may have printed otherwise on the way. */
function isHashOf(body: Buffer, hash: string): boolean {
  if (equalsInConstantTime(hash, sha256(body))) return true;
  try {
    return equalsInConstantTime(hash, sha256(JSON.stringify(JSON.parse(body.toString('utf8')))));
  } catch {
    // No JSON, or nested too deeply to be printed: then there is no second reading.
    return false;
  }
}

function judgeClaims(claims: jwt.JwtPayload, request: WebhookRequest, secrets: Secrets, now: number): Verdict {
  if (claims.iss !== 'Vonage') return refuse('bad_signature', 'The token was not issued by Vonage (claim iss).');
  if (!Number.isSafeInteger(claims.iat)) return refuse('malformed_timestamp', 'The token has no time of issue (iat).');
  const stale = refuseStale(claims.iat ?? 0, now);
  if (stale) return stale;
  const apiKey: unknown = claims.api_key;
  const apiKeys = secrets.api_key ?? [];
  if (typeof apiKey === 'string' && apiKeys.length > 0 && !apiKeys.includes(apiKey)) {
    return refuse('bad_credentials', 'The token is of another Vonage account (claim api_key) than this carrier.');
  }
  const hash: unknown = claims.payload_hash;
  if (typeof hash !== 'string') return refuse('missing_payload_hash', 'The token does not cover the body.');
  if (isHashOf(request.body, hash.toLowerCase())) return VERIFIED;
  return refuse('bad_payload_hash', 'The token is right but of another body: the body changed on the way.');
}

function verify(request: WebhookRequest, secrets: Secrets, now: number): Verdict {
  const header = request.headers.authorization;
  if (!header) {
    return refuse('missing_signature', 'The request has no Authorization header: turn on signed webhooks at Vonage.');
  }
  const token = /^bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header)?.[1];
  if (!token) return refuse('malformed_signature', 'The Authorization header is not Bearer with a JWT.');
  for (const secret of secrets.signature_secret ?? []) {
    const claims = claimsOf(token, secret);
    if (claims) return judgeClaims(claims, request, secrets, now);
  }
  return refuse(
    'bad_signature',
    'The token is not signed (HS256) with this signature secret: compare it with the API settings of the account.',
  );
}

const DIRECTIONS: ReadonlyMap<string, Direction> = new Map([
  ['inbound', 'incoming'],
  ['outbound', 'outgoing'],
]);

/** What the detail of an unanswered, rejected or failed leg says; `declined` is a person's word. */
const DETAILS: ReadonlyMap<string, EndReason> = new Map([
  ['declined', reasonOf('call_rejected')],
  ['timeout', reasonOf('ring_timeout')],
  ['carrier_timeout', reasonOf('ring_timeout')],
  ['unavailable', reasonOf('no_answer')],
  ['invalid_number', reasonOf('unallocated_number')],
  ['number_out_of_service', reasonOf('unallocated_number')],
  ['restricted', reasonOf('forbidden')],
  ['cannot_route', reasonOf('no_route')],
  ['internal_error', reasonOf('application_error')],
]);

/** The words that end a leg. One of them comes instead of `completed`. Null: the detail and SIP code decide. */
const ENDS: ReadonlyMap<string, EndReason | null> = new Map([
  ['completed', { disposition: 'completed', cause: 'normal_clearing' }],
  ['busy', reasonOf('user_busy')],
  ['cancelled', reasonOf('originator_cancel')],
  ['canceled', reasonOf('originator_cancel')],
  ['timeout', reasonOf('ring_timeout')],
  ['unanswered', null],
  ['rejected', null],
  ['failed', null],
]);

function reasonOfEnd(status: string, detail: string | undefined, sipCode: number | undefined): EndReason {
  const known = ENDS.get(status);
  if (known) return known;
  const reason = DETAILS.get(detail ?? '') ?? reasonOfSipStatus(sipCode ?? 0);
  if (status !== 'unanswered') {
    return reason?.disposition === 'rejected' ? reason : { disposition: 'failed', cause: reason?.cause ?? 'unknown' };
  }
  return reason?.disposition === 'no_answer' || reason?.disposition === 'rejected' ? reason : reasonOf('no_answer');
}

/** `user` is the person on this leg: the caller of an inbound one, the callee of an outbound one. */
function sourceOf(event: unknown, direction: Direction | undefined): HangupSource | undefined {
  const by = memberOf(event, 'disconnected_by');
  if (by === 'platform') return 'system';
  if (by !== 'user' || direction === undefined) return undefined;
  return direction === 'incoming' ? 'caller' : 'callee';
}

function endOf(event: unknown, status: string, direction: Direction | undefined): Partial<Signal> {
  const detail = textOf(memberOf(event, 'detail'));
  const sipCode = numberOf(memberOf(event, 'sip_code'));
  const reason = reasonOfEnd(status, detail, sipCode);
  const price = decimalOf(memberOf(event, 'price'));
  return told<Partial<Signal>>({
    state: 'ended',
    disposition: reason.disposition ?? 'failed',
    hangupCause: reason.cause,
    hangupSource: sourceOf(event, direction),
    providerCause: detail ?? (sipCode === undefined ? status : String(sipCode)),
    price,
    currency: price === undefined ? undefined : 'EUR',
  });
}

/** Words that say something about a leg, but no state: `disconnected` is a WebSocket that dropped, not the end. */
const NOTES: ReadonlySet<string> = new Set(['human', 'machine', 'disconnected']);

function statementOf(event: unknown, status: string, direction: Direction | undefined): Partial<Signal> | null {
  if (status === 'started') return { state: 'initiated' };
  if (status === 'ringing' || status === 'answered') return { state: status };
  if (ENDS.has(status)) return endOf(event, status, direction);
  return NOTES.has(status) ? {} : null;
}

/** A transfer has no status: the leg keeps its id and moves on, so its session stays the one it was made in. */
const isTransfer = (event: unknown): boolean => memberOf(event, 'conversation_uuid_to') !== undefined;

function understand(_request: WebhookRequest, content: WebhookContent): Understanding {
  const event = content.kind === 'json' ? content.json : undefined;
  const status = textOf(memberOf(event, 'status')) ?? (isTransfer(event) ? 'transfer' : undefined);
  if (status === undefined) return unknownEvent(null);
  const direction = DIRECTIONS.get(textOf(memberOf(event, 'direction')) ?? '');
  const statement = isTransfer(event) ? {} : statementOf(event, status, direction);
  if (statement === null) return unknownStatus(status);
  const callId = textOf(memberOf(event, 'uuid')) ?? textOf(memberOf(event, 'call_uuid'));
  if (callId === undefined) return missingCallId(status, 'uuid');
  const ended = 'state' in statement && statement.state === 'ended';
  const { times, unreadable } = readTimes(event, ended ? ['timestamp', 'start_time', 'end_time'] : ['timestamp']);
  if (unreadable) return impossibleTime(status, unreadable);
  const base = told<Signal>({
    callId,
    occurredAt: times.end_time ?? times.timestamp,
    direction,
    from: textOf(memberOf(event, 'from')),
    to: textOf(memberOf(event, 'to')),
    sessionId: isTransfer(event) ? undefined : textOf(memberOf(event, 'conversation_uuid')),
  });
  // Only in `completed` is start_time the answer and duration the talk.
  if (status === 'completed') {
    const talk = secondsOf(memberOf(event, 'duration')) ?? secondsBetween(times.start_time, times.end_time);
    const answer = told<Partial<Signal>>({ answeredAt: times.start_time, talkSeconds: talk });
    return signals(status, { ...base, ...statement, ...answer });
  }
  return signals(status, { ...base, ...statement });
}

export const vonage: ProviderAdapter = {
  name: 'vonage',
  credentials: [secretRule('signature_secret', 'required'), secretRule('api_key', 'optional')],
  verify,
  read: ({ body }) => readJson(body),
  deliveryKey: () => null,
  answer: () => ({ status: 204 }),
  understand,
  setup: (url) => [
    `Dashboard > Applications > your application > Voice: set the Event URL to ${url} and its method to POST.`,
    'GET deliveries are refused with 405. Leave the Answer URL where your call control is: no NCCO is served here.',
    'There, turn on "Use signed webhooks".',
    'Dashboard > API settings > Signed webhooks: choose SHA-256 HMAC and enter the signature secret here as signature_secret.',
    'With several Vonage accounts, also enter api_key: tokens of another account are then refused.',
  ],
};
