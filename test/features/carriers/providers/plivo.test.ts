import { expect } from 'chai';
import { validateV3Signature } from 'plivo';
import type { WebhookRequest } from '../../../../src/features/carriers/provider.js';
import { plivo } from '../../../../src/features/carriers/providers/plivo.js';
import { hmac } from '../../../../src/features/carriers/providers/signatures.js';
import { describeAdapter, describeScenarios } from './contract-suite.js';
import {
  codeOf,
  FORM,
  HOST,
  makeRequest,
  outcomeOf,
  readScenarios,
  requestOfStep,
  signalsOf,
  withFlippedByte,
} from './samples.js';

const TOKEN = 'MjA0ZjNkZmY2YzQxNTJhYmM5MTIzNDU2Nzg5MGFi';
const SECRETS = { auth_token: [TOKEN] };
const NONCE = '0542956780446609162';
const STATUS_FORM =
  'AccountSid=ACdef0b17f603285ef4336f6e3e3dcd43c&CallSid=CA00000000000000000000000000000001&CallStatus=completed' +
  '&CallDuration=42&Caller=%2B12025550143&Called=%2B12025550100&Direction=inbound&From=%2B12025550143' +
  '&To=%2B12025550100&Timestamp=Mon%2C%2002%20Mar%202026%2015%3A04%3A05%20%2B0000&SequenceNumber=0';

const signed = (path: string, nonce: string, signature: string, body: string) =>
  makeRequest(path, { ...FORM, 'x-plivo-signature-v3': signature, 'x-plivo-signature-v3-nonce': nonce }, body);

const VECTORS: Readonly<Record<string, WebhookRequest>> = {
  'a form': signed('/plivo/hangup', `${NONCE}2`, 'AgmU7fadJskeC9+ACpLy86dR+CLVl9kqrzDGXhFScic=', STATUS_FORM),
  'a form and a query': signed(
    '/plivo/hangup?tenant=acme&app=2',
    `${NONCE}3`,
    'pu0q5dxg/KxA6sHFEhUPgT+vvzq8DuFzqmaVV9Fzni4=',
    STATUS_FORM,
  ),
  'a query alone': signed(
    '/plivo/hangup?To=12025550100&From=12025550147&Event=Hangup',
    `${NONCE}4`,
    'H/kK1/P/2Bdzbmz+qYcdmMCEg6M9tlJg6k3aX9OdRXs=',
    '',
  ),
};

const form = (members: Record<string, string>) =>
  makeRequest('/p', FORM, new URLSearchParams({ CallUUID: 'c-1', ...members }).toString());

const inZone = (time_zone: string) => ({ voiceUrl: null, plain: { time_zone } });

const answerOf = (members: Record<string, string>) => {
  const request = form(members);
  const content = plivo.read(request);
  return content && plivo.answer(request, content, { voiceUrl: 'https://pbx.example.test/v', plain: {} });
};

describeAdapter(
  plivo,
  Object.entries(VECTORS)
    .filter(([, request]) => request.body.length > 0)
    .map(([name, request]) => ({ name, request, secrets: SECRETS, now: 0 })),
);
describeScenarios(plivo, readScenarios('plivo'), (step) => requestOfStep(step));

