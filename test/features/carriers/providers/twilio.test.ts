import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import twilioSdk from 'twilio';
import type { WebhookRequest } from '../../../../src/features/carriers/provider.js';
import { twilio } from '../../../../src/features/carriers/providers/twilio.js';
import { describeAdapter, describeScenarios } from './contract-suite.js';
import {
  CARRIER,
  codeOf,
  FORM,
  HOST,
  JSON_TYPE,
  makeRequest,
  outcomeOf,
  readScenarios,
  requestOfStep,
  signalsOf,
  withFlippedByte,
} from './samples.js';

const TOKEN = '0123456789abcdef0123456789abcdef';
const SECRETS = { auth_token: [TOKEN] };
const CALL = 'CA00000000000000000000000000000001';
const STATUS_FORM =
  `AccountSid=ACdef0b17f603285ef4336f6e3e3dcd43c&CallSid=${CALL}&CallStatus=completed&CallDuration=42` +
  '&Caller=%2B12025550143&Called=%2B12025550100&Direction=inbound&From=%2B12025550143&To=%2B12025550100' +
  '&Timestamp=Mon%2C%2002%20Mar%202026%2015%3A04%3A05%20%2B0000&SequenceNumber=0';
const JSON_BODY = '{"event":"demo","callId":"c-1","from":"+12025550143","to":"+12025550100","note":"Zoë ✓"}';
const BODY_HASH = '8e89d52e0a5ec1d99fc7a67359dcbc15cb88c1d22b6e651c29ff9ec6dbede154';

const signed = (path: string, signature: string, body: string, type: Record<string, string> = FORM) =>
  makeRequest(path, { ...type, 'x-twilio-signature': signature }, body);

const VECTORS: Readonly<Record<string, WebhookRequest>> = {
  'a form': signed('/twilio/status?tenant=acme', 'XkQsJWLpa6XdCe3dEv+Ifa41mmM=', STATUS_FORM),
  'repeated names and UTF-8': signed(
    '/twilio/status',
    'eAZrDDRpV4LemmlW7G1xuqJ5jis=',
    'B=x&A=2&A=1&A=2&a=low&CallerName=Zo%C3%AB+Acme',
  ),
  JSON: signed(
    `/twilio/json?tenant=acme&bodySHA256=${BODY_HASH}`,
    'ZvI6A7T3xGMylzPZKHLGDnvAWRk=',
    JSON_BODY,
    JSON_TYPE,
  ),
};

/** Signs as the vendor's SDK does. */
const sdkSigned = (path: string, params: Record<string, string>, signedUrl = `${HOST}${path}`): WebhookRequest =>
  signed(path, twilioSdk.getExpectedTwilioSignature(TOKEN, signedUrl, params), new URLSearchParams(params).toString());

const callback = (members: Record<string, string>, headers: Record<string, string> = {}) =>
  makeRequest('/status', { ...FORM, ...headers }, new URLSearchParams({ CallSid: CALL, ...members }).toString());

const keyOf = (request: WebhookRequest) => {
  const content = twilio.read(request);
  return content && twilio.deliveryKey(request, content);
};

const answerOf = (request: WebhookRequest, voiceUrl: string | null) => {
  const content = twilio.read(request);
  return content && twilio.answer(request, content, { voiceUrl, plain: {} });
};

describeAdapter(
  twilio,
  Object.entries(VECTORS).map(([name, request]) => ({ name, request, secrets: SECRETS, now: 0 })),
);
describeScenarios(twilio, readScenarios('twilio'), (step) => requestOfStep(step));

