import { generateKeyPairSync, sign } from 'node:crypto';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import type { Signal, WebhookRequest } from '../../../../src/features/carriers/provider.js';
import { generic } from '../../../../src/features/carriers/providers/generic.js';
import { describeAdapter } from './contract-suite.js';
import { codeOf, JSON_TYPE, makeRequest, outcomeOf, signalsOf, withFlippedByte } from './samples.js';

const ID = 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W';
const SENT_AT = 1772463845;
const NOW = SENT_AT * 1000;
const SECRET = 'whsec_X5bhKafAt+Od7JK605nxGKTN+yU9Ka4wxwrl/8b0O94=';
const PUBLIC_KEY = 'whpk_brIkkD35FJ/+kcjVKVCTLi5OU+7pH41GeWLjPirKSZI=';
const BOTH = { secret: [SECRET], public_key: [PUBLIC_KEY] };
const V1 = 'v1,A4/mRW9q0lPzOy7E2GPhIvc4WWODy/qkODaC90cqjAI=';
const V1A = 'v1a,YUiTxeNB9WhKdZHg1Fz482qngT3B5HyGLBGV6cxkLD+kSF7U6UWcPqyuqeAEhfeFsZj48zlWwqJmYbYvW+JKAg==';
const VECTOR_BODY = '{"event":"demo","callId":"c-1","from":"+12025550143","to":"+12025550100","note":"Zoë ✓"}';

const request = (signature: string, body: string | Buffer = VECTOR_BODY, timestamp = String(SENT_AT), id = ID) =>
  makeRequest(
    '/webhooks/1/',
    { ...JSON_TYPE, 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature },
    body,
  );

const CALL = { type: 'call.ended', call_id: 'c-1', direction: 'incoming', from: '+12025550143', to: '+12025550100' };
const ENDED = JSON.stringify({ ...CALL, occurred_at: '2026-03-02T15:04:05.1239+0000', duration: 42, data: { a: 1 } });
const libraryV1 = (body: string): string => new Webhook(SECRET).sign(ID, new Date(NOW), body);

const unsigned = (body: unknown): WebhookRequest => makeRequest('/webhooks/1/', JSON_TYPE, JSON.stringify(body));
const understood = (members: Record<string, unknown>): Signal | undefined =>
  signalsOf(generic, unsigned({ ...CALL, ...members }))[0];

describeAdapter(generic, [
  { name: 'the v1 vector', request: request(V1), secrets: { secret: [SECRET] }, now: NOW },
  { name: 'the v1a vector', request: request(V1A), secrets: { public_key: [PUBLIC_KEY] }, now: NOW },
  { name: 'an end', request: request(libraryV1(ENDED), ENDED), secrets: { secret: [SECRET] }, now: NOW },
]);

describe('the Standard Webhooks signature', () => {
  for (const [version, signature] of [
    ['v1', V1],
    ['v1a', V1A],
  ] as const) {
    it(`refuses ${version} with another body, id, time, signature or key`, () => {
      const valid = request(signature);
      const otherKeys = { secret: ['whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'], public_key: [`whpk_${'A'.repeat(43)}=`] };

      expect(codeOf(generic, withFlippedByte(valid), BOTH, NOW)).to.equal('bad_signature');
      expect(codeOf(generic, request(signature, VECTOR_BODY, String(SENT_AT), `${ID}x`), BOTH, NOW)).to.equal(
        'bad_signature',
      );
      expect(codeOf(generic, request(signature, VECTOR_BODY, String(SENT_AT + 1)), BOTH, NOW)).to.equal(
        'bad_signature',
      );
      expect(codeOf(generic, request(signature.replace(/,./, ',B')), BOTH, NOW)).to.equal('bad_signature');
      expect(codeOf(generic, valid, otherKeys, NOW)).to.equal('bad_signature');
    });
  }

  it('allows 300 s either way and no more', () => {
    expect(codeOf(generic, request(V1), BOTH, NOW + 300_999)).to.equal('ok');
    expect(codeOf(generic, request(V1), BOTH, NOW + 301_000)).to.equal('stale_timestamp');
    expect(codeOf(generic, request(V1), BOTH, NOW - 300_000)).to.equal('ok');
    expect(codeOf(generic, request(V1), BOTH, NOW - 300_001)).to.equal('stale_timestamp');
  });

  it('takes any of several signatures and secrets, and skips versions it does not know', () => {
    const secrets = { secret: ['whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', SECRET] };

    expect(codeOf(generic, request(`v9,x v1,AAAA ${V1}`), secrets, NOW)).to.equal('ok');
    expect(codeOf(generic, request(`v9,x ${V1A}`), BOTH, NOW)).to.equal('ok');
    expect(codeOf(generic, request('v9,x'), BOTH, NOW)).to.equal('malformed_signature');
    expect(codeOf(generic, request(Array(40).fill('v1,AAAA').concat(V1).join(' ')), BOTH, NOW)).to.equal(
      'bad_signature',
    );
  });

  it('refuses a time that is no plain number and an id with a dot', () => {
    expect(codeOf(generic, request(V1, VECTOR_BODY, `${SENT_AT}junk`), BOTH, NOW)).to.equal('malformed_timestamp');
    expect(codeOf(generic, request(V1, VECTOR_BODY, String(SENT_AT), 'a.b'), BOTH, NOW)).to.equal('malformed_id');
    expect(codeOf(generic, makeRequest('/', JSON_TYPE, '{}'), BOTH, NOW)).to.equal('missing_signature');
  });

  it('signs bytes: two bodies of invalid UTF-8 do not verify alike', () => {
    const body = Buffer.from([0x22, 0xff, 0x22]);
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const key = `whpk_${Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')}`;
    const signature = sign(null, Buffer.concat([Buffer.from(`${ID}.${SENT_AT}.`), body]), privateKey);
    const valid = request(`v1a,${signature.toString('base64')}`, body);

    expect(codeOf(generic, valid, { public_key: [key] }, NOW)).to.equal('ok');
    expect(codeOf(generic, withFlippedByte(valid), { public_key: [key] }, NOW)).to.equal('bad_signature');
  });

  it('checks secret and key when they are entered', () => {
    const [secret, publicKey] = generic.credentials;

    expect(secret?.check(SECRET)).to.equal(null);
    expect(secret?.check('whsec_c2hvcnQ=')).to.include('24 to 64 bytes');
    expect(secret?.check(SECRET.slice(6))).to.be.a('string');
    expect(publicKey?.check(PUBLIC_KEY)).to.equal(null);
    expect(publicKey?.check('whpk_c2hvcnQ=')).to.be.a('string');
  });
});

