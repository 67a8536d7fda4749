import { createHash } from 'node:crypto';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import type { Secrets, WebhookRequest } from '../../../../src/features/carriers/provider.js';
import { vonage } from '../../../../src/features/carriers/providers/vonage.js';
import { describeAdapter } from './contract-suite.js';
import { codeOf, JSON_TYPE, makeRequest, outcomeOf, readPayload, signalsOf, withFlippedByte } from './samples.js';
import { describeLegs } from './scenario-legs.js';

const SECRET = 'vonage-test-signature-secret-32-bytes-long';
const SECRETS: Secrets = { signature_secret: [SECRET], api_key: ['abcd1234'] };
const NOW = 1772463845_000;
const DEMO = '{"event":"demo","callId":"c-1","from":"+12025550143","to":"+12025550100","note":"Zoë ✓"}';

const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

const CLAIMS = {
  iat: 1772463845,
  jti: 'c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5',
  iss: 'Vonage',
  payload_hash: '8e89d52e0a5ec1d99fc7a67359dcbc15cb88c1d22b6e651c29ff9ec6dbede154',
  api_key: 'abcd1234',
  application_id: 'aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab',
};

const tokenOf = (changes: Record<string, unknown> = {}, secret = SECRET, options: jwt.SignOptions = {}): string =>
  jwt.sign(JSON.parse(JSON.stringify({ ...CLAIMS, ...changes })), secret, { algorithm: 'HS256', ...options });

const withToken = (token: string, body: string | Buffer = DEMO): WebhookRequest =>
  makeRequest('/vonage/events', { ...JSON_TYPE, authorization: `Bearer ${token}` }, body);

const signed = (body: string | Buffer): WebhookRequest => withToken(tokenOf({ payload_hash: sha256(body) }), body);

const event = (members: Record<string, unknown>): WebhookRequest => {
  const known = JSON.parse(readPayload('vonage/outbound-busy.02-busy.json').toString());
  return makeRequest('/vonage/events', JSON_TYPE, JSON.stringify({ ...known, sip_code: undefined, ...members }));
};

describeLegs(vonage);
describeAdapter(vonage, [
  { name: 'the published vector', request: withToken(tokenOf()), secrets: SECRETS, now: NOW },
  ...['inbound-answered.01-started', 'inbound-answered.04-completed', 'outbound-busy.02-busy'].map((name) => ({
    name,
    request: signed(readPayload(`vonage/${name}.json`)),
    secrets: SECRETS,
    now: NOW,
  })),
]);

describe('the vonage token', () => {
  it('is the published one', () => {
    expect(tokenOf().split('.')[2]).to.equal('nNZ7O8w6JWS_JqxWqNIEuK50atMfqkF7sDgGoaczAkQ');
  });

  it('refuses another body, however small the change', () => {
    expect(codeOf(vonage, withFlippedByte(withToken(tokenOf())), SECRETS, NOW)).to.equal('bad_payload_hash');
  });

  it('takes a body that was printed otherwise on the way but says the same', () => {
    const reprinted = JSON.stringify(JSON.parse(DEMO), null, 2);
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

    expect(codeOf(vonage, withToken(tokenOf(), reprinted), SECRETS, NOW)).to.equal('ok');
    expect(codeOf(vonage, withToken(tokenOf(), nested), SECRETS, NOW)).to.equal('bad_payload_hash');
  });

  it('pins HS256', () => {
    const unsigned = tokenOf({}, '', { algorithm: 'none' });
    const longer = tokenOf({}, SECRET, { algorithm: 'HS512' });

    expect(codeOf(vonage, withToken(unsigned), SECRETS, NOW)).to.equal('malformed_signature');
    expect(codeOf(vonage, withToken(`${unsigned}x`), SECRETS, NOW)).to.equal('bad_signature');
    expect(codeOf(vonage, withToken(longer), SECRETS, NOW)).to.equal('bad_signature');
  });

  it('takes a time of issue of up to 300 s either way', () => {
    const at = (seconds: number): string => codeOf(vonage, withToken(tokenOf()), SECRETS, NOW + seconds * 1000);

    expect([at(-301), at(-300), at(300), at(301)]).to.deep.equal(['stale_timestamp', 'ok', 'ok', 'stale_timestamp']);
  });

  it('refuses a token that is not wholly of this account', () => {
    const code = (changes: Record<string, unknown>): string =>
      codeOf(vonage, withToken(tokenOf(changes)), SECRETS, NOW);

    expect(code({ iss: 'Other' })).to.equal('bad_signature');
    expect(code({ api_key: 'other' })).to.equal('bad_credentials');
    expect(code({ payload_hash: undefined })).to.equal('missing_payload_hash');
    expect(codeOf(vonage, withToken(tokenOf({}, 'another secret')), SECRETS, NOW)).to.equal('bad_signature');
    expect(codeOf(vonage, withToken(tokenOf()), { signature_secret: [SECRET] }, NOW)).to.equal('ok');
  });

  it('names what is malformed', () => {
    const code = (authorization: string): string =>
      codeOf(vonage, makeRequest('/', { authorization }, DEMO), SECRETS, NOW);

    expect(code('')).to.equal('missing_signature');
    expect(code('Basic YTpi')).to.equal('malformed_signature');
    expect(code('Bearer a.b')).to.equal('malformed_signature');
    expect(code('Bearer a.b.c')).to.equal('bad_signature');
  });

  it('has the hash of the published GET vector for the same query printed as JSON', () => {
    const query = { to: '12025550103', from: '12025550146', conversation_uuid: 'CON-1', uuid: 'u1' };
    const body = JSON.stringify({ ...query, region_url: 'https://api.carrier.example.test' });
    const hash = 'c393b135eb3a29fb3f15f3276e7cfc99470790a92373e84a10b95b54f954a5c9';

    expect(codeOf(vonage, withToken(tokenOf({ payload_hash: hash }), body), SECRETS, NOW)).to.equal('ok');
  });
});