describe('the Twilio signature', () => {
  for (const [name, request] of Object.entries(VECTORS)) {
    it(`refuses ${name} with another body, URL, signature or secret`, () => {
      const header = request.headers['x-twilio-signature'] ?? '';
      const otherHeader = { ...request.headers, 'x-twilio-signature': `A${header.slice(1)}` };

      expect(codeOf(twilio, withFlippedByte(request, request.body.length - 1), SECRETS)).to.match(/^bad_/);
      expect(codeOf(twilio, { ...request, url: request.url.replace('/twilio', '/twilip') }, SECRETS)).to.match(/^bad_/);
      expect(codeOf(twilio, { ...request, url: request.url.replace('https', 'http') }, SECRETS)).to.match(/^bad_/);
      expect(codeOf(twilio, { ...request, headers: otherHeader }, SECRETS)).to.equal('bad_signature');
      expect(codeOf(twilio, request, { auth_token: ['fedcba9876543210fedcba9876543210'] })).to.equal('bad_signature');
    });
  }

  it('takes the GET vector, whose query is all that is signed', () => {
    const path = '/twilio/status?CallSid=CA01&CallStatus=completed&From=%2B12025550143';

    expect(codeOf(twilio, signed(path, 'UpiUZmUxevlyCWBr11GwLSY+wNQ=', ''), SECRETS)).to.equal('ok');
  });

  it('agrees with the SDK on every payload', () => {
    for (const step of readScenarios('twilio').flatMap((scenario) => scenario.steps)) {
      const params = Object.fromEntries(new URLSearchParams(step.body.toString()));
      const signature = twilioSdk.getExpectedTwilioSignature(TOKEN, `${HOST}${step.path}`, params);

      expect(codeOf(twilio, requestOfStep(step, { 'x-twilio-signature': signature }), SECRETS)).to.equal('ok');
    }
  });

  it('takes the spellings of the URL that the SDK takes, and no others', () => {
    const accepted: ReadonlyArray<readonly [signedUrl: string, received: string]> = [
      [`${HOST}:443/a?b=1`, `${HOST}/a?b=1`],
      [`${HOST}/a?b=1`, `${HOST}:443/a?b=1`],
      [`${HOST}/a`, `${HOST}:8443/a`],
      [`${HOST}/a?b=%27x%27`, `${HOST}/a?b='x'`],
      [`${HOST}:8443/a`, `${HOST}/a`],
      [`${HOST}/a`, `${HOST}/a/`],
      [`${HOST}/a?b=1&c=2`, `${HOST}/a?c=2&b=1`],
      [HOST.replace('https', 'http'), HOST],
      [`${HOST}/a`, `${HOST.replace('switch', 'SWITCH')}/a`],
    ];

    for (const [signedUrl, received] of accepted) {
      const request = { ...sdkSigned('/a', { CallSid: CALL }, signedUrl), url: received };
      const header = request.headers['x-twilio-signature'] ?? '';
      const bySdk = twilioSdk.validateRequest(TOKEN, header, received, { CallSid: CALL });

      expect(twilio.verify(request, SECRETS, 0).ok, `${signedUrl} as ${received}`).to.equal(bySdk);
    }
  });

  it('takes the SHA-256 of a shared key where the request names it, and no algorithm that is not known', () => {
    const signature = createHmac('sha256', TOKEN).update(`${HOST}/aCallSid${CALL}`).digest('base64');
    const by = (settings: string) =>
      codeOf(
        twilio,
        signed('/a', signature, `CallSid=${CALL}`, { ...FORM, 'x-twilio-webhooks-signature-settings': settings }),
        SECRETS,
      );

    expect(by('key=webhooks_sharedkey_1,algorithm=HMAC_SHA256')).to.equal('ok');
    expect(by('key=webhooks_sharedkey_1')).to.equal('bad_signature');
    expect(by('key=webhooks_sharedkey_1, algorithm=HMAC_SHA1')).to.equal('bad_signature');
    expect(by('algorithm=HMAC_MD5')).to.equal('malformed_signature');
  });

  it('refuses a JSON body that nothing in the URL covers', () => {
    const request = sdkSigned('/a', {});

    expect(codeOf(twilio, { ...request, headers: { ...request.headers, ...JSON_TYPE } }, SECRETS)).to.equal(
      'bad_signature',
    );
    expect(codeOf(twilio, makeRequest('/a', FORM, STATUS_FORM), SECRETS)).to.equal('missing_signature');
  });
});

