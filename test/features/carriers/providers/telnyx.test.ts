import { createPrivateKey, sign } from 'node:crypto';
import { expect } from 'chai';
import type { Secrets, WebhookRequest } from '../../../../src/features/carriers/provider.js';
import { telnyx } from '../../../../src/features/carriers/providers/telnyx.js';
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

const PUBLIC_KEY = 'U6nay1Duwkp4SXR629lSKImlKGY4MTFKpC9K0V5lUWc=';
const SEED = 'rfSgHMi+j952TNLzi5KzzaTVMhcTSWR4PM3U6sjTp0s=';
const SECRETS: Secrets = { public_key: [PUBLIC_KEY] };
const NOW = 1772463845_000;

const DEMO = '{"event":"demo","callId":"c-1","from":"+12025550143","to":"+12025550100","note":"Zoë ✓"}';
const SIGNATURE = 'U/PV0beusRhbz/OYsU1sqr//G8vMot78G61ABohMKCV0cSOV8mnZBnWKzbhowQ8Of/qa956L03yYgrtvAaBCCg==';

const vector = (headers: Record<string, string> = {}): WebhookRequest =>
  makeRequest(
    '/telnyx/events',
    { ...JSON_TYPE, 'telnyx-timestamp': '1772463845', 'telnyx-signature-ed25519': SIGNATURE, ...headers },
    DEMO,
  );

function signed(body: string | Buffer): WebhookRequest {
  const d = Buffer.from(SEED, 'base64').toString('base64url');
  const x = Buffer.from(PUBLIC_KEY, 'base64').toString('base64url');
  const key = createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', d, x } });
  const message = Buffer.concat([Buffer.from('1772463845|'), Buffer.from(body)]);
  const signature = sign(null, message, key).toString('base64');
  return makeRequest(
    '/telnyx/events',
    { ...JSON_TYPE, 'telnyx-timestamp': '1772463845', 'telnyx-signature-ed25519': signature },
    body,
  );
}

const ofPayload = (file: string, change: (payload: Record<string, unknown>) => void): WebhookRequest => {
  const event = JSON.parse(readPayload(file).toString());
  change(event.data.payload);
  return makeRequest('/telnyx/events', JSON_TYPE, JSON.stringify(event));
};

const hangup = (members: Record<string, unknown>): WebhookRequest =>
  ofPayload('telnyx/outbound-busy.02-hangup.json', (payload) => Object.assign(payload, members));

describeLegs(telnyx);
describeAdapter(telnyx, [
  { name: 'the published vector', request: vector(), secrets: SECRETS, now: NOW },
  ...['inbound-answered.01-initiated', 'inbound-answered.05-hangup', 'inbound-answered.06-cost'].map((name) => ({
    name,
    request: signed(readPayload(`telnyx/${name}.json`)),
    secrets: SECRETS,
    now: NOW,
  })),
]);

describe('the telnyx signature', () => {
  it('refuses a body, signature or time of which one byte is another', () => {
    const flippedSignature = vector({ 'telnyx-signature-ed25519': SIGNATURE.replace('U/PV', 'U/PW') });
    const flippedTime = vector({ 'telnyx-timestamp': '1772463844' });

    expect(codeOf(telnyx, withFlippedByte(vector()), SECRETS, NOW)).to.equal('bad_signature');
    expect(codeOf(telnyx, flippedSignature, SECRETS, NOW)).to.equal('bad_signature');
    expect(codeOf(telnyx, flippedTime, SECRETS, NOW)).to.equal('bad_signature');
  });

  it('refuses the key of another account', () => {
    expect(codeOf(telnyx, vector(), { public_key: [SEED] }, NOW)).to.equal('bad_signature');
  });

  it('takes a time of up to 300 s either way', () => {
    const at = (seconds: number): string => codeOf(telnyx, vector(), SECRETS, NOW + seconds * 1000);

    expect([at(-301), at(-300), at(300), at(301)]).to.deep.equal(['stale_timestamp', 'ok', 'ok', 'stale_timestamp']);
  });

  it('names what is malformed', () => {
    const code = (headers: Record<string, string>): string => codeOf(telnyx, vector(headers), SECRETS, NOW);

    expect(code({ 'telnyx-signature-ed25519': '' })).to.equal('missing_signature');
    expect(code({ 'telnyx-timestamp': '' })).to.equal('missing_signature');
    expect(code({ 'telnyx-signature-ed25519': SIGNATURE.slice(0, -2) })).to.equal('malformed_signature');
    expect(code({ 'telnyx-timestamp': '1772463845junk' })).to.equal('malformed_timestamp');
  });

  it('takes as public key only the base64 of 32 bytes', () => {
    const [rule] = telnyx.credentials;

    expect(rule?.check(PUBLIC_KEY)).to.equal(null);
    for (const wrong of ['', PUBLIC_KEY.slice(1), PUBLIC_KEY.slice(0, -1), '-----BEGIN PUBLIC KEY-----']) {
      expect(rule?.check(wrong)).to.be.a('string');
    }
  });
});