describe('the Plivo signature', () => {
  for (const [name, request] of Object.entries(VECTORS)) {
    it(`takes ${name}, and refuses another body, URL, nonce, signature or token`, () => {
      const { headers } = request;
      const signature = headers['x-plivo-signature-v3'] ?? '';
      const withHeader = (key: string, value: string) => ({ ...request, headers: { ...headers, [key]: value } });

      expect(codeOf(plivo, request, SECRETS)).to.equal('ok');
      expect(codeOf(plivo, { ...request, body: Buffer.concat([request.body, Buffer.from('&z=1')]) }, SECRETS)).to.equal(
        'bad_signature',
      );
      if (request.body.length > 0) expect(codeOf(plivo, withFlippedByte(request), SECRETS)).to.equal('bad_signature');
      expect(codeOf(plivo, { ...request, url: request.url.replace('hangup', 'hangup/') }, SECRETS)).to.equal(
        'bad_signature',
      );
      expect(codeOf(plivo, withHeader('x-plivo-signature-v3-nonce', '1'), SECRETS)).to.equal('bad_signature');
      expect(codeOf(plivo, withHeader('x-plivo-signature-v3', `B${signature.slice(1)}`), SECRETS)).to.equal(
        'bad_signature',
      );
      expect(codeOf(plivo, request, { auth_token: ['other'] })).to.equal('bad_signature');
    });
  }

  it('takes one of several signatures, and that of the main account', () => {
    const request = VECTORS['a form'] as WebhookRequest;
    const { 'x-plivo-signature-v3': signature = '', ...rest } = request.headers;
    const among = { ...rest, 'x-plivo-signature-v3': `AAAA,${signature}` };

    expect(codeOf(plivo, { ...request, headers: among }, SECRETS)).to.equal('ok');
    expect(codeOf(plivo, { ...request, headers: { ...rest, 'x-plivo-signature-ma-v3': signature } }, SECRETS)).to.equal(
      'ok',
    );
  });

  it('refuses V2, which does not cover the body, and a missing nonce', () => {
    const v2 = makeRequest('/p', { ...FORM, 'x-plivo-signature-v2': 'x', 'x-plivo-signature-v2-nonce': '1' }, 'a=b');

    expect(codeOf(plivo, v2, SECRETS)).to.equal('missing_signature');
    expect(codeOf(plivo, makeRequest('/p', { ...FORM, 'x-plivo-signature-v3': 'x' }, 'a=b'), SECRETS)).to.equal(
      'missing_nonce',
    );
  });

  it('agrees with the SDK on every payload, with and without a query', () => {
    for (const step of readScenarios('plivo').flatMap((scenario) => scenario.steps)) {
      for (const query of ['', '?b=2&a=1&a=0&c=%2Bx']) {
        const path = `${step.path}${query}`;
        const params = Object.fromEntries(new URLSearchParams(step.body.toString()));
        const parameters = Object.keys(params)
          .sort()
          .map((name) => name + params[name])
          .join('');
        const text = `${HOST}${step.path}?${query && 'a=0&a=1&b=2&c=+x.'}${parameters}.${NONCE}`;
        const signature = hmac('sha256', TOKEN, [text], 'base64');

        expect(validateV3Signature('POST', `${HOST}${path}`, NONCE, TOKEN, signature, params)).to.equal(true);
        expect(codeOf(plivo, signed(path, NONCE, signature, step.body.toString()), SECRETS)).to.equal('ok');
      }
    }
  });
});