describe('the Twilio adapter', () => {
  it('knows a delivery by the number of the callback, else by the token of the request', () => {
    const token = { 'i-twilio-idempotency-token': 'token-1' };

    expect(keyOf(callback({ CallStatus: 'ringing', SequenceNumber: '1' }, token))).to.equal(`${CALL}:1`);
    expect(keyOf(callback({ CallStatus: 'ringing' }, token))).to.equal('token-1');
    expect(keyOf(callback({ CallStatus: 'ringing' }))).to.equal(null);
    expect(keyOf(callback({ ConferenceSid: 'CF1', SequenceNumber: '1' }))).to.equal(null);
  });

  it('redirects a voice request, escaped, and lets a dial action and a callback be', () => {
    const voice = callback({ CallStatus: 'ringing' });
    const action = callback({ CallStatus: 'in-progress', DialCallStatus: 'busy' });
    const status = callback({ CallStatus: 'ringing', CallbackSource: 'call-progress-events' });

    expect(answerOf(voice, 'https://pbx.example.test/v?a=1&b=<2>')?.body).to.include(
      '<Response><Redirect>https://pbx.example.test/v?a=1&amp;b=&lt;2&gt;</Redirect></Response>',
    );
    expect(answerOf(voice, null)).to.include({ status: 200, contentType: 'text/xml; charset=utf-8' });
    expect(answerOf(voice, null)?.body).to.include('<Response/>');
    expect(answerOf(action, 'https://pbx.example.test/v')?.body).to.include('<Response/>');
    expect(answerOf(status, 'https://pbx.example.test/v')).to.deep.equal({ status: 204 });
    expect(answerOf(callback({ CallStatus: 'busy' }), 'https://pbx.example.test/v')).to.deep.equal({ status: 204 });
  });

  it('states the end of the dialled leg, and of the parent nothing but its parties', () => {
    const dial = { DialCallSid: 'CA02', DialCallDuration: '31', Direction: 'inbound', From: '+12025550143' };

    const signals = signalsOf(twilio, callback({ CallStatus: 'in-progress', DialCallStatus: 'no-answer', ...dial }));

    expect(signals).to.deep.equal([
      { callId: CALL, direction: 'incoming', from: '+12025550143' },
      {
        callId: 'CA02',
        parentCallId: CALL,
        state: 'ended',
        direction: 'outgoing',
        disposition: 'no_answer',
        hangupCause: 'no_answer',
        providerCause: 'no-answer',
        talkSeconds: 31,
      },
    ]);
  });

  it('reads a decline and the reason of a failure from the SIP code, never seconds from the billed minutes', () => {
    const end = (CallStatus: string, SipResponseCode: string) =>
      signalsOf(twilio, callback({ CallStatus, SipResponseCode, Duration: '2', CallbackSource: 'x' }))[0];

    expect(end('busy', '603')).to.include({ disposition: 'rejected', hangupCause: 'call_rejected' });
    expect(end('failed', '404')).to.include({ disposition: 'failed', hangupCause: 'unallocated_number' });
    expect(end('canceled', '487')).to.include({ disposition: 'canceled', hangupCause: 'originator_cancel' });
    expect(end('completed', '200')).to.not.have.property('talkSeconds');
    expect(end('failed', '503')).to.include({ providerCause: '503', hangupCause: 'congestion' });
  });

  it('ignores or fails what it cannot use, by code', () => {
    const otherAccount = { ...CARRIER, plain: { account_sid: 'AC00000000000000000000000000000000' } };

    expect(outcomeOf(twilio, callback({ CallStatus: 'levitating' }))).to.equal('ignored unknown_status');
    expect(outcomeOf(twilio, callback({ CallStatus: 'ringing', Timestamp: 'soon' }))).to.equal(
      'failed impossible_time',
    );
    expect(outcomeOf(twilio, callback({ RecordingStatus: 'completed' }))).to.equal('ignored no_facts');
    expect(outcomeOf(twilio, makeRequest('/', FORM, 'CallStatus=ringing'))).to.equal('failed missing_call_id');
    expect(outcomeOf(twilio, makeRequest('/', FORM, 'MessageSid=SM1'))).to.equal('ignored unknown_event');
    expect(outcomeOf(twilio, makeRequest('/', FORM, 'hello'))).to.equal('unreadable');
    expect(outcomeOf(twilio, makeRequest('/', FORM, STATUS_FORM), otherAccount)).to.equal('ignored unknown_account');
  });
});
