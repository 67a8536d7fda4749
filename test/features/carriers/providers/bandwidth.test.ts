import { expect } from 'chai';
import type { Secrets, WebhookRequest } from '../../../../src/features/carriers/provider.js';
import { bandwidth } from '../../../../src/features/carriers/providers/bandwidth.js';
import { describeAdapter } from './contract-suite.js';
import { CARRIER, codeOf, JSON_TYPE, makeRequest, outcomeOf, readPayload, signalsOf } from './samples.js';
import { describeLegs } from './scenario-legs.js';

const SECRETS: Secrets = { username: ['bw-user'], password: ['bw-pass:with:colons'] };
const AUTHORIZATION = 'Basic YnctdXNlcjpidy1wYXNzOndpdGg6Y29sb25z';

const signed = (body: string | Buffer, authorization = AUTHORIZATION): WebhookRequest =>
  makeRequest('/bandwidth/events', { ...JSON_TYPE, authorization }, body);

const event = (members: Record<string, unknown>): WebhookRequest => {
  const known = JSON.parse(readPayload('bandwidth/outbound-busy.01-disconnect.json').toString());
  return signed(JSON.stringify({ ...known, ...members }));
};

const TRANSFER = {
  from: '+12025550149',
  to: '+12025550106',
  direction: 'inbound',
  callId: 'c-b',
  parentCallId: 'c-a',
  transferCallerId: '+12025550106',
  transferTo: '+12025550160',
  accountId: undefined,
  applicationId: undefined,
};

describeLegs(bandwidth);
describeAdapter(
  bandwidth,
  ['inbound-answered.01-initiate', 'inbound-answered.02-disconnect', 'outbound-busy.01-disconnect'].map((name) => ({
    name,
    request: signed(readPayload(`bandwidth/${name}.json`)),
    secrets: SECRETS,
    now: 0,
  })),
);

describe('the bandwidth sign-in', () => {
  it('asks for Basic', () => {
    expect(bandwidth.challenge).to.equal('Basic realm="switchboard"');
    expect(codeOf(bandwidth, makeRequest('/', {}, '{}'), SECRETS)).to.equal('missing_credentials');
  });

  it('refuses when one byte of the header is another', () => {
    const code = (authorization: string): string => codeOf(bandwidth, signed('{}', authorization), SECRETS);

    expect(code(AUTHORIZATION)).to.equal('ok');
    expect(code(AUTHORIZATION.replace('b25z', 'b25y'))).to.equal('bad_credentials');
    expect(code(AUTHORIZATION.replace('YnctdX', 'YnctdW'))).to.equal('bad_credentials');
    expect(code('Bearer YnctdXNlcjpi')).to.equal('malformed_credentials');
  });

  it('refuses a user with a colon, which Basic cannot carry', () => {
    expect(bandwidth.credentials[0]?.check('bw:user')).to.be.a('string');
    expect(bandwidth.credentials[1]?.check('bw-pass:with:colons')).to.equal(null);
  });
});

describe('the bandwidth events', () => {
  const ends: ReadonlyArray<readonly [Record<string, unknown>, string, string]> = [
    [{ cause: 'hangup', answerTime: '2026-03-02T15:20:06.000Z' }, 'completed', 'normal_clearing'],
    [{ cause: 'hangup', direction: 'inbound' }, 'canceled', 'originator_cancel'],
    [{ cause: 'hangup', direction: 'outbound' }, 'failed', 'normal_clearing'],
    [{ cause: 'busy' }, 'busy', 'user_busy'],
    [{ cause: 'timeout' }, 'no_answer', 'ring_timeout'],
    [{ cause: 'cancel' }, 'canceled', 'originator_cancel'],
    [{ cause: 'rejected' }, 'rejected', 'call_rejected'],
    [{ cause: 'callback-error' }, 'failed', 'application_error'],
    [{ cause: 'invalid-bxml', answerTime: '2026-03-02T15:20:06.000Z' }, 'completed', 'application_error'],
    [{ cause: 'account-limit' }, 'failed', 'congestion'],
    [{ cause: 'node-capacity-exceeded' }, 'failed', 'congestion'],
    [{ cause: 'error' }, 'failed', 'unknown'],
    [{ cause: 'something-new' }, 'failed', 'unknown'],
  ];
  for (const [members, disposition, hangupCause] of ends) {
    it(`reads ${Object.values(members).join(' ')} as ${disposition}`, () => {
      const [signal] = signalsOf(bandwidth, event(members));

      expect(signal).to.include({ state: 'ended', disposition, hangupCause, providerCause: members.cause });
    });
  }

  it('reads a transferred leg by its own parties, not by those of the original call', () => {
    const own = { callId: 'c-b', parentCallId: 'c-a', direction: 'outgoing', from: '+12025550106', to: '+12025550160' };

    for (const eventType of ['transferAnswer', 'transferDisconnect']) {
      expect(signalsOf(bandwidth, event({ ...TRANSFER, eventType }))[0]).to.include(own);
    }
  });

  it('reads the cause of a completed transfer as no word about the leg that goes on', () => {
    const [note] = signalsOf(bandwidth, event({ ...TRANSFER, eventType: 'transferComplete', callId: 'c-a' }));

    expect(note).to.include({ callId: 'c-a', direction: 'incoming', from: '+12025550149' });
    expect(note).to.not.have.any.keys('state', 'disposition', 'hangupCause');
  });

  it('takes the answer time as the time of the answer', () => {
    const answerTime = '2026-03-02T15:20:12.010Z';
    const [signal] = signalsOf(bandwidth, event({ eventType: 'answer', answerTime }));

    expect(signal).to.include({ state: 'answered', occurredAt: Date.parse(answerTime) });
  });

  it('tells the answer of an end, and its length also where only the event itself has a time', () => {
    const answerTime = '2026-03-02T15:20:12.010Z';
    const times = { startTime: '2026-03-02T15:20:00.010Z', answerTime, eventTime: '2026-03-02T15:20:42.010Z' };
    const [signal] = signalsOf(bandwidth, event({ ...times, endTime: undefined, cause: 'hangup' }));

    expect(signal).to.include({ answeredAt: Date.parse(answerTime), occurredAt: Date.parse(times.eventTime) });
    expect(signal).to.include({ talkSeconds: 30, totalSeconds: 42 });
  });

  it('says why an event is of no use', () => {
    expect(outcomeOf(bandwidth, event({ eventType: 'conferenceCreated' }))).to.equal('ignored unknown_event');
    expect(outcomeOf(bandwidth, event({ eventType: undefined }))).to.equal('ignored unknown_event');
    expect(outcomeOf(bandwidth, event({ callId: undefined }))).to.equal('failed missing_call_id');
    expect(outcomeOf(bandwidth, event({ endTime: 'yesterday' }))).to.equal('failed impossible_time');
  });

  it('is answered with 204 and nothing, and has no delivery id of its own', () => {
    const content = { kind: 'json', json: {} } as const;

    expect(bandwidth.answer(event({}), content, CARRIER)).to.deep.equal({ status: 204 });
    expect(bandwidth.deliveryKey(event({}), content)).to.equal(null);
  });
});
