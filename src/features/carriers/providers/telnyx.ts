import { createPublicKey, type KeyObject, verify as verifySignature } from 'node:crypto';
import type {
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
import { type HangupCause, reasonOfSipStatus } from './hangup-causes.js';
import { currencyOf, decimalOf, listOf, memberOf, numberOf, readJson, textOf, told } from './json.js';
import { refuse, refuseStaleText, VERIFIED } from './signatures.js';
import { impossibleTime, missingCallId, readTimes, secondsBetween, signals, unknownEvent } from './understanding.js';

/** Telnyx Call Control, API v2: https://developers.telnyx.com/docs/voice/programmable-voice/receiving-webhooks */

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Base64 of the 32 raw bytes, which node only takes as a JWK. */
function publicKeyOf(text: string): KeyObject | null {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== text) return null;
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') } });
}

function verify(request: WebhookRequest, secrets: Secrets, now: number): Verdict {
  const signature = request.headers['telnyx-signature-ed25519'];
  const timestamp = request.headers['telnyx-timestamp'];
  if (!signature || !timestamp) {
    const missing = signature ? 'telnyx-timestamp' : 'telnyx-signature-ed25519';
    return refuse('missing_signature', `The request has no ${missing} header: it does not come from Telnyx (API v2).`);
  }
  // Node's decoder would take anything, such as another last character that stands for the same bytes.
  const given = Buffer.from(signature, 'base64');
  if (given.length !== SIGNATURE_BYTES || given.toString('base64') !== signature) {
    return refuse('malformed_signature', 'The telnyx-signature-ed25519 header is not the base64 of 64 bytes.');
  }
  const stale = refuseStaleText(timestamp, now);
  if (stale) return stale;
  const message = Buffer.concat([Buffer.from(`${timestamp}|`), request.body]);
  const keys = (secrets.public_key ?? []).map(publicKeyOf);
  if (keys.some((key) => key !== null && verifySignature(null, message, key, given))) return VERIFIED;
  return refuse(
    'bad_signature',
    'The signature does not fit: the public key is not that of this Telnyx account, or the body changed on the way.',
  );
}

/** The events of a leg that tell no state but show that it lives, with the parties it has. */
const NOTES: ReadonlySet<string> = new Set(
  [
    'bridged hold unhold cost enqueued dequeued dtmf.received gather.ended speak.started speak.ended',
    'playback.started playback.ended recording.saved recording.error fork.started fork.stopped transcription',
    'refer.started refer.completed refer.failed machine.detection.ended machine.greeting.ended',
    'machine.premium.detection.ended machine.premium.greeting.ended',
  ].flatMap((line) => line.split(' ').map((name) => `call.${name}`)),
);

const DIRECTIONS: ReadonlyMap<string, Direction> = new Map([
  ['incoming', 'incoming'],
  ['outgoing', 'outgoing'],
]);
const SOURCES: ReadonlyMap<string, HangupSource> = new Map([
  ['caller', 'caller'],
  ['callee', 'callee'],
]);

const CAUSES: ReadonlyMap<string, readonly [HangupCause, Disposition | undefined]> = new Map([
  ['normal_clearing', ['normal_clearing', undefined]],
  ['originator_cancel', ['originator_cancel', 'canceled']],
  ['timeout', ['ring_timeout', 'no_answer']],
  ['no_answer', ['no_answer', 'no_answer']],
  ['user_busy', ['user_busy', 'busy']],
  ['call_rejected', ['call_rejected', 'rejected']],
  ['not_found', ['unallocated_number', 'failed']],
  ['time_limit', ['max_duration', 'completed']],
]);

type End = Pick<Signal, 'disposition' | 'hangupCause' | 'hangupSource' | 'providerCause'>;