describe('the telnyx events', () => {
  it('knows a repeated delivery by data.id although attempt, body and signature change', () => {
    const body = readPayload('telnyx/inbound-answered.05-hangup.json').toString();
    const keys = [body, body.replace('"attempt":1', '"attempt":2')].map((text) => {
      const request = makeRequest('/telnyx/events', JSON_TYPE, text);
      return telnyx.deliveryKey(request, telnyx.read(request) ?? { kind: 'json', json: null });
    });

    expect(keys).to.deep.equal(['2505cdac-016a-46ca-ac43-c8aa15dabd0e', '2505cdac-016a-46ca-ac43-c8aa15dabd0e']);
  });

  it('tells a direction only where Telnyx does', () => {
    const tells = (file: string) =>
      signalsOf(
        telnyx,
        ofPayload(file, () => {}),
      )[0]?.direction;

    expect(tells('telnyx/inbound-answered.01-initiated.json')).to.equal('incoming');
    expect(tells('telnyx/outbound-busy.01-initiated.json')).to.equal('outgoing');
    expect(tells('telnyx/inbound-answered.02-answered.json')).to.equal(undefined);
  });

  const ends: ReadonlyArray<readonly [Record<string, unknown>, string, string]> = [
    [{ hangup_cause: 'normal_clearing', hangup_source: 'caller' }, 'canceled', 'normal_clearing'],
    [
      { hangup_cause: 'normal_clearing', hangup_source: 'unknown', sip_hangup_cause: 'unspecified' },
      'canceled',
      'normal_clearing',
    ],
    [{ hangup_cause: 'originator_cancel' }, 'canceled', 'originator_cancel'],
    [{ hangup_cause: 'timeout', sip_hangup_cause: '487' }, 'no_answer', 'ring_timeout'],
    [{ hangup_cause: 'no_answer' }, 'no_answer', 'no_answer'],
    [{ hangup_cause: 'user_busy' }, 'busy', 'user_busy'],
    [{ hangup_cause: 'call_rejected' }, 'rejected', 'call_rejected'],
    [{ hangup_cause: 'not_found' }, 'failed', 'unallocated_number'],
    [{ hangup_cause: 'time_limit' }, 'completed', 'max_duration'],
    [{ hangup_cause: 'unspecified', sip_hangup_cause: '603' }, 'rejected', 'call_rejected'],
    [{ hangup_cause: 'unspecified', sip_hangup_cause: 'unspecified' }, 'failed', 'unknown'],
    [{ hangup_cause: 'something_new', sip_hangup_cause: 'unspecified' }, 'failed', 'something_new'],
  ];
  for (const [members, disposition, hangupCause] of ends) {
    it(`reads ${Object.values(members).join(' ')} as ${disposition}`, () => {
      expect(signalsOf(telnyx, hangup(members))[0]).to.include({ state: 'ended', disposition, hangupCause });
    });
  }

  it('leaves to the direction what an end without a fault came to', () => {
    for (const members of [{ hangup_source: 'callee', sip_hangup_cause: '480' }, { hangup_source: 'unknown' }]) {
      const [end] = signalsOf(telnyx, hangup({ hangup_cause: 'normal_clearing', ...members }));

      expect(end).to.include({ hangupCause: 'normal_clearing' }).and.not.have.property('disposition');
    }
  });

  it('tells who hung up, or leaves it open', () => {
    expect(signalsOf(telnyx, hangup({ hangup_source: 'caller' }))[0]?.hangupSource).to.equal('caller');
    expect(signalsOf(telnyx, hangup({ hangup_source: 'unknown' }))[0]).to.not.have.property('hangupSource');
  });

  it('reads the cost as a note with price and currency', () => {
    const [note] = signalsOf(
      telnyx,
      ofPayload('telnyx/inbound-answered.06-cost.json', () => {}),
    );

    expect(note).to.include({ price: '0.0070', currency: 'USD' });
    expect(note).to.not.have.property('state');
  });

  it('says why an event is of no use', () => {
    const event = (data: unknown): string => outcomeOf(telnyx, makeRequest('/', JSON_TYPE, JSON.stringify({ data })));

    expect(event({ event_type: 'message.received' })).to.equal('ignored unknown_event');
    expect(event(undefined)).to.equal('ignored unknown_event');
    expect(event({ event_type: 'call.answered', payload: {} })).to.equal('failed missing_call_id');
    expect(event({ event_type: 'call.answered', occurred_at: 'soon', payload: { call_leg_id: 'x' } })).to.equal(
      'failed impossible_time',
    );
    expect(outcomeOf(telnyx, makeRequest('/', JSON_TYPE, '{"data":'))).to.equal('unreadable');
  });

  it('is answered with 204 and nothing', () => {
    expect(telnyx.answer(vector(), { kind: 'json', json: {} }, CARRIER)).to.deep.equal({ status: 204 });
  });
});
