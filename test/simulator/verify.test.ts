import { expect } from 'chai';
import type { Json } from '../../src/simulator/api.js';
import type { Evidence } from '../../src/simulator/evidence.js';
import type { WebhookRecord } from '../../src/simulator/journal.js';
import type { Claim } from '../../src/simulator/senders/sender.js';
import { findDifferences } from '../../src/simulator/verify.js';

const CARRIER = '0190a000-0000-7000-8000-000000000001';
const NUMBER = '+9991234567001';
const NOON = Date.UTC(2026, 9, 26, 12);
const iso = (seconds: number): string => new Date(NOON + seconds * 1000).toISOString();

const facts = {
  ...{ run: '0badcafe', url: 'http://127.0.0.1:3000', seed: 'one', calls: 1, afterSeq: 0 },
  ...{ carriers: { twilio: CARRIER }, numbers: [NUMBER] },
};

const leg: Claim = { leg: 'CA1', direction: 'outgoing', from: NUMBER, to: '+12025550143' };
const CLAIMS: readonly Claim[] = [
  { ...leg, state: 'ringing', at: NOON },
  { ...leg, state: 'ended', at: NOON + 20_000, disposition: 'busy', cause: 'user_busy', providerCause: '486' },
];

const recordOf = (claim: Claim, place: number, changes: Partial<WebhookRecord> = {}): WebhookRecord => ({
  ...{ call: 0, place, provider: 'twilio', event: 'status', claims: [claim], refused: null },
  ...{ sentAt: NOON + 60_000, answeredAt: NOON + 60_100, ...changes },
});

const recordsOf = (list: readonly WebhookRecord[]) => new Map(list.map((record) => [`0.${record.place}`, record]));
const RECORDS = CLAIMS.map((claim, place) => recordOf(claim, place));

const LOG: Json = {
  ...{
    id: 'log-1',
    virtual_number: NUMBER,
    direction: 'outgoing',
    caller_number: NUMBER,
    called_number: '+12025550143',
  },
  ...{ status: 'ended', disposition: 'busy', timestamp: iso(0), started_at: iso(0), ringing_at: iso(0) },
  ...{ answered_at: null, ended_at: iso(20), duration: 0, ring_duration: 20, hangup_cause: 'user_busy' },
  ...{ hangup_source: null, provider_cause: '486', provider: 'twilio', carrier_id: CARRIER, carrier_call_id: 'CA1' },
  ...{ parent_call_log_id: null, price: null, currency: null, tags: [], note: null, updated_at: iso(61) },
};

const eventsOf = (log: Json): Json[] =>
  ['call.ringing', 'call.ended'].map((type, i) => ({ seq: i + 1, type, call: { ...log, updated_at: iso(60) } }));

function evidenceOf(changes: { logs?: Json[]; events?: Json[]; webhooks?: Json[] } = {}): Evidence {
  const {
    logs = [LOG],
    events = eventsOf(logs[0] ?? LOG),
    webhooks = [{ status: 'processed' }, { status: 'processed' }],
  } = changes;
  return { logs, webhooks, events: new Map([['log-1', events]]), timelines: new Map([['log-1', events]]) };
}

const judge = (evidence: Evidence, records: readonly WebhookRecord[] = RECORDS) =>
  findDifferences({ facts, records: recordsOf(records) }, evidence, { tolerance: 0, now: NOON + 100_000 });

describe('verification of a simulated run', () => {
  it('finds nothing wrong where all is right', () => {
    expect(judge(evidenceOf())).to.deep.equal({ calls: 1, right: 1, legs: 1, differences: [] });
  });

  const WRONG: Readonly<Record<string, unknown>> = {
    status: 'ringing',
    disposition: 'no_answer',
    direction: 'incoming',
    caller_number: '+12025550100',
    called_number: null,
    virtual_number: null,
    started_at: iso(1),
    ringing_at: null,
    answered_at: iso(3),
    ended_at: iso(21),
    duration: 1,
    ring_duration: 19,
    hangup_cause: 'no_answer',
    hangup_source: 'caller',
    provider_cause: null,
    provider: 'signalwire',
    parent_call_log_id: 'log-2',
    price: '0.1',
  };

  for (const [name, value] of Object.entries(WRONG)) {
    it(`finds a wrong ${name}`, () => {
      const findings = judge(evidenceOf({ logs: [{ ...LOG, [name]: value }] }));

      expect(findings.right).to.equal(0);
      expect(findings.differences.length).to.be.at.least(1);
    });
  }

  it('finds a call log that is missing, doubled or of no call', () => {
    expect(judge(evidenceOf({ logs: [] })).differences).to.deep.equal(['call 0: twilio CA1: there is no call log']);
    const doubled = judge(evidenceOf({ logs: [LOG, { ...LOG, id: 'log-2' }] }));
    expect(doubled.differences).to.deep.equal(['call 0: twilio CA1: there are 2 call logs']);
    const extra = judge(evidenceOf({ logs: [LOG, { ...LOG, id: 'log-2', carrier_call_id: 'CA2' }] }));
    expect(extra).to.include({ right: 1 });
    expect(extra.differences).to.have.lengthOf(1);
  });

  it('finds an event that is missing, told twice, or not the call log as it is', () => {
    const [ringing = {}, ended = {}] = eventsOf(LOG);

    expect(judge(evidenceOf({ events: [ended] })).right).to.equal(0);
    expect(judge(evidenceOf({ events: [ringing, ended, { ...ended, seq: 3 }] })).right).to.equal(0);
    expect(judge(evidenceOf({ events: [ringing, { ...ended, call: { ...LOG, duration: 4 } }] })).right).to.equal(0);
  });

  it('finds a webhook that is stored twice, not at all, or failed', () => {
    const processed = { status: 'processed' };

    expect(judge(evidenceOf({ webhooks: [processed] })).differences).to.have.lengthOf(1);
    expect(judge(evidenceOf({ webhooks: [processed, processed, processed] })).differences).to.have.lengthOf(1);
    expect(judge(evidenceOf({ webhooks: [processed, { status: 'failed' }] })).differences).to.have.lengthOf(1);
  });

  it('takes a webhook that was never answered for stored or not, whichever fits', () => {
    const open = CLAIMS.map((claim, place) => recordOf(claim, place, place === 1 ? { answeredAt: null } : {}));
    const ringing: Json = {
      ...LOG,
      ...{ status: 'ringing', disposition: null, ended_at: null, ring_duration: null, hangup_cause: null },
      provider_cause: null,
    };
    const stillRinging = evidenceOf({ logs: [ringing], events: eventsOf(ringing).slice(0, 1), webhooks: [{}] });

    expect(judge(evidenceOf(), open).right).to.equal(1);
    expect(judge(stillRinging, open).differences).to.deep.equal([]);
    expect(judge(stillRinging).right).to.equal(0);
  });

  it('takes a call without an end that was closed as lost for right', () => {
    const lost = {
      ...LOG,
      ...{ disposition: 'lost', ended_at: iso(0), ring_duration: 0, hangup_cause: null, provider_cause: null },
    };
    const events = eventsOf(lost).slice(0, 1);
    const updated = { ...events[0], seq: 2, type: 'call.updated' };

    const findings = judge(
      evidenceOf({ logs: [lost], events: [...events, updated], webhooks: [{}] }),
      RECORDS.slice(0, 1),
    );

    expect(findings.differences).to.deep.equal([]);
  });
});
