import type {
  CallState,
  CarrierContext,
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
import { directionOf, isDialAction, isVoiceRequest, understandCxml } from './cxml.js';
import { contentTypeOf, decodeForm, type Fields, type FormPairs, fieldsOf, readForm } from './form.js';
import { memberOf, objectOf, readJson, textOf, told } from './json.js';
import { anySignatureMatches, hmac, refuse, VERIFIED } from './signatures.js';
import { portSpellings, urlForPeople } from './signed-url.js';
import { EMPTY_DOCUMENT, redirectDocument } from './voice-document.js';

/** By the type, or by the first byte: a form that begins with a brace is none. */
const isJson = (request: WebhookRequest): boolean =>
  /[/+]json$/.test(contentTypeOf(request)) || /^\s*\{/.test(request.body.toString('utf8', 0, 64));

/** Names by code unit; a repeated name's values as they came, neither sorted nor made unique (unlike Twilio's 6.x). */
function sortedParameters(pairs: FormPairs): string {
  return [...pairs]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => name + value)
    .join('');
}

/**
 * The vendor's SDK also takes a JSON body whose top-level members are signed like a form's. Only plain values are fully
 * in such a signature; with an object or a list inside, part of the body would be unsigned.
 */
function jsonAsPairs(body: Buffer): FormPairs | null {
  const json = readJson(body);
  const members = Object.entries((json?.kind === 'json' && objectOf(json.json)) || {});
  const isFlat = members.length > 0 && members.every(([, value]) => value === null || typeof value !== 'object');
  return isFlat ? members.map(([name, value]) => [name, String(value)] as const) : null;
}

/** Over the bytes whatever the body is, since that covers all of it; over parameters where the body is such. */
function expectedSignatures(request: WebhookRequest, key: string): readonly string[] {
  const urls = portSpellings(request.url);
  const pairs = isJson(request) ? jsonAsPairs(request.body) : decodeForm(request.body.toString('utf8'));
  const overBytes = urls.map((url) => hmac('sha1', key, [url, request.body], 'hex'));
  if (!pairs) return overBytes;
  return [...overBytes, ...urls.map((url) => hmac('sha1', key, [url, sortedParameters(pairs)], 'base64'))];
}

function verify(request: WebhookRequest, secrets: Secrets): Verdict {
  const signature = request.headers['x-signalwire-signature'];
  if (!signature) return refuse('missing_signature', 'The request has no X-SignalWire-Signature header.');
  const matches = anySignatureMatches([signature], secrets.signing_key, (key) => expectedSignatures(request, key));
  if (matches) return VERIFIED;
  const detail =
    'The signature does not match. Check that signing_key is the signing key of the project (PSK_…), not the API ' +
    `token, that the URL at SignalWire is ${urlForPeople(request.url)} and that no proxy changes the body.`;
  return refuse('bad_signature', detail);
}

/** The number in `+1…`, `sip:+1…@host` or `sips:…`. */
const partyOf = (text: string | undefined): string => (text ?? '').replace(/^sips?:/i, '').split('@')[0] ?? '';

function hangupSourceOf(fields: Fields): HangupSource | undefined {
  const [by, from, to] = [partyOf(fields('HangupBy')), partyOf(fields('From')), partyOf(fields('To'))];
  if (by === '' || from === to) return undefined;
  return by === from ? 'caller' : by === to ? 'callee' : undefined;
}

const RELAY_STATES: ReadonlyMap<string, CallState> = new Map([
  ['created', 'initiated'],
  ['ringing', 'ringing'],
  ['answered', 'answered'],
  ['ended', 'ended'],
]);

/** A RELAY or SWML call: `{"call":{"call_id","call_state",…},"vars":{}}`, without time and reason of the end. */
function understandRelay(call: unknown): Understanding {
  const word = textOf(memberOf(call, 'call_state')) ?? '';
  const callId = textOf(memberOf(call, 'call_id'));
  if (!callId) {
    return { kind: 'failed', eventType: word || null, code: 'missing_call_id', detail: 'The call has no call_id.' };
  }
  if (word === '') {
    return { kind: 'ignored', eventType: null, code: 'no_facts', detail: 'The call has no call_state.' };
  }
  const state = RELAY_STATES.get(word);
  // SignalWire names this state between `answered` and `ended`; the end itself follows.
  if (!state && word === 'ending') {
    return { kind: 'ignored', eventType: word, code: 'no_facts', detail: 'The end is told by "ended".' };
  }
  if (!state) {
    return { kind: 'ignored', eventType: word, code: 'unknown_status', detail: `The state "${word}" is not known.` };
  }
  const signal = told<Signal>({
    callId,
    state,
    direction: directionOf(textOf(memberOf(call, 'direction'))),
    from: textOf(memberOf(call, 'from')) ?? textOf(memberOf(call, 'from_number')),
    to: textOf(memberOf(call, 'to')) ?? textOf(memberOf(call, 'to_number')),
  });
  return { kind: 'signals', eventType: word, signals: [signal] };
}

function relayCallOf(content: WebhookContent): unknown {
  return content.kind === 'json' ? objectOf(memberOf(content.json, 'call')) : undefined;
}

function understand(content: WebhookContent): Understanding {
  const call = relayCallOf(content);
  if (call) return understandRelay(call);
  const end = (fields: Fields) => told<Partial<Signal>>({ hangupSource: hangupSourceOf(fields) });
  return understandCxml(content, { sipStatus: 'SipResultCode', end });
}

function answer(content: WebhookContent, carrier: CarrierContext) {
  const fields = fieldsOf(content);
  if (!isVoiceRequest(fields)) return { status: 204 };
  return isDialAction(fields) ? EMPTY_DOCUMENT : redirectDocument(carrier.voiceUrl);
}

export const signalwire: ProviderAdapter = {
  name: 'signalwire',
  credentials: [secretRule('signing_key', 'required')],
  verify,
  read: (request) => (isJson(request) ? readJson(request.body) : readForm(request.body)),
  // No id of its own, and SequenceNumber is missing from real callbacks of busy and unanswered calls.
  deliveryKey: () => null,
  answer: (_request, content, carrier) => answer(content, carrier),
  understand: (_request, content) => understand(content),
  setup: (url) => [
    `Phone Numbers > your number > "When a call comes in" = cXML Webhook, ${url}, POST.`,
    `The same page: "Call status changes" = ${url}, POST.`,
    `Calls by API: StatusCallback=${url}, StatusCallbackEvent=initiated ringing answered completed.`,
    '<Dial>: put statusCallback (the same URL) and statusCallbackEvent="initiated ringing answered completed" on <Number>.',
    'signing_key is the signing key of the project (PSK_…, API > Show signing key), not the API token.',
  ],
};