describe('the vonage events', () => {
  const ends: ReadonlyArray<readonly [Record<string, unknown>, string, string]> = [
    [{ status: 'completed' }, 'completed', 'normal_clearing'],
    [{ status: 'busy' }, 'busy', 'user_busy'],
    [{ status: 'cancelled' }, 'canceled', 'originator_cancel'],
    [{ status: 'timeout' }, 'no_answer', 'ring_timeout'],
    [{ status: 'unanswered', detail: 'unavailable' }, 'no_answer', 'no_answer'],
    [{ status: 'unanswered', detail: 'carrier_timeout' }, 'no_answer', 'ring_timeout'],
    [{ status: 'unanswered', detail: 'declined' }, 'rejected', 'call_rejected'],
    [{ status: 'unanswered' }, 'no_answer', 'no_answer'],
    [{ status: 'rejected', detail: 'declined' }, 'rejected', 'call_rejected'],
    [{ status: 'rejected', detail: 'restricted' }, 'failed', 'forbidden'],
    [{ status: 'rejected', detail: 'invalid_number' }, 'failed', 'unallocated_number'],
    [{ status: 'rejected' }, 'failed', 'unknown'],
    [{ status: 'rejected', sip_code: 603 }, 'rejected', 'call_rejected'],
    [{ status: 'failed', detail: 'cannot_route' }, 'failed', 'no_route'],
    [{ status: 'rejected', sip_code: 487 }, 'failed', 'originator_cancel'],
    [{ status: 'failed', sip_code: 503 }, 'failed', 'congestion'],
    [{ status: 'failed', sip_code: 486 }, 'failed', 'user_busy'],
    [{ status: 'failed', detail: 'timeout' }, 'failed', 'ring_timeout'],
    [{ status: 'failed', sip_code: 603 }, 'rejected', 'call_rejected'],
    [{ status: 'failed' }, 'failed', 'unknown'],
  ];
  for (const [members, disposition, hangupCause] of ends) {
    it(`reads ${Object.values(members).join(' ')} as ${disposition}`, () => {
      expect(signalsOf(vonage, event(members))[0]).to.include({ state: 'ended', disposition, hangupCause });
    });
  }

  it('counts end_time as the end, duration as text or number, and the price in EUR', () => {
    const completed = JSON.parse(readPayload('vonage/inbound-answered.04-completed.json').toString());

    expect(signalsOf(vonage, event({ ...completed, duration: 48 }))[0]).to.include({
      occurredAt: Date.parse('2026-03-02T15:07:53.900Z'),
      talkSeconds: 48,
      price: '0.00576000',
      currency: 'EUR',
      hangupSource: 'caller',
    });
  });

  it('takes start_time as the answer in completed alone, whatever the talk', () => {
    const start_time = '2026-03-02T15:07:05.900Z';
    const end = (status: string) => signalsOf(vonage, event({ status, start_time, duration: '0' }))[0];

    expect(end('completed')).to.include({ answeredAt: Date.parse(start_time), talkSeconds: 0 });
    expect(end('busy')).to.not.have.property('answeredAt');
  });

  it('reads human, machine, a transfer and a dropped WebSocket as notes', () => {
    const transfer = { status: undefined, conversation_uuid_from: 'CON-1', conversation_uuid_to: 'CON-2' };

    for (const members of [{ status: 'human' }, { status: 'machine' }, { status: 'disconnected' }, transfer]) {
      expect(signalsOf(vonage, event(members))[0]).to.not.have.property('state');
    }
    expect(signalsOf(vonage, event(transfer))[0]).to.not.have.property('sessionId');
  });

  it('says why an event is of no use', () => {
    expect(outcomeOf(vonage, event({ status: 'levitating' }))).to.equal('ignored unknown_status');
    expect(outcomeOf(vonage, event({ status: undefined, dtmf: {} }))).to.equal('ignored unknown_event');
    expect(outcomeOf(vonage, event({ uuid: undefined }))).to.equal('failed missing_call_id');
    expect(outcomeOf(vonage, event({ timestamp: '2026-02-30T00:00:00Z' }))).to.equal('failed impossible_time');
    expect(outcomeOf(vonage, event({ timestamp: null }))).to.equal('signals');
  });
});
