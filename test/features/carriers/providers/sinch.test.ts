import { createHash, createHmac } from 'node:crypto';
import { expect } from 'chai';
import type { Secrets, WebhookRequest } from '../../../../src/features/carriers/provider.js';
import { sinch } from '../../../../src/features/carriers/providers/sinch.js';
import { describeAdapter } from './contract-suite.js';
import {
  CARRIER,
  codeOf,
  JSON_TYPE,
  makeRequest,
  outcomeOf,
  readPayload,
  signalsOf,
  withFlippedByte,
} from './samples.js';
import { describeLegs } from './scenario-legs.js';

const KEY = '669e367e-6bba-48ab-af15-266871c28135';
const SECRET = 'BeIukql3pTKJ8RGL5zo0DA==';
const SECRETS: Secrets = { application_key: [KEY], application_secret: [SECRET] };
const TIMESTAMP = '2026-03-02T15:04:05.000Z';
const NOW = Date.parse(TIMESTAMP);
const DEMO = '{"event":"demo","callId":"c-1","from":"+12025550143","to":"+12025550100","note":"Zoë ✓"}';
const SIGNATURE = 'nBiBc0Vk6Wa1x6e0a2Z6USll2cExAAgux/7VwKcXUKk=';

const vector = (headers: Record<string, string> = {}, path = '/sinch/events'): WebhookRequest =>
  makeRequest(
    path,
    { ...JSON_TYPE, authorization: `application ${KEY}:${SIGNATURE}`, 'x-timestamp': TIMESTAMP, ...headers },
    DEMO,
  );

function signed(body: string | Buffer, timestamp = TIMESTAMP): WebhookRequest {
  const hash = body.length === 0 ? '' : createHash('md5').update(body).digest('base64');
  const text = `POST\n${hash}\napplication/json\nx-timestamp:${timestamp}\n/sinch/events`;
  const signature = createHmac('sha256', Buffer.from(SECRET, 'base64')).update(text).digest('base64');
  const headers = { ...JSON_TYPE, authorization: `Application ${KEY}:${signature}`, 'x-timestamp': timestamp };
  return makeRequest('/sinch/events?tenant=acme', headers, body);
}

const event = (members: Record<string, unknown>): WebhookRequest => {
  const known = JSON.parse(readPayload('sinch/outbound-busy.01-dice.json').toString());
  return signed(JSON.stringify({ ...known, ...members }));
};

describeLegs(sinch);
describeAdapter(sinch, [
  { name: 'the published vector', request: vector(), secrets: SECRETS, now: NOW },
  ...['inbound-answered.01-ice', 'inbound-answered.02-dice', 'outbound-answered.01-ace'].map((name) => ({
    name,
    request: signed(readPayload(`sinch/${name}.json`)),
    secrets: SECRETS,
    now: NOW,
  })),
]);

describe('the sinch signature', () => {
  it('refuses a body, signature, time, path or type of which one byte is another', () => {
    const spoiled = [
      withFlippedByte(vector()),
      vector({ authorization: `application ${KEY}:${SIGNATURE.replace('nBi', 'nBj')}` }),
      vector({ 'x-timestamp': '2026-03-02T15:04:06.000Z' }),
      vector({ 'content-type': 'application/json; charset=utf-8' }),
      vector({}, '/sinch/event5'),
    ];

    for (const request of spoiled) expect(codeOf(sinch, request, SECRETS, NOW)).to.equal('bad_signature');
  });

  it('signs no hash where there is no body', () => {
    expect(codeOf(sinch, signed(''), SECRETS, NOW)).to.equal('ok');
  });

  it('signs neither host nor query', () => {
    const elsewhere = { ...vector({}, '/sinch/events?tenant=acme'), url: 'http://other.test:81/sinch/events?x=/y' };

    expect(codeOf(sinch, elsewhere, SECRETS, NOW)).to.equal('ok');
  });

  it('takes a time of up to 300 s either way, also one without its Z', () => {
    const at = (seconds: number): string => codeOf(sinch, vector(), SECRETS, NOW + seconds * 1000);

    expect([at(-301), at(-300), at(300), at(301)]).to.deep.equal(['stale_timestamp', 'ok', 'ok', 'stale_timestamp']);
    expect(codeOf(sinch, signed('{}', '2026-03-02T15:04:05.1234567'), SECRETS, NOW)).to.equal('ok');
  });

  it('refuses another application, another secret and Basic', () => {
    const basic = `Basic ${Buffer.from(`${KEY}:${SECRET}`).toString('base64')}`;

    expect(codeOf(sinch, vector(), { ...SECRETS, application_key: ['other'] }, NOW)).to.equal('bad_credentials');
    expect(codeOf(sinch, vector(), { ...SECRETS, application_secret: ['b3RoZXI='] }, NOW)).to.equal('bad_signature');
    expect(codeOf(sinch, vector({ authorization: basic }), SECRETS, NOW)).to.equal('malformed_signature');
  });

  it('names what is missing or malformed', () => {
    expect(codeOf(sinch, vector({ authorization: '' }), SECRETS, NOW)).to.equal('missing_signature');
    expect(codeOf(sinch, vector({ 'x-timestamp': '' }), SECRETS, NOW)).to.equal('missing_timestamp');
    expect(codeOf(sinch, vector({ 'x-timestamp': 'now' }), SECRETS, NOW)).to.equal('malformed_timestamp');
  });
});

