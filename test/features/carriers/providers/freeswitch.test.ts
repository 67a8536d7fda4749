import { expect } from 'chai';
import type { Secrets, Signal, WebhookRequest } from '../../../../src/features/carriers/provider.js';
import { freeswitch } from '../../../../src/features/carriers/providers/freeswitch.js';
import { describeAdapter } from './contract-suite.js';
import { codeOf, FORM, JSON_TYPE, makeRequest, outcomeOf, readPayload, signalsOf } from './samples.js';
import { describeLegs } from './scenario-legs.js';

const SECRETS: Secrets = { username: ['fs'], password: ['secret:word'] };
const AUTHORIZATION = `Basic ${Buffer.from('fs:secret:word').toString('base64')}`;
const A_LEG = '83ebf68f-52c5-41af-a34d-7753f0a66726';
const A_RECORD = readPayload('freeswitch/inbound-answered.02-cdr-a.json').toString();
const B_RECORD = readPayload('freeswitch/inbound-answered.01-cdr-b.json').toString();
const BUSY_RECORD = readPayload('freeswitch/outbound-busy.01-cdr.json').toString();

const posted = (body: string | Buffer, headers: Record<string, string> = JSON_TYPE, query = `uuid=${A_LEG}`) =>
  makeRequest(`/freeswitch/cdr?${query}`, { ...headers, authorization: AUTHORIZATION }, body);

interface RecordChange {
  readonly variables?: Record<string, unknown>;
  readonly times?: Record<string, unknown>;
  readonly profile?: Record<string, unknown>;
  readonly members?: Record<string, unknown>;
}

function changed(record: string, { variables, times, profile, members }: RecordChange): WebhookRequest {
  const parsed = JSON.parse(record);
  Object.assign(parsed.variables, variables);
  Object.assign(parsed.callflow[0].times, times);
  Object.assign(parsed.callflow[0].caller_profile, profile);
  return posted(JSON.stringify({ ...parsed, ...members }));
}

