import { createHash } from 'node:crypto';
import { parse as parseQuery, stringify as stringifyQuery } from 'node:querystring';
import type { ProviderAdapter, Secrets, Verdict, WebhookContent, WebhookRequest } from '../provider.js';
import { plainRule, secretRule } from './credential-rules.js';
import { isDialAction, isVoiceRequest, understandCxml } from './cxml.js';
import { contentTypeOf, decodeForm, type FormPairs, fieldsOf, queryOf, readForm } from './form.js';
import { readJson } from './json.js';
import { anySignatureMatches, equalsInConstantTime, hmac, refuse, VERIFIED } from './signatures.js';
import { portSpellings, urlForPeople } from './signed-url.js';
import { EMPTY_DOCUMENT, redirectDocument } from './voice-document.js';

const BODY_HASH = 'bodySHA256';

/** Names by code unit; a repeated name's distinct values, sorted, each behind the name (SDK 6.2.0). */
function sortedParameters(pairs: FormPairs): string {
  const values = new Map<string, Set<string>>();
  for (const [name, value] of pairs) values.set(name, (values.get(name) ?? new Set()).add(value));
  return [...values.keys()]
    .sort()
    .flatMap((name) => [...(values.get(name) ?? [])].sort().map((value) => name + value))
    .join('');
}

/** The spellings that the SDK tries: as received, then as `URL` and node's old query encoder (`%27` for `'`) write it. */
function urlSpellings(url: string): readonly string[] {
  const spellings = [...portSpellings(url)];
  if (URL.canParse(url)) {
    for (const spelling of portSpellings(new URL(url).toString())) {
      const mark = spelling.indexOf('?');
      const query = mark < 0 ? '' : spelling.slice(mark + 1);
      spellings.push(spelling);
      if (query) spellings.push(`${spelling.slice(0, mark)}?${stringifyQuery(parseQuery(query))}`);
    }
  }
  return [...new Set(spellings)];
}

/** SDK 6.3.1: webhooks that a SharedKey signs name the algorithm, `key=<id>,algorithm=HMAC_SHA256`; null: unknown. */
function algorithmOf(request: WebhookRequest): 'sha1' | 'sha256' | null {
  const settings = request.headers['x-twilio-webhooks-signature-settings'] ?? '';
  const name = /(?:^|,)\s*algorithm\s*=\s*([^,\s]+)/.exec(settings)?.[1] ?? 'HMAC_SHA1';
  const algorithms = { HMAC_SHA1: 'sha1', HMAC_SHA256: 'sha256' } as const;
  return Object.entries(algorithms).find(([known]) => known === name.toUpperCase())?.[1] ?? null;
}

const isForm = (request: WebhookRequest): boolean =>
  ['', 'application/x-www-form-urlencoded'].includes(contentTypeOf(request));

const bodyHashOf = (request: WebhookRequest): string | undefined =>
  queryOf(request.url).find(([name]) => name === BODY_HASH)?.[1];

function verify(request: WebhookRequest, secrets: Secrets): Verdict {
  const signature = request.headers['x-twilio-signature'];
  if (!signature) return refuse('missing_signature', 'The request has no X-Twilio-Signature header.');
  const algorithm = algorithmOf(request);
  if (!algorithm) return refuse('malformed_signature', 'The algorithm that signed this is neither SHA-1 nor SHA-256.');
  const bodyHash = bodyHashOf(request);
  if (bodyHash === undefined && !isForm(request)) {
    return refuse('bad_signature', `The body is no form and the URL has no ${BODY_HASH}, so nothing covers the body.`);
  }
  const parameters = bodyHash === undefined ? sortedParameters(decodeForm(request.body.toString('utf8'))) : '';
  const matches = anySignatureMatches([signature], secrets.auth_token, (token) =>
    urlSpellings(request.url).map((url) => hmac(algorithm, token, [url, parameters], 'base64')),
  );
  if (!matches) {
    const detail =
      "The signature does not match. Check that the auth token is the primary one of the call's (sub)account, that " +
      `the URL at Twilio is ${urlForPeople(request.url)} and that no proxy changes the body.`;
    return refuse('bad_signature', detail);
  }
  const isBodyIntact =
    bodyHash === undefined || equalsInConstantTime(bodyHash, createHash('sha256').update(request.body).digest('hex'));
  return isBodyIntact ? VERIFIED : refuse('bad_body_hash', `The body is not the one that ${BODY_HASH} was made of.`);
}

/**
 * Callbacks have a number of their own within the leg. Those of conferences are counted by conference: they have no
 * CallStatus, and so fall through to the token, which is the same for all attempts of one request.
 */
function deliveryKey(request: WebhookRequest, content: WebhookContent): string | null {
  const fields = fieldsOf(content);
  const [callId, sequence] = [fields('CallSid'), fields('SequenceNumber')];
  if (callId && fields('CallStatus') && sequence && /^\d+$/.test(sequence)) return `${callId}:${sequence}`;
  return request.headers['i-twilio-idempotency-token'] || null;
}

export const twilio: ProviderAdapter = {
  name: 'twilio',
  credentials: [
    secretRule('auth_token', 'required'),
    plainRule('account_sid', 'optional', (value) =>
      /^AC[0-9a-f]{32}$/i.test(value) ? null : 'must be AC and 32 hexadecimal digits',
    ),
  ],
  verify,
  read: (request) => (isForm(request) ? readForm(request.body) : readJson(request.body)),
  deliveryKey,
  answer(_request, content, carrier) {
    const fields = fieldsOf(content);
    if (!isVoiceRequest(fields)) return { status: 204 };
    // Sent on to the voice URL, an action would dial again, and again.
    return isDialAction(fields) ? EMPTY_DOCUMENT : redirectDocument(carrier.voiceUrl);
  },
  understand(_request, content, carrier) {
    const expected = carrier.plain.account_sid;
    const sent = fieldsOf(content)('AccountSid');
    if (expected && sent && sent.toLowerCase() !== expected.toLowerCase()) {
      const detail = `The webhook is of the account ${sent}, the carrier is set up for ${expected}.`;
      return { kind: 'ignored', eventType: null, code: 'unknown_account', detail };
    }
    return understandCxml(content, { sipStatus: 'SipResponseCode' });
  },
  setup: (url) => [
    `Phone Numbers > your number > Voice: "A call comes in" = Webhook, ${url}#rc=5&rp=all, HTTP POST.`,
    `The same page: "Call status changes" = ${url}#rc=5&rp=all, HTTP POST.`,
    `Calls by API: StatusCallback=${url}#rc=5&rp=all, StatusCallbackEvent=initiated ringing answered completed.`,
    '<Dial>: put statusCallback (the same URL) and statusCallbackEvent="initiated ringing answered completed" on <Number>.',
    'Without #rc=5&rp=all Twilio tries once more only when it cannot connect, so that an answer of 5xx loses the call.',
    'auth_token is the primary auth token of the account, or of the subaccount, whose calls come here.',
  ],
};