function endOf(payload: unknown): End {
  const word = textOf(memberOf(payload, 'hangup_cause'));
  const sipCode = textOf(memberOf(payload, 'sip_hangup_cause'));
  const hangupSource = SOURCES.get(textOf(memberOf(payload, 'hangup_source')) ?? '');
  const known = CAUSES.get(word ?? '');
  if (known) {
    const [hangupCause, disposition] = known;
    // Said of an unanswered leg: an answered one is completed whatever is told. An end without a fault is its caller's
    // where the hangup names him, or is an incoming leg's by having no SIP code of ours (`unspecified`); else it is left
    // to the direction, which `call.initiated` tells.
    const leftBeforeAnswer =
      hangupCause === 'normal_clearing' && (hangupSource === 'caller' || sipCode === 'unspecified');
    return told<End>({
      disposition: leftBeforeAnswer ? 'canceled' : disposition,
      hangupCause,
      hangupSource,
      providerCause: word,
    });
  }
  const bySip = reasonOfSipStatus(numberOf(sipCode) ?? 0);
  const unnamed = word === undefined || word === 'unspecified';
  return told<End>({
    disposition: bySip?.disposition ?? 'failed',
    hangupCause: bySip?.cause ?? (unnamed ? 'unknown' : word),
    hangupSource,
    providerCause: unnamed && bySip ? sipCode : word,
  });
}

/** The total is told without a currency: that stands beside the parts. */
function costOf(payload: unknown): Pick<Signal, 'price' | 'currency'> {
  const price = decimalOf(memberOf(payload, 'total_cost'));
  const currency = currencyOf(memberOf(listOf(memberOf(payload, 'cost_parts'))[0], 'currency'));
  return price === undefined || currency === undefined ? {} : { price, currency };
}

/** There is no ringing event: an incoming leg already rings when it is reported. Null: an event without a use. */
function statementOf(eventType: string, payload: unknown): Partial<Signal> | null {
  const direction = DIRECTIONS.get(textOf(memberOf(payload, 'direction')) ?? '');
  if (eventType === 'call.initiated') {
    return told<Partial<Signal>>({ state: direction === 'incoming' ? 'ringing' : 'initiated', direction });
  }
  if (eventType === 'call.answered') return { state: 'answered' };
  if (eventType === 'call.hangup') return { state: 'ended', ...endOf(payload) };
  if (eventType === 'call.cost') return costOf(payload);
  return NOTES.has(eventType) ? {} : null;
}

function understand(_request: WebhookRequest, content: WebhookContent): Understanding {
  const data = content.kind === 'json' ? memberOf(content.json, 'data') : undefined;
  const payload = memberOf(data, 'payload');
  const eventType = textOf(memberOf(data, 'event_type'));
  const statement = eventType === undefined ? null : statementOf(eventType, payload);
  if (eventType === undefined || statement === null) return unknownEvent(eventType ?? null);
  const callId = textOf(memberOf(payload, 'call_leg_id'));
  if (callId === undefined) return missingCallId(eventType, 'data.payload.call_leg_id');
  const happened = readTimes(data, ['occurred_at']);
  if (happened.unreadable) return impossibleTime(eventType, 'data.occurred_at');
  const { times, unreadable } = readTimes(payload, statement.state === 'ended' ? ['start_time', 'end_time'] : []);
  if (unreadable) return impossibleTime(eventType, `data.payload.${unreadable}`);
  const occurredAt = happened.times.occurred_at ?? times.end_time;
  const signal = told<Signal>({
    callId,
    occurredAt,
    sessionId: textOf(memberOf(payload, 'call_session_id')),
    from: textOf(memberOf(payload, 'from')),
    to: textOf(memberOf(payload, 'to')),
    totalSeconds: secondsBetween(times.start_time, occurredAt),
  });
  return signals(eventType, { ...signal, ...statement });
}

export const telnyx: ProviderAdapter = {
  name: 'telnyx',
  credentials: [
    secretRule('public_key', 'required', (value) =>
      publicKeyOf(value)
        ? null
        : 'must be the base64 of 32 bytes, as Mission Control shows it under Keys & Credentials',
    ),
  ],
  verify,
  read: ({ body }) => readJson(body),
  deliveryKey: (_request, content) => (content.kind === 'json' && textOf(memberOf(content.json, 'data', 'id'))) || null,
  answer: () => ({ status: 204 }),
  understand,
  setup: (url) => [
    `Mission Control > Voice > Programmable Voice > your Voice API application: set the webhook URL to ${url}`,
    'There, choose webhook API version 2 (version 1 is not signed in this way).',
    'Give the same URL as failover URL, or none: what arrives twice is counted once.',
    'Mission Control > Keys & Credentials > Public key: enter it here as public_key.',
    'To see prices, turn on "call cost in webhooks" of the application.',
  ],
};