describe('the Plivo adapter', () => {
  it('reads the times of the end on the clock of the console, over the change of summer time', () => {
    const times = {
      Event: 'Hangup',
      StartTime: '2026-10-25 02:59:50',
      AnswerTime: '2026-10-25 02:00:10',
      EndTime: '2026-10-25 02:30:00',
    };

    const [end, ...more] = signalsOf(plivo, form({ ...times, HangupCauseCode: '4000' }), inZone('Europe/Berlin'));
    const winter = signalsOf(
      plivo,
      form({ Event: 'Hangup', EndTime: '2026-01-05 12:00:00' }),
      inZone('America/New_York'),
    );

    expect(end).to.include({ state: 'ended', occurredAt: Date.parse('2026-10-25T01:30:00Z') });
    expect(end).to.include({ totalSeconds: 30 * 60 + 10, talkSeconds: 30 * 60 - 10 });
    expect(end).to.include({ answeredAt: Date.parse('2026-10-25T01:00:10Z') });
    expect(more).to.deep.equal([]);
    expect(winter[0]).to.include({ occurredAt: Date.parse('2026-01-05T17:00:00Z') });
  });

  it('tells when the leg was answered, whatever the talk, and also without a time of the end', () => {
    const answer = { Event: 'Hangup', HangupCauseCode: '4000', AnswerTime: '2026-03-02 15:00:05' };
    const answeredAt = Date.parse('2026-03-02T15:00:05Z');
    const end = (members: Record<string, string>) => signalsOf(plivo, form({ ...answer, ...members }))[0];

    expect(end({ EndTime: '2026-03-02 15:00:05', Duration: '0' })).to.include({ answeredAt, talkSeconds: 0 });
    expect(end({ EndTime: '2026-03-02 15:00:47', Duration: '41' })).to.include({ answeredAt, talkSeconds: 41 });
    expect(end({})).to.include({ answeredAt }).and.not.have.property('occurredAt');
    expect(end({ AnswerTime: '' })).to.not.have.property('answeredAt');
  });

  const codes: ReadonlyArray<readonly [code: string, disposition: string, cause: string]> = [
    ['0', 'failed', 'unknown'],
    ['1000', 'canceled', 'originator_cancel'],
    ['1010', 'failed', 'insufficient_funds'],
    ['2000', 'failed', 'unallocated_number'],
    ['3000', 'no_answer', 'no_answer'],
    ['3010', 'busy', 'user_busy'],
    ['3020', 'rejected', 'call_rejected'],
    ['3110', 'rejected', 'call_rejected'],
    ['4000', 'completed', 'normal_clearing'],
    ['6000', 'completed', 'max_duration'],
    ['6010', 'no_answer', 'ring_timeout'],
    ['6020', 'completed', 'media_timeout'],
    ['7011', 'failed', 'application_error'],
    ['9000', 'canceled', 'answered_elsewhere'],
    ['9100', 'completed', 'machine_detected'],
  ];
  for (const [code, disposition, cause] of codes) {
    it(`reads the code ${code} as ${disposition}, whatever the status says`, () => {
      const members = {
        Event: 'Hangup',
        CallStatus: 'completed',
        HangupCause: 'NORMAL_CLEARING',
        HangupCauseCode: code,
      };

      expect(signalsOf(plivo, form(members))[0]).to.include({ disposition, hangupCause: cause, providerCause: code });
    });
  }

  it('falls back to the name of the cause, then to the status', () => {
    const end = (members: Record<string, string>) => signalsOf(plivo, form({ Event: 'Hangup', ...members }))[0];

    expect(end({ HangupCause: 'USER_BUSY', CallStatus: 'completed' })).to.include({ disposition: 'busy' });
    expect(end({ HangupCauseCode: '9999', CallStatus: 'cancel' })).to.include({ disposition: 'canceled' });
    expect(end({ HangupCause: 'ODD' })).to.deep.equal({
      callId: 'c-1',
      state: 'ended',
      hangupCause: 'ODD',
      providerCause: 'ODD',
    });
  });

  it('states the second leg of a Dial and its parent', () => {
    const leg = {
      Event: 'DialHangup',
      DialALegUUID: 'c-1',
      DialBLegUUID: 'c-2',
      DialBLegTo: '12025550177',
      Direction: 'inbound',
    };
    const ended = {
      DialAction: 'hangup',
      DialBLegHangupCauseCode: '4000',
      DialBLegDuration: '31',
      DialBLegHangupSource: 'Callee',
    };

    expect(signalsOf(plivo, form({ ...leg, ...ended }))).to.deep.equal([
      {
        callId: 'c-2',
        parentCallId: 'c-1',
        direction: 'outgoing',
        to: '12025550177',
        state: 'ended',
        disposition: 'completed',
        hangupCause: 'normal_clearing',
        hangupSource: 'callee',
        providerCause: '4000',
        talkSeconds: 31,
      },
    ]);
    expect(signalsOf(plivo, form({ ...leg, DialAction: 'answer' }))[0]).to.include({
      state: 'answered',
      callId: 'c-2',
    });
    expect(signalsOf(plivo, form({ ...leg, DialStatus: 'timeout' }))[0]).to.include({ disposition: 'no_answer' });
    expect(signalsOf(plivo, form({ ...leg, Event: 'DialAnswer' }))[0]).to.include({ state: 'answered' });
    expect(outcomeOf(plivo, form({ ...leg, Event: 'DialDigitsMatch' }))).to.equal('ignored no_facts');
    expect(outcomeOf(plivo, form({ ...leg, DialBLegUUID: '', DialStatus: 'busy' }))).to.equal('ignored no_facts');
  });

  it('redirects a new call, gives an action an empty document and answers the rest with 200', () => {
    expect(answerOf({ Event: 'StartApp' })?.body).to.include('<Redirect>https://pbx.example.test/v</Redirect>');
    expect(answerOf({ Event: 'Redirect', DialStatus: 'busy' })?.body).to.include('<Response/>');
    expect(answerOf({ Event: 'Hangup' })).to.deep.equal({ status: 200 });
  });

  it('ignores or fails what it cannot use, by code', () => {
    expect(outcomeOf(plivo, form({ Event: 'Fireworks' }))).to.equal('ignored unknown_event');
    expect(outcomeOf(plivo, form({ Event: 'MachineDetection' }))).to.equal('ignored no_facts');
    expect(outcomeOf(plivo, form({ Event: 'StartApp', CallStatus: 'odd' }))).to.equal('ignored unknown_status');
    expect(outcomeOf(plivo, form({ Event: 'Hangup', EndTime: 'soon' }))).to.equal('failed impossible_time');
    expect(outcomeOf(plivo, form({ Event: 'Ring', SessionStart: '2026' }))).to.equal('failed impossible_time');
    expect(outcomeOf(plivo, makeRequest('/', FORM, 'Event=Hangup'))).to.equal('failed missing_call_id');
    expect(outcomeOf(plivo, makeRequest('/', FORM, '{}'))).to.equal('unreadable');
  });

  it('checks the time zone when it is entered', () => {
    const rule = plivo.credentials.find(({ name }) => name === 'time_zone');

    expect(rule?.check('America/New_York')).to.equal(null);
    for (const none of ['Mars/Olympus', '+05:30']) expect(rule?.check(none), none).to.be.a('string');
  });
});
