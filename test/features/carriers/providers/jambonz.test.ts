import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import type { WebhookRequest } from '../../../../src/features/carriers/provider.js';
import { jambonz } from '../../../../src/features/carriers/providers/jambonz.js';
import { describeAdapter, describeScenarios } from './contract-suite.js';
import {
  codeOf,
  JSON_TYPE,
  makeRequest,
  outcomeOf,
  readScenarios,
  requestOfStep,
  signalsOf,
  withFlippedByte,
} from './samples.js';

const SECRET = 'wh_secret_9pGQbq1ZLN4x7aWvYkFzTe';
const SECRETS = { webhook_secret: [SECRET] };
const SENT_AT = 1772463845;
const NOW = SENT_AT * 1000;
const V1 = '7c16f27bc655f227888bd9edc34303483a170d91e59c4c3244603e57828fa482';
const JSON_BODY = '{"event":"demo","callId":"c-1","from":"+12025550143","to":"+12025550100","note":"Zoë ✓"}';

const signed = (header: string, body: string | Buffer = JSON_BODY): WebhookRequest =>
  makeRequest('/jambonz/status', { ...JSON_TYPE, 'jambonz-signature': header }, body);

const headerFor = (seconds: number, body: string | Buffer): string =>
  `t=${seconds},v1=${createHmac('sha256', SECRET).update(`${seconds}.`).update(body).digest('hex')}`;

const VECTOR = signed(`t=${SENT_AT},v1=${V1}`);

const end = (members: Record<string, unknown>) =>
  signalsOf(
    jambonz,
    signed(`t=${SENT_AT},v1=x`, JSON.stringify({ call_sid: 'c', direction: 'inbound', ...members })),
  )[0];
const outcome = (body: unknown) => outcomeOf(jambonz, signed(`t=${SENT_AT},v1=x`, JSON.stringify(body)));

const samples = readScenarios('jambonz').flatMap((scenario) =>
  scenario.steps.map((step) => {
    const now = Date.parse(step.occurredAt ?? '');
    const request = requestOfStep(step, { 'jambonz-signature': headerFor(now / 1000, step.body) });
    return { name: step.file, request, secrets: SECRETS, now };
  }),
);

describeAdapter(jambonz, [{ name: 'the vector', request: VECTOR, secrets: SECRETS, now: NOW }, ...samples]);
describeScenarios(jambonz, readScenarios('jambonz'), (step) =>
  requestOfStep(step, { 'jambonz-signature': headerFor(Date.parse(step.occurredAt ?? '') / 1000, step.body) }),
);

describe('the jambonz signature', () => {
  it('refuses another body, time, signature or secret', () => {
    expect(codeOf(jambonz, withFlippedByte(VECTOR), SECRETS, NOW)).to.equal('bad_signature');
    expect(codeOf(jambonz, signed(`t=${SENT_AT + 1},v1=${V1}`), SECRETS, NOW)).to.equal('bad_signature');
    expect(codeOf(jambonz, signed(`t=${SENT_AT},v1=8${V1.slice(1)}`), SECRETS, NOW)).to.equal('bad_signature');
    expect(codeOf(jambonz, VECTOR, { webhook_secret: ['wh_secret_other'] }, NOW)).to.equal('bad_signature');
  });

  it('allows 300 s either way and no more', () => {
    expect(codeOf(jambonz, VECTOR, SECRETS, NOW + 300_000)).to.equal('ok');
    expect(codeOf(jambonz, VECTOR, SECRETS, NOW + 301_000)).to.equal('stale_timestamp');
    expect(codeOf(jambonz, VECTOR, SECRETS, NOW - 300_000)).to.equal('ok');
    expect(codeOf(jambonz, VECTOR, SECRETS, NOW - 301_000)).to.equal('stale_timestamp');
  });

  it('takes one of several signatures and refuses a malformed header', () => {
    expect(codeOf(jambonz, signed(`t=${SENT_AT},v1=00,v1=${V1},v2=x`), SECRETS, NOW)).to.equal('ok');
    expect(codeOf(jambonz, signed('v1=00'), SECRETS, NOW)).to.equal('malformed_signature');
    expect(codeOf(jambonz, signed(`t=${SENT_AT},t=${SENT_AT},v1=${V1}`), SECRETS, NOW)).to.equal('malformed_signature');
    expect(codeOf(jambonz, signed(`t=${SENT_AT}junk,v1=${V1}`), SECRETS, NOW)).to.equal('malformed_timestamp');
    expect(codeOf(jambonz, makeRequest('/', JSON_TYPE, JSON_BODY), SECRETS, NOW)).to.equal('missing_signature');
  });
});

describe('the jambonz adapter', () => {
  it('tells two events with the same bytes from two deliveries of one', () => {
    const keyOf = (request: WebhookRequest) => jambonz.deliveryKey(request, { kind: 'json', json: null });

    expect(keyOf(VECTOR))
      .to.equal(keyOf(signed(`t=${SENT_AT},v1=00`)))
      .and.match(/^[0-9a-f]{64}$/);
    expect(keyOf(VECTOR)).to.not.equal(keyOf(signed(`t=${SENT_AT + 1},v1=${V1}`)));
    expect(keyOf(VECTOR)).to.not.equal(keyOf({ ...VECTOR, path: '/other' }));
  });

  const ends: ReadonlyArray<readonly [Record<string, unknown>, string, string]> = [
    [{ call_status: 'no-answer', sip_status: 487, call_termination_by: 'caller' }, 'canceled', 'originator_cancel'],
    [{ call_status: 'no-answer', sip_status: 487, direction: 'outbound' }, 'no_answer', 'no_answer'],
    [{ call_status: 'busy', sip_status: 603 }, 'rejected', 'call_rejected'],
    [{ call_status: 'failed', sip_status: 480 }, 'no_answer', 'no_answer'],
    [{ call_status: 'failed', sip_status: 603 }, 'rejected', 'call_rejected'],
    [{ call_status: 'failed', sip_status: 404 }, 'failed', 'unallocated_number'],
    [{ call_status: 'failed', sip_status: 503 }, 'failed', 'congestion'],
  ];
  for (const [members, disposition, cause] of ends) {
    it(`ends ${JSON.stringify(members)} as ${disposition}`, () => {
      expect(end(members)).to.include({ disposition, hangupCause: cause, providerCause: String(members.sip_status) });
    });
  }

  it('reads "caller" as the far end, which an outbound leg calls', () => {
    const by = (members: Record<string, unknown>) => end({ call_status: 'completed', ...members })?.hangupSource;

    expect(by({ call_termination_by: 'caller' })).to.equal('caller');
    expect(by({ call_termination_by: 'caller', direction: 'outbound' })).to.equal('callee');
    expect(by({ call_termination_by: 'jambonz' })).to.equal('system');
    expect(by({})).to.equal(undefined);
  });

  it('ignores or fails what it cannot use, by code', () => {
    expect(outcome({ call_sid: 'c', call_status: 'odd' })).to.equal('ignored unknown_status');
    expect(outcome({ call_sid: 'c' })).to.equal('ignored no_facts');
    expect(outcome({ call_status: 'ringing' })).to.equal('failed missing_call_id');
    expect(outcome('text')).to.equal('failed missing_call_id');
    expect(outcomeOf(jambonz, signed('', 'a=b'))).to.equal('unreadable');
  });
});