/** `switch_url_encode` of FreeSWITCH: upper-case hex, and what is already `%XX` stays as it is. */
const outerEncoded = (text: string): string =>
  text.replace(
    /%(?![0-9A-F]{2})|[\r\n "#&+:;<=>?@[\\\]^`{|}]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );

const end = (request: WebhookRequest): Signal | undefined => signalsOf(freeswitch, request).at(-1);
const statesOf = (request: WebhookRequest) => signalsOf(freeswitch, request).map((signal) => signal.state);

describeLegs(freeswitch);
describeAdapter(freeswitch, [
  { name: 'a record in JSON', request: posted(A_RECORD), secrets: SECRETS, now: 0 },
  { name: 'a record of a B leg', request: posted(B_RECORD), secrets: SECRETS, now: 0 },
  {
    name: 'a record as a form',
    request: posted(readPayload('freeswitch/variant-form.01-cdr-a.form'), FORM),
    secrets: SECRETS,
    now: 0,
  },
]);

describe('the freeswitch sign-in', () => {
  it('asks for Basic and refuses when one byte is another', () => {
    const code = (authorization: string): string =>
      codeOf(freeswitch, makeRequest('/', { authorization }, A_RECORD), SECRETS);

    expect(freeswitch.challenge).to.equal('Basic realm="switchboard"');
    expect(code(AUTHORIZATION)).to.equal('ok');
    expect(code(`Basic ${Buffer.from('fs:secret:worD').toString('base64')}`)).to.equal('bad_credentials');
    expect(code(`Basic ${Buffer.from('fS:secret:word').toString('base64')}`)).to.equal('bad_credentials');
    expect(code('Digest username="fs"')).to.equal('malformed_credentials');
    expect(code('')).to.equal('missing_credentials');
  });
});

describe('the freeswitch body', () => {
  const BASE64 = { 'content-type': 'application/x-www-form-base64-encoded' };
  const PLAIN = { 'content-type': 'application/x-www-form-plaintext' };
  const variants: ReadonlyArray<readonly [string, WebhookRequest]> = [
    ['bare JSON under a form content type', posted(A_RECORD, FORM)],
    ['a percent-encoded form', posted(`cdr=${encodeURIComponent(A_RECORD)}`, FORM)],
    ['base64 whose + and / are not escaped', posted(`cdr=${Buffer.from(A_RECORD).toString('base64')}`, BASE64)],
    ['the plain text of mod_format_cdr', posted(`cdr=${A_RECORD}`, PLAIN)],
  ];
  for (const [name, request] of variants) {
    it(`is read from ${name}`, () => {
      expect(signalsOf(freeswitch, request)).to.deep.equal(signalsOf(freeswitch, posted(A_RECORD)));
    });
  }

  it('is read although encode and encode-values together break the JSON at a quoted caller name', () => {
    const request = posted(`cdr=${outerEncoded(A_RECORD)}`, FORM);

    expect(() => JSON.parse(decodeURIComponent(request.body.toString().slice(4)))).to.throw(SyntaxError);
    expect(signalsOf(freeswitch, request)).to.deep.equal(signalsOf(freeswitch, posted(A_RECORD)));
  });

  it('is unreadable when it is neither JSON nor a record in a form', () => {
    for (const body of ['', '<cdr/>', 'cdr=<cdr/>', 'cdr=', 'cdr=%7B', 'record={}', '{']) {
      expect(outcomeOf(freeswitch, posted(body, FORM)), body).to.equal('unreadable');
    }
  });

  it('has as delivery key the core and the leg, also where mod_format_cdr marks an A leg', () => {
    const bare = JSON.parse(A_RECORD);
    delete bare.variables.uuid;
    delete bare.callflow[0].caller_profile.uuid;
    const request = posted(JSON.stringify(bare), JSON_TYPE, `uuid=a_${A_LEG}`);
    const keys = [posted(A_RECORD), request].map((one) =>
      freeswitch.deliveryKey(one, freeswitch.read(one) ?? { kind: 'json', json: null }),
    );

    expect(keys).to.deep.equal(Array(2).fill(`32754832-01fd-4194-acb9-eb3961814be1:${A_LEG}`));
    expect(end(request)?.callId).to.equal(A_LEG);
  });
});

describe('the freeswitch record', () => {
  it('tells each state with its own time, cut to milliseconds', () => {
    const times = signalsOf(freeswitch, posted(A_RECORD)).map((signal) => [signal.state, signal.occurredAt]);

    expect(times).to.deep.equal([
      ['initiated', 1772464325000],
      ['ringing', 1772464325300],
      ['answered', 1772464331400],
      ['ended', 1772464366250],
    ]);
  });

  it('rings with the first of 180 and 183, and leaves out what never was', () => {
    const media = changed(A_RECORD, { times: { progress_media_time: '1772464325200123' } });

    expect(signalsOf(freeswitch, media)[1]).to.include({ state: 'ringing', occurredAt: 1772464325200 });
    expect(statesOf(posted(BUSY_RECORD))).to.deep.equal(['initiated', 'ended']);
  });

  it('reads the variables where the profile has no times', () => {
    const { callflow, ...rest } = JSON.parse(A_RECORD);
    const record = { ...rest, callflow: callflow.map((flow: object) => ({ ...flow, times: undefined })) };

    expect(signalsOf(freeswitch, posted(JSON.stringify(record)))).to.deep.equal(
      signalsOf(freeswitch, posted(A_RECORD)),
    );
  });

  it('has after a transfer the number that was dialled first', () => {
    const { callflow } = JSON.parse(A_RECORD);
    const transferred = structuredClone(callflow[0]);
    transferred.caller_profile.destination_number = '2000';
    const request = changed(A_RECORD, { members: { callflow: [transferred, ...callflow] } });

    expect(end(request)?.to).to.equal('+12025550108');
  });

  it('knows the parent by the originator, its variables or not at all', () => {
    const byVariable = changed(B_RECORD, { profile: { originator: undefined } });

    expect(end(posted(B_RECORD))?.parentCallId).to.equal(A_LEG);
    expect(end(byVariable)?.parentCallId).to.equal(A_LEG);
    expect(end(posted(A_RECORD))).to.not.have.property('parentCallId');
  });

  const ends: ReadonlyArray<readonly [string, string, string]> = [
    ['USER_BUSY', 'busy', 'user_busy'],
    ['NO_ANSWER', 'no_answer', 'no_answer'],
    ['SUBSCRIBER_ABSENT', 'no_answer', 'no_answer'],
    ['PROGRESS_TIMEOUT', 'no_answer', 'ring_timeout'],
    ['ORIGINATOR_CANCEL', 'canceled', 'originator_cancel'],
    ['LOSE_RACE', 'canceled', 'answered_elsewhere'],
    ['CALL_REJECTED', 'rejected', 'call_rejected'],
    ['UNALLOCATED_NUMBER', 'failed', 'unallocated_number'],
    ['NORMAL_CLEARING', 'failed', 'normal_clearing'],
    ['SOMETHING_NEW', 'failed', 'SOMETHING_NEW'],
  ];
  for (const [name, disposition, hangupCause] of ends) {
    it(`reads ${name} of an unanswered leg as ${disposition}`, () => {
      const signal = end(changed(BUSY_RECORD, { variables: { hangup_cause: name } }));

      expect(signal).to.include({ disposition, hangupCause, providerCause: name });
    });
  }

  it('is completed when it was answered, whatever the cause', () => {
    const signal = end(changed(A_RECORD, { variables: { hangup_cause: 'MEDIA_TIMEOUT' } }));

    expect(signal).to.include({ disposition: 'completed', hangupCause: 'media_timeout' });
  });

  it('tells who hung up, on both legs of one call the same', () => {
    const source = (record: string, variables: Record<string, unknown>) =>
      end(changed(record, { variables }))?.hangupSource;

    expect([end(posted(A_RECORD))?.hangupSource, end(posted(B_RECORD))?.hangupSource]).to.deep.equal([
      'caller',
      'caller',
    ]);
    expect(source(A_RECORD, { sip_hangup_disposition: 'send_bye' })).to.equal('callee');
    expect(source(A_RECORD, { sip_hangup_disposition: 'send_bye', last_bridge_to: undefined })).to.equal('system');
    expect(end(posted(BUSY_RECORD))?.hangupSource).to.equal('callee');
    expect(source(BUSY_RECORD, { sip_hangup_disposition: 'send_cancel' })).to.equal('system');
    expect(source(BUSY_RECORD, { hangup_cause: 'ORIGINATOR_CANCEL', sip_hangup_disposition: 'send_cancel' })).to.equal(
      'caller',
    );
    expect(source(BUSY_RECORD, { sip_hangup_disposition: undefined })).to.equal(undefined);
  });

  it('says why a record is of no use', () => {
    const nameless = { variables: { uuid: undefined }, profile: { uuid: undefined } };
    const withoutQuery = { ...changed(A_RECORD, nameless), path: '/freeswitch/cdr' };

    expect(outcomeOf(freeswitch, posted('{}'))).to.equal('ignored unknown_event');
    expect(outcomeOf(freeswitch, withoutQuery)).to.equal('failed missing_call_id');
    expect(outcomeOf(freeswitch, changed(A_RECORD, { times: { hangup_time: 'never' } }))).to.equal(
      'failed impossible_time',
    );
  });
});
