import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import type { WebhookRequest } from '../../../../src/features/carriers/provider.js';
import { signalwire } from '../../../../src/features/carriers/providers/signalwire.js';
import { describeAdapter, describeScenarios } from './contract-suite.js';
import {
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

const KEY = 'PSK_TestTestTestTestTestTest';
const SECRETS = { signing_key: [KEY] };
const STATUS_FORM =
  'AccountSid=ACdef0b17f603285ef4336f6e3e3dcd43c&CallSid=CA00000000000000000000000000000001&CallStatus=completed' +
  '&CallDuration=42&Caller=%2B12025550143&Called=%2B12025550100&Direction=inbound&From=%2B12025550143' +
  '&To=%2B12025550100&Timestamp=Mon%2C%2002%20Mar%202026%2015%3A04%3A05%20%2B0000&SequenceNumber=0';
const JSON_BODY = '{"event":"demo","callId":"c-1","from":"+12025550143","to":"+12025550100","note":"Zoë ✓"}';

const signed = (path: string, signature: string, body: string, type: Record<string, string> = FORM) =>
  makeRequest(path, { ...type, 'x-signalwire-signature': signature }, body);
const sign = (text: string) => createHmac('sha1', KEY).update(text).digest('base64');

const VECTORS: Readonly<Record<string, WebhookRequest>> = {
  'a form': signed('/signalwire/status', '6fDulL4d02Db4psEUOIlEQTcTEs=', STATUS_FORM),
  JSON: signed('/signalwire/swml', '67046395d928c3d5ee70ce185f03dd180e3c8bf9', JSON_BODY, JSON_TYPE),
};

const form = (members: Record<string, string>) => makeRequest('/s', FORM, new URLSearchParams(members).toString());
const json = (body: unknown) => makeRequest('/s', JSON_TYPE, JSON.stringify(body));

describeAdapter(
  signalwire,
  Object.entries(VECTORS).map(([name, request]) => ({ name, request, secrets: SECRETS, now: 0 })),
);
describeScenarios(signalwire, readScenarios('signalwire'), (step) => requestOfStep(step));

describe('the SignalWire signature', () => {
  for (const [name, request] of Object.entries(VECTORS)) {
    it(`refuses ${name} with another body, URL, signature or key`, () => {
      const header = request.headers['x-signalwire-signature'] ?? '';
      const otherHeader = { ...request.headers, 'x-signalwire-signature': `0${header.slice(1)}` };

      expect(codeOf(signalwire, withFlippedByte(request, request.body.length - 3), SECRETS)).to.equal('bad_signature');
      expect(codeOf(signalwire, { ...request, url: `${request.url}/` }, SECRETS)).to.equal('bad_signature');
      expect(codeOf(signalwire, { ...request, headers: otherHeader }, SECRETS)).to.equal('bad_signature');
      expect(codeOf(signalwire, request, { signing_key: ['PSK_other'] })).to.equal('bad_signature');
    });
  }

  it('takes repeated names in the order received and the URL with the standard port', () => {
    const body = 'B=x&A=2&A=1';

    expect(codeOf(signalwire, signed('/s', sign(`${HOST}/sA2A1Bx`), body), SECRETS)).to.equal('ok');
    expect(codeOf(signalwire, signed('/s', sign(`${HOST}:443/sA2A1Bx`), body), SECRETS)).to.equal('ok');
    expect(codeOf(signalwire, signed('/s', sign(`${HOST}/sA1A2Bx`), body), SECRETS)).to.equal('bad_signature');
  });

  it('takes JSON that is signed like a form only when the signature covers all of it', () => {
    const signature = sign(`${HOST}/sCallSidc-1`);

    expect(codeOf(signalwire, signed('/s', signature, '{"CallSid":"c-1"}', JSON_TYPE), SECRETS)).to.equal('ok');
    expect(codeOf(signalwire, signed('/s', signature, '{"CallSid":"c-1","x":{}}', JSON_TYPE), SECRETS)).to.equal(
      'bad_signature',
    );
    expect(
      codeOf(signalwire, signed('/s', sign(`${HOST}/satruebnull`), '{"a":true,"b":null}', JSON_TYPE), SECRETS),
    ).to.equal('ok');
    expect(codeOf(signalwire, makeRequest('/s', FORM, 'a=b'), SECRETS)).to.equal('missing_signature');
  });

  it('knows JSON by its first byte, whatever its type says', () => {
    const { headers } = VECTORS.JSON as WebhookRequest;
    const asForm = { ...(VECTORS.JSON as WebhookRequest), headers: { ...headers, ...FORM } };

    expect(codeOf(signalwire, asForm, SECRETS)).to.equal('ok');
    expect(signalwire.read(asForm)).to.include({ kind: 'json' });
  });
});

describe('the SignalWire adapter', () => {
  it('tells who hung up, by number or SIP URI', () => {
    const end = (HangupBy: string) =>
      signalsOf(
        signalwire,
        form({ CallSid: 'c', CallStatus: 'completed', From: '+1', To: 'sip:+2@x.test', HangupBy }),
      )[0];

    expect(end('+1')?.hangupSource).to.equal('caller');
    expect(end('sip:+2@y.test')?.hangupSource).to.equal('callee');
    expect(end('+3')).to.not.have.property('hangupSource');
  });

  it('understands the JSON of RELAY and of callbacks', () => {
    const call = { call_id: 'c-1', call_state: 'answered', direction: 'inbound', from: '+1', to_number: '+2' };

    expect(signalsOf(signalwire, json({ call, vars: {} }))).to.deep.equal([
      { callId: 'c-1', state: 'answered', direction: 'incoming', from: '+1', to: '+2' },
    ]);
    expect(signalsOf(signalwire, json({ CallSid: 'c-2', CallStatus: 'ringing' }))[0]).to.include({ state: 'ringing' });
  });

  it('has no delivery id, redirects a voice request and answers a callback with nothing', () => {
    const voice = form({ CallSid: 'c', CallStatus: 'ringing' });
    const content = signalwire.read(voice);
    const callback = signalwire.read(form({ CallSid: 'c', CallStatus: 'ringing', CallbackSource: 'x' }));
    if (!content || !callback) throw new Error('unreadable');
    const carrier = { voiceUrl: 'https://pbx.example.test/', plain: {} };

    expect(signalwire.deliveryKey(voice, content)).to.equal(null);
    expect(signalwire.answer(voice, content, carrier).body).to.include(
      '<Redirect>https://pbx.example.test/</Redirect>',
    );
    expect(signalwire.answer(voice, callback, carrier)).to.deep.equal({ status: 204 });
  });

  it('ignores or fails what it cannot use, by code', () => {
    expect(outcomeOf(signalwire, json({ call: { call_id: 'c', call_state: 'odd' } }))).to.equal(
      'ignored unknown_status',
    );
    expect(outcomeOf(signalwire, json({ call: { call_state: 'ended' } }))).to.equal('failed missing_call_id');
    expect(outcomeOf(signalwire, json({ call: { call_id: 'c' } }))).to.equal('ignored no_facts');
    expect(outcomeOf(signalwire, json([]))).to.equal('failed missing_call_id');
    expect(outcomeOf(signalwire, makeRequest('/s', JSON_TYPE, 'a=b'))).to.equal('unreadable');
  });
});