describe('the sinch events', () => {
  const ends: ReadonlyArray<readonly [string, string, string, string]> = [
    ['ANSWERED', 'CALLERHANGUP', 'completed', 'normal_clearing'],
    ['BUSY', 'N/A', 'busy', 'user_busy'],
    ['NOANSWER', 'TIMEOUT', 'no_answer', 'ring_timeout'],
    ['NOANSWER', 'N/A', 'no_answer', 'no_answer'],
    ['FAILED', 'CANCEL', 'canceled', 'originator_cancel'],
    ['FAILED', 'USERNOTFOUND', 'failed', 'unallocated_number'],
    ['FAILED', 'CALLERHANGUP', 'failed', 'unknown'],
    ['N/A', 'CALLERHANGUP', 'canceled', 'originator_cancel'],
    ['N/A', 'NOCREDITPARTNER', 'failed', 'insufficient_funds'],
    ['N/A', 'OTHERPEERANSWERED', 'canceled', 'answered_elsewhere'],
    ['N/A', 'N/A', 'failed', 'unknown'],
    ['SOMETHINGNEW', 'TIMEOUT', 'no_answer', 'ring_timeout'],
  ];
  for (const [result, reason, disposition, hangupCause] of ends) {
    it(`reads ${result} ${reason} as ${disposition}`, () => {
      expect(signalsOf(sinch, event({ result, reason }))[0]).to.include({ state: 'ended', disposition, hangupCause });
    });
  }

  it('tells who hung up and what the call cost', () => {
    const [end] = signalsOf(sinch, event({ reason: 'CALLEEHANGUP', debit: { currencyId: 'USD', amount: 0.0000084 } }));

    expect(end).to.include({ hangupSource: 'callee', price: '0.0000084', currency: 'USD' });
  });

  it('tells a direction by an ice alone, whose caller is in cli', () => {
    const ice = signalsOf(sinch, signed(readPayload('sinch/inbound-answered.01-ice.json')))[0];
    const dice = signalsOf(sinch, signed(readPayload('sinch/inbound-answered.02-dice.json')))[0];

    expect(ice).to.include({ state: 'ringing', direction: 'incoming', from: '12025550150', to: '+12025550107' });
    expect(dice).to.not.have.property('direction');
  });

  it('answers with SVAML that lets an answered call go on', () => {
    const bodyOf = (name: string) => sinch.answer(vector(), { kind: 'json', json: { event: name } }, CARRIER);

    expect(bodyOf('ace')).to.include({ status: 200, body: '{"action":{"name":"continue"}}' });
    expect(bodyOf('ice')).to.include({ status: 200, contentType: 'application/json', body: '{}' });
    expect(bodyOf('dice')).to.include({ status: 200, body: '{}' });
  });

  it('says why an event is of no use', () => {
    expect(outcomeOf(sinch, event({ event: 'demo' }))).to.equal('ignored unknown_event');
    expect(outcomeOf(sinch, event({ event: undefined }))).to.equal('ignored unknown_event');
    expect(outcomeOf(sinch, event({ callid: undefined }))).to.equal('failed missing_call_id');
    expect(outcomeOf(sinch, event({ timestamp: 'noon' }))).to.equal('failed impossible_time');
  });
});
