import { isTimeZone } from '../../../lib/time-zone.js';
import type {
  CarrierContext,
  ProviderAdapter,
  Secrets,
  Signal,
  Understanding,
  Verdict,
  WebhookAnswer,
  WebhookContent,
  WebhookRequest,
} from '../provider.js';
import { plainRule, secretRule } from './credential-rules.js';
import { directionOf } from './cxml.js';
import { decodeForm, type Fields, type FormPairs, fieldsOf, queryOf, readForm } from './form.js';
import { decimalOf, secondsOf, told } from './json.js';
import { hangupSourceOf, reasonOfEnd, reasonOfStatusWord } from './plivo-causes.js';
import { anySignatureMatches, hmac, refuse, VERIFIED } from './signatures.js';
import { urlForPeople } from './signed-url.js';
import { parseZonedTime } from './times.js';
import { secondsBetween } from './understanding.js';
import { EMPTY_DOCUMENT, redirectDocument } from './voice-document.js';

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const sorted = (pairs: FormPairs): FormPairs =>
  [...pairs].sort(([a, x], [b, y]) => byCodeUnit(a, b) || byCodeUnit(x, y));

/**
 * Signature V3 as the SDK's `v3Security.js` makes it. The question mark of a POST is there even when the URL has none,
 * and query and form stand decoded.
 */
function signedText(request: WebhookRequest): string {
  const base = request.url.split('?')[0] ?? '';
  const query = sorted(queryOf(request.url))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const pairs = decodeForm(request.body.toString('utf8'));
  const form = sorted(pairs)
    .map(([name, value]) => name + value)
    .join('');
  const mark = query !== '' || pairs.length > 0 ? '?' : '';
  const dot = query !== '' && pairs.length > 0 ? '.' : '';
  return base + mark + query + dot + form;
}

function verify(request: WebhookRequest, secrets: Secrets): Verdict {
  const { headers } = request;
  const header = [headers['x-plivo-signature-v3'], headers['x-plivo-signature-ma-v3']].filter(Boolean).join(',');
  const nonce = headers['x-plivo-signature-v3-nonce'];
  if (header === '') {
    const isOld = headers['x-plivo-signature-v2'] !== undefined || headers['x-plivo-signature'] !== undefined;
    const detail = isOld
      ? 'The request has only an older signature, which does not cover the body; V3 is needed.'
      : 'The request has no X-Plivo-Signature-V3 header.';
    return refuse('missing_signature', detail);
  }
  if (!nonce) return refuse('missing_nonce', 'The request has no X-Plivo-Signature-V3-Nonce header.');
  const given = header
    .split(',')
    .slice(0, 16)
    .map((text) => text.trim());
  const text = `${signedText(request)}.${nonce}`;
  if (anySignatureMatches(given, secrets.auth_token, (token) => [hmac('sha256', token, [text], 'base64')])) {
    return VERIFIED;
  }
  const detail =
    "The signature does not match. Check that auth_token is that of the call's account or of its main account, and " +
    `that the URL at Plivo is ${urlForPeople(request.url)}, with the same scheme, port and slashes.`;
  return refuse('bad_signature', detail);
}

const ignored = (eventType: string | null, code: string, detail: string): Understanding => ({
  kind: 'ignored',
  eventType,
  code,
  detail,
});

const impossible = (eventType: string, name: string, text: string | undefined): Understanding => ({
  kind: 'failed',
  eventType,
  code: 'impossible_time',
  detail: `The ${name} "${text}" cannot be read.`,
});

const partiesOf = (fields: Fields): Partial<Signal> =>
  told<Partial<Signal>>({ direction: directionOf(fields('Direction')), from: fields('From'), to: fields('To') });

/** Ring tells its time (`SessionStart`, always UTC); the other events before the end have none that is theirs. */
function understandProgress(fields: Fields, callId: string, event: string): Understanding {
  const word = fields('CallStatus') ?? '';
  const state = event === 'Ring' || word === 'ringing' ? 'ringing' : word === 'in-progress' ? 'answered' : null;
  if (state === null) return ignored(event, 'unknown_status', `The CallStatus "${word}" of ${event} is not known.`);
  const start = event === 'Ring' ? fields('SessionStart') : undefined;
  const occurredAt = start === undefined ? undefined : parseZonedTime(start, 'UTC');
  if (occurredAt === null) return impossible(event, 'SessionStart', start);
  const signal = told<Signal>({ callId, state, occurredAt, ...partiesOf(fields) });
  return { kind: 'signals', eventType: event, signals: [signal] };
}

/**
 * The end tells the whole life in the console's time zone, without an offset. It states the end alone, with the time of
 * the answer; when the leg began follows from its seconds, as with the other providers that tell of it only then.
 */
function understandHangup(fields: Fields, callId: string, zone: string): Understanding {
  const times: number[] = [];
  const moments: Array<number | undefined> = [];
  for (const name of ['StartTime', 'AnswerTime', 'EndTime']) {
    const text = fields(name);
    const time = text === undefined ? undefined : parseZonedTime(text, zone, Math.max(...times));
    if (time === null) return impossible('Hangup', name, text);
    if (time !== undefined) times.push(time);
    moments.push(time);
  }
  const [startedAt, answeredAt, endedAt] = moments;
  const talk = secondsOf(fields('Duration'));
  const code = fields('HangupCauseCode');
  const end = reasonOfEnd(code, fields('HangupCause'), fields('CallStatus'));
  const ended = told<Signal>({
    callId,
    ...partiesOf(fields),
    state: 'ended',
    occurredAt: endedAt,
    disposition: end?.disposition ?? undefined,
    hangupCause: end?.cause ?? fields('HangupCause'),
    hangupSource: hangupSourceOf(fields('HangupSource')),
    providerCause: code ?? fields('HangupCause') ?? fields('CallStatus'),
    answeredAt,
    talkSeconds: talk || (secondsBetween(answeredAt, endedAt) ?? talk),
    totalSeconds: secondsBetween(startedAt, endedAt),
    price: decimalOf(fields('TotalCost')),
  });
  return { kind: 'signals', eventType: 'Hangup', signals: [ended] };
}

