import { createHash } from 'node:crypto';
import type {
  CallState,
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
import { memberOf, numberOf, readJson, secondsOf, textOf, told } from './json.js';
import { anySignatureMatches, hmac, readSeconds, refuse, refuseStaleText, VERIFIED } from './signatures.js';

interface SignatureHeader {
  /** `t=` as it is written, since it is signed as text. */
  readonly time: string;
  readonly signatures: readonly string[];
}

/** `t=<seconds>,v1=<hex>`; several `v1=` may be there, and parts that we do not know. */
function readSignature(header: string): SignatureHeader | null {
  const parts = header.split(',').map((part) => part.trim());
  const valuesOf = (name: string) =>
    parts.filter((part) => part.startsWith(`${name}=`)).map((part) => part.slice(name.length + 1));
  const [time, ...more] = valuesOf('t');
  const signatures = valuesOf('v1').slice(0, 16);
  return time !== undefined && more.length === 0 && signatures.length > 0 ? { time, signatures } : null;
}

const signatureOf = (request: WebhookRequest): SignatureHeader | null =>
  readSignature(request.headers['jambonz-signature'] ?? '');

function verify(request: WebhookRequest, secrets: Secrets, now: number): Verdict {
  if (!request.headers['jambonz-signature']) {
    return refuse(
      'missing_signature',
      'The request has no Jambonz-Signature header: has the account a webhook secret?',
    );
  }
  const given = signatureOf(request);
  if (!given) return refuse('malformed_signature', 'The Jambonz-Signature is not "t=<seconds>,v1=<hex>".');
  const stale = refuseStaleText(given.time, now);
  if (stale) return stale;
  const matches = anySignatureMatches(given.signatures, secrets.webhook_secret, (secret) => [
    hmac('sha256', secret, [`${given.time}.`, request.body], 'hex'),
  ]);
  if (matches) return VERIFIED;
  const detail =
    'The signature does not match. Check that webhook_secret is the webhook secret of the jambonz account and that ' +
    'no proxy changes the body.';
  return refuse('bad_signature', detail);
}

const STATES: ReadonlyMap<string, CallState> = new Map([
  ['queued', 'initiated'],
  ['trying', 'initiated'],
  ['ringing', 'ringing'],
  ['early-media', 'ringing'],
  ['in-progress', 'answered'],
]);

/** Who gave up is told of an inbound leg only; on an outbound one a 487 is our ring timer or our cancel alike. */
function reasonOfNoAnswer(json: unknown, sipStatus: number | undefined): EndReason {
  const isCallerGone = memberOf(json, 'direction') === 'inbound' && memberOf(json, 'call_termination_by') === 'caller';
  return reasonOf(isCallerGone && sipStatus === 487 ? 'originator_cancel' : 'no_answer');
}

/** Of the codes behind `failed` only these change the disposition (feature server 0.9.8). */
const FAILED_OTHERWISE = [408, 480, 603];

function reasonOfEnd(word: string, json: unknown): Partial<EndReason> | null {
  const sipStatus = numberOf(memberOf(json, 'sip_status'));
  const bySip = sipStatus === undefined ? null : reasonOfSipStatus(sipStatus);
  switch (word) {
    case 'completed':
      return { disposition: 'completed', cause: 'normal_clearing' };
    case 'busy':
      return reasonOf(bySip?.cause === 'call_rejected' ? 'call_rejected' : 'user_busy');
    case 'no-answer':
      return reasonOfNoAnswer(json, sipStatus);
    case 'failed':
      if (bySip === null) return { disposition: 'failed' };
      return FAILED_OTHERWISE.includes(sipStatus ?? 0) ? bySip : { disposition: 'failed', cause: bySip.cause };
    default:
      return null;
  }
}

/** The word `caller` means the far end: of an outbound leg that is the one who was called. */
function hangupSourceOf(json: unknown): HangupSource | undefined {
  const by = memberOf(json, 'call_termination_by');
  if (by === 'jambonz') return 'system';
  if (by !== 'caller') return undefined;
  const direction = memberOf(json, 'direction');
  return direction === 'inbound' ? 'caller' : direction === 'outbound' ? 'callee' : undefined;
}

function endingOf(word: string, json: unknown): Partial<Signal> | null {
  const end = reasonOfEnd(word, json);
  if (!end) return null;
  return told<Partial<Signal>>({
    state: 'ended',
    disposition: end.disposition ?? undefined,
    hangupCause: end.cause,
    hangupSource: hangupSourceOf(json),
    providerCause: textOf(memberOf(json, 'sip_status')) ?? word,
    talkSeconds: word === 'completed' ? secondsOf(memberOf(json, 'duration')) : undefined,
  });
}

function understand(request: WebhookRequest, content: WebhookContent): Understanding {
  const json = content.kind === 'json' ? content.json : undefined;
  const word = textOf(memberOf(json, 'call_status'));
  const callId = textOf(memberOf(json, 'call_sid'));
  if (!callId) {
    return { kind: 'failed', eventType: word ?? null, code: 'missing_call_id', detail: 'The body has no call_sid.' };
  }
  if (word === undefined) {
    return { kind: 'ignored', eventType: null, code: 'no_facts', detail: 'The body has no call_status.' };
  }
  const state = STATES.get(word);
  const statement = state ? { state } : endingOf(word, json);
  if (!statement) {
    return { kind: 'ignored', eventType: word, code: 'unknown_status', detail: `The status "${word}" is not known.` };
  }
  const direction = memberOf(json, 'direction');
  // The body has no time: the one that is signed is made once for the event and is the same in its retries.
  const seconds = readSeconds(signatureOf(request)?.time ?? '');
  const signal = told<Signal>({
    callId,
    occurredAt: seconds === null ? undefined : seconds * 1000,
    direction: direction === 'inbound' ? 'incoming' : direction === 'outbound' ? 'outgoing' : undefined,
    from: textOf(memberOf(json, 'from')),
    to: textOf(memberOf(json, 'to')),
    parentCallId: textOf(memberOf(json, 'parent_call_sid')),
    ...statement,
  });
  return { kind: 'signals', eventType: word, signals: [signal] };
}

/** A leg may tell the same twice with the same bytes (ringing, early media): the signed time tells events from retries. */
function deliveryKey(request: WebhookRequest): string {
  const hash = createHash('sha256').update(`${request.path}\n`).update(request.body);
  return hash.update(`\n${signatureOf(request)?.time ?? ''}`).digest('hex');
}

export const jambonz: ProviderAdapter = {
  name: 'jambonz',
  credentials: [secretRule('webhook_secret', 'required')],
  verify,
  read: (request) => readJson(request.body),
  deliveryKey,
  answer: () => ({ status: 204 }),
  understand,
  setup: (url) => [
    `Applications > your application > "Call status webhook" = ${url}#rc=5&rp=all, method POST.`,
    'Not GET: jambonz then sends no data at all.',
    'Without #rc=5&rp=all jambonz never tries again, so that one failed request loses the event.',
    'webhook_secret is the webhook secret of the account (Account > Webhook secret, wh_secret_…).',
  ],
};