describe('the generic body', () => {
  it('is understood as the contract has it', () => {
    const signal = understood({
      occurred_at: '2026-03-02T16:04:05.1239+01:00',
      parent_call_id: 'p-1',
      duration: 42,
      disposition: 'completed',
      hangup_cause: 'normal_clearing',
      hangup_source: 'callee',
      price: '0.0085',
      currency: 'usd',
    });

    expect(signal).to.deep.equal({
      callId: 'c-1',
      state: 'ended',
      occurredAt: Date.parse('2026-03-02T15:04:05.123Z'),
      direction: 'incoming',
      from: '+12025550143',
      to: '+12025550100',
      parentCallId: 'p-1',
      talkSeconds: 42,
      disposition: 'completed',
      hangupCause: 'normal_clearing',
      hangupSource: 'callee',
      price: '0.0085',
      currency: 'USD',
    });
  });

  it('takes the other spellings and the members inside data', () => {
    const data = {
      call_id: 'c-2',
      direction: 'outbound',
      duration_seconds: '7',
      ended_by: 'caller',
      disposition: 'no-answer',
    };

    const [signal] = signalsOf(generic, unsigned({ type: 'call.ended', data }));

    expect(signal).to.deep.equal({
      callId: 'c-2',
      state: 'ended',
      direction: 'outgoing',
      talkSeconds: 7,
      hangupSource: 'caller',
      disposition: 'no_answer',
    });
    expect(understood({ disposition: 'cancelled', direction: 'inbound' })).to.include({
      disposition: 'canceled',
      direction: 'incoming',
    });
  });

  const derived: ReadonlyArray<readonly [Record<string, unknown>, string, string | undefined]> = [
    [{ sip_status: 486 }, 'busy', 'user_busy'],
    [{ sip_status: '600' }, 'busy', 'user_busy'],
    [{ sip_status: 603 }, 'rejected', 'call_rejected'],
    [{ sip_status: 408 }, 'no_answer', 'no_answer'],
    [{ sip_status: 480 }, 'no_answer', 'no_answer'],
    [{ sip_status: 487 }, 'canceled', 'originator_cancel'],
    [{ sip_status: 503 }, 'failed', 'congestion'],
    [{ sip_status: 499 }, 'failed', 'unknown'],
    [{ hangup_cause: 486 }, 'busy', 'user_busy'],
    [{ hangup_cause: '17' }, 'busy', 'user_busy'],
    [{ hangup_cause: 'user_busy' }, 'busy', 'user_busy'],
    [{ hangup_cause: 'CALL_REJECTED' }, 'rejected', 'call_rejected'],
    [{ hangup_cause: 'gremlins' }, 'no_answer', 'gremlins'],
    [{ hangup_source: 'caller' }, 'canceled', undefined],
    [{ hangup_source: 'caller', hangup_cause: 'normal_clearing' }, 'canceled', 'normal_clearing'],
    [{ sip_status: 200, hangup_source: 'callee' }, 'no_answer', undefined],
    [{ sip_status: 486, disposition: 'failed' }, 'failed', 'user_busy'],
    [{ sip_status: 486, disposition: 'marvellous' }, 'busy', 'user_busy'],
    [{}, 'no_answer', undefined],
  ];
  for (const [members, disposition, cause] of derived) {
    it(`ends ${JSON.stringify(members)} as ${disposition}`, () => {
      const signal = understood(members);

      expect(signal?.disposition).to.equal(disposition);
      expect(signal?.hangupCause).to.equal(cause);
    });
  }

  it('reads an update as a note, and states before the end without an ending', () => {
    expect(understood({ type: 'call.updated', price: 0.5, currency: 'EUR' })).to.include({
      price: '0.5',
      currency: 'EUR',
    });
    expect(understood({ type: 'call.updated' })).to.not.have.any.keys('state', 'disposition');
    expect(understood({ type: 'call.ringing', sip_status: 180 })).to.include({ state: 'ringing' });
    expect(understood({ type: 'call.ringing', sip_status: 486 })).to.not.have.any.keys('disposition', 'hangupCause');
  });

  it('lets an update correct the end by a disposition or a cause that tells one, and by nothing less', () => {
    const ending = ['disposition', 'hangupCause', 'hangupSource', 'providerCause'] as const;
    expect(understood({ type: 'call.updated', disposition: 'busy', ended_by: 'callee' })).to.include({
      disposition: 'busy',
      hangupSource: 'callee',
    });
    expect(understood({ type: 'call.updated', hangup_cause: 'user_busy' })).to.include({
      disposition: 'busy',
      hangupCause: 'user_busy',
    });
    expect(understood({ type: 'call.updated', hangup_source: 'caller' })).to.not.have.any.keys(...ending);
    expect(understood({ type: 'call.updated', hangup_cause: 'gremlins' })).to.not.have.any.keys(...ending);
  });

  it('keeps the code as sent beside the cause, unless the cause was told in our own words', () => {
    const causeOf = (members: Record<string, unknown>) => understood(members)?.providerCause;

    expect(causeOf({ hangup_cause: 'USER_BUSY' })).to.equal('USER_BUSY');
    expect(causeOf({ hangup_cause: 'gremlins' })).to.equal('gremlins');
    expect(causeOf({ hangup_cause: 'user_busy', sip_status: 486 })).to.equal('486');
    expect(causeOf({ hangup_cause: 'user_busy' })).to.equal(undefined);
  });

  it('reads a told disposition in a webhook of any type', () => {
    expect(understood({ type: 'call.answered', disposition: 'rejected', hangup_cause: 'call_rejected' })).to.include({
      state: 'answered',
      disposition: 'rejected',
      hangupCause: 'call_rejected',
    });
  });

  it('never fails for unknown members or values', () => {
    const odd = {
      direction: 'sideways',
      duration: -3,
      price: 'dear',
      currency: 'money',
      hangup_source: 7,
      from: {},
      x: [],
    };

    expect(understood({ ...odd, parent_call_id: 'c-1' })).to.deep.equal({
      callId: 'c-1',
      state: 'ended',
      to: '+12025550100',
      disposition: 'no_answer',
    });
  });

  it('takes no id from a number whose digits are lost: two calls would be one', () => {
    const withIds = (id: string, parent: string) =>
      makeRequest('/', JSON_TYPE, `{"type":"call.ended","call_id":${id},"parent_call_id":${parent}}`);
    const [signal] = signalsOf(generic, withIds('9007199254740991', '1234567890123456789'));

    expect(outcomeOf(generic, withIds('1234567890123456789', '1'))).to.equal('failed missing_call_id');
    expect(signal).to.include({ callId: '9007199254740991' });
    expect(signal).to.not.have.property('parentCallId');
  });

  it('ignores or fails what it cannot use, by code', () => {
    expect(outcomeOf(generic, unsigned({ ...CALL, type: 'call.exploded' }))).to.equal('ignored unknown_event');
    expect(outcomeOf(generic, unsigned([1]))).to.equal('ignored unknown_event');
    expect(outcomeOf(generic, unsigned({ type: 'call.ended' }))).to.equal('failed missing_call_id');
    expect(outcomeOf(generic, unsigned({ ...CALL, occurred_at: 'soon' }))).to.equal('failed impossible_time');
    expect(outcomeOf(generic, unsigned({ ...CALL, occurred_at: '2026-02-30T00:00:00Z' }))).to.equal(
      'failed impossible_time',
    );
    expect(outcomeOf(generic, unsigned({ ...CALL, occurred_at: null }))).to.equal('signals');
    expect(outcomeOf(generic, makeRequest('/', JSON_TYPE, '{"a":'))).to.equal('unreadable');
  });

  it('knows a delivery by its webhook-id', () => {
    const content = generic.read(request(V1));

    expect(content && generic.deliveryKey(request(V1), content)).to.equal(ID);
  });
});