/** The B leg of a Dial as its `callbackUrl` and `action` tell it; null where they name no such leg. */
function dialledLeg(fields: Fields, callId: string): Signal | null {
  const childId = fields('DialBLegUUID');
  const parentCallId = fields('DialALegUUID') ?? callId;
  if (!childId || childId === parentCallId) return null;
  const [from, to] = [fields('DialBLegFrom'), fields('DialBLegTo')];
  return told<Signal>({ callId: childId, parentCallId, direction: 'outgoing', from, to });
}

function dialledEnd(fields: Fields): Partial<Signal> {
  const status = fields('DialStatus');
  const name = fields('DialBLegHangupCause');
  const code = fields('DialBLegHangupCauseCode');
  const end = reasonOfEnd(code, name, status);
  return told<Partial<Signal>>({
    state: 'ended',
    disposition: end?.disposition ?? undefined,
    hangupCause: end?.cause ?? name,
    hangupSource: hangupSourceOf(fields('DialBLegHangupSource')),
    providerCause: code ?? name ?? status,
    talkSeconds: secondsOf(fields('DialBLegDuration')),
  });
}

function understandDial(fields: Fields, callId: string, event: string): Understanding {
  const leg = dialledLeg(fields, callId);
  if (!leg) return ignored(event, 'no_facts', 'Nobody was reached: there is no second leg.');
  const action = fields('DialAction') ?? DIAL_EVENTS.get(event);
  const status = fields('DialStatus');
  if (action === 'answer') return { kind: 'signals', eventType: event, signals: [{ ...leg, state: 'answered' }] };
  if (action === 'connected') return { kind: 'signals', eventType: event, signals: [leg] };
  if (action === 'hangup' || (action === undefined && reasonOfStatusWord(status))) {
    return { kind: 'signals', eventType: event, signals: [{ ...leg, ...dialledEnd(fields) }] };
  }
  if (action === 'digits') return ignored(event, 'no_facts', 'Digits say nothing about the call.');
  return ignored(event, 'unknown_status', `The result "${action ?? status}" of the Dial is not known.`);
}

/** Documented beside `DialAction`, which decides where it is told. */
const DIAL_EVENTS: ReadonlyMap<string, string> = new Map([
  ['DialAnswer', 'answer'],
  ['DialConnected', 'connected'],
  ['DialHangup', 'hangup'],
  ['DialDigitsMatch', 'digits'],
]);

const isDial = (fields: Fields): boolean =>
  fields('DialAction') !== undefined || fields('DialStatus') !== undefined || DIAL_EVENTS.has(fields('Event') ?? '');

function understand(content: WebhookContent, carrier: CarrierContext): Understanding {
  const fields = fieldsOf(content);
  const event = fields('Event') ?? (isDial(fields) ? 'Dial' : undefined);
  const callId = fields('CallUUID') ?? fields('DialALegUUID');
  if (!callId) {
    return { kind: 'failed', eventType: event ?? null, code: 'missing_call_id', detail: 'There is no CallUUID.' };
  }
  if (event === undefined) return ignored(null, 'unknown_event', 'There is no Event.');
  if (isDial(fields)) return understandDial(fields, callId, event);
  if (event === 'Hangup') return understandHangup(fields, callId, carrier.plain.time_zone ?? 'UTC');
  if (event === 'Ring' || event === 'StartApp') return understandProgress(fields, callId, event);
  if (event === 'MachineDetection' || event === 'Redirect') {
    return ignored(event, 'no_facts', `${event} says nothing about the call that is not told elsewhere.`);
  }
  return ignored(event, 'unknown_event', `The event "${event}" is not known.`);
}

/** Plivo wants exactly 200. Only a new call is sent on: the actions of the voice URL's own XML would come round again. */
function answer(content: WebhookContent, carrier: CarrierContext): WebhookAnswer {
  const fields = fieldsOf(content);
  const event = fields('Event');
  if (event === 'StartApp' && !isDial(fields)) return redirectDocument(carrier.voiceUrl);
  const isAction = fields('DialStatus') !== undefined || event === 'Redirect' || event === 'DialAction';
  return isAction ? EMPTY_DOCUMENT : { status: 200 };
}

export const plivo: ProviderAdapter = {
  name: 'plivo',
  credentials: [
    secretRule('auth_token', 'required'),
    plainRule('time_zone', 'optional', (value) =>
      isTimeZone(value) ? null : 'must be an IANA time zone such as America/New_York',
    ),
  ],
  verify,
  read: (request) => readForm(request.body),
  deliveryKey: () => null,
  answer: (_request, content, carrier) => answer(content, carrier),
  understand: (_request, content, carrier) => understand(content, carrier),
  setup: (url) => [
    `Voice > Applications > your application: "Primary Answer URL" = ${url}#rc=5&rp=all, POST.`,
    `The same page: "Hangup URL" = ${url}#rc=5&rp=all, POST.`,
    `Calls by API: answer_url, ring_url and hangup_url = ${url}#rc=5&rp=all, each with method POST.`,
    `<Dial>: callbackUrl="${url}", callbackMethod="POST" tells of the second leg.`,
    'time_zone is the time zone that is set in the Plivo console: the end of a call is told on its clock, without offset.',
    'auth_token is the auth token of the account (or of the main account when a subaccount makes the calls).',
  ],
};
