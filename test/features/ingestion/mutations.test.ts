import { expect } from 'chai';
import { type CallFacts, foldReports, type Report } from '../../../src/features/calls/call-facts.js';
import { understandWebhook } from '../../../src/features/ingestion/understand.js';
import { startSystem, type TestSystem } from '../../support/system.js';
import { createRandom, mutate } from '../carriers/providers/mutations.js';
import { makeRequest, type Step } from '../carriers/providers/samples.js';
import { type Delivery, deliver, drained, handClock, type Line, openLine } from './lines.js';
import { makePlayer, type Player, SCENARIO_PROVIDERS, scenariosOf } from './scenario-runs.js';

const MUTATIONS = 1000;
const AT_ONCE = 16;

const GENERIC = ['call.initiated', 'call.ringing', 'call.answered', 'call.ended'].map((type, place) => ({
  contentType: 'application/json',
  path: '',
  body: Buffer.from(
    JSON.stringify({
      ...{ type, call_id: 'c-1', direction: 'incoming', from: '+12025550143', to: '+12025550100' },
      ...{ occurred_at: `2026-03-02T15:0${place}:00Z`, duration: 42, disposition: 'completed', data: { a: [1] } },
    }),
  ),
}));

type Sample = Pick<Step, 'contentType' | 'path' | 'body'> & { readonly query?: string };

const samplesOf = (provider: string): readonly Sample[] =>
  provider === 'generic' ? GENERIC : scenariosOf(provider).flatMap((scenario) => scenario.steps);

function mutated(provider: string): Delivery[] {
  const random = createRandom(provider.length * 7919);
  const samples = samplesOf(provider);
  return Array.from({ length: MUTATIONS }, (_, place) => {
    const sample = samples[place % samples.length] as Sample;
    const request = makeRequest(sample.path, { 'content-type': sample.contentType }, sample.body);
    const path = sample.query ? `${sample.path}?${sample.query}` : sample.path;
    return { path, contentType: sample.contentType, body: mutate(request, random).body };
  });
}

/** Every call log that is there, against what all kept webhooks of the line say of it together. */
async function expectWholeCalls({ system }: Player, line: Line): Promise<number> {
  const kept = await system.db('seen_webhooks').where({ carrier_id: line.id });
  const carrierLine = await system.system.features.carriers.lookUpKept(line.id);
  const told = new Map<string, Report[]>();
  for (const webhook of kept) {
    const words = carrierLine && understandWebhook(webhook, carrierLine);
    if (words?.kind !== 'reports') continue;
    for (const { callId, report } of words.signals) told.set(callId, [...(told.get(callId) ?? []), report]);
  }
  const calls = await system.db('call_logs').where({ carrier_id: line.id });
  for (const call of calls) {
    const facts: CallFacts = foldReports(told.get(call.carrier_call_id) ?? []);
    expect(JSON.parse(JSON.stringify(call.facts))).to.deep.equal(JSON.parse(JSON.stringify(facts)));
    const types = call.timeline.map((entry: { type: string }) => entry.type);
    const states = types.filter((type: string) => type !== 'call.updated');
    expect(states.sort()).to.deep.equal(
      Object.keys(facts.states)
        .map((state) => `call.${state}`)
        .sort(),
    );
  }
  return calls.length;
}

describe('webhooks spoiled by chance', function () {
  this.timeout(120_000);
  const clock = handClock(Date.now());
  let system: TestSystem;
  let player: Player;
  before(async () => {
    system = await startSystem({ clock });
    player = await makePlayer(system, clock);
  });
  after(() => system.stop());

  for (const provider of [...SCENARIO_PROVIDERS, 'generic']) {
    it(`are taken or refused, and never half applied: ${MUTATIONS} of ${provider}`, async () => {
      const line = await openLine(system, player.admin, provider);
      const statuses = new Map<number, number>();
      const left = mutated(provider);
      const lane = async (): Promise<void> => {
        for (let delivery = left.pop(); delivery; delivery = left.pop()) {
          const status = await deliver(system, line, delivery);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      };

      await Promise.all(Array.from({ length: AT_ONCE }, lane));
      await drained(system);

      expect([...statuses.keys()].filter((status) => ![200, 204, 400, 401].includes(status))).to.deep.equal([]);
      const taken = (statuses.get(200) ?? 0) + (statuses.get(204) ?? 0);
      expect(taken).to.be.greaterThan(MUTATIONS / 4);
      const faults = await system
        .db('seen_webhooks')
        .where({ carrier_id: line.id })
        .whereIn('code', ['processing_failed', 'not_understood']);
      expect(faults).to.deep.equal([]);
      expect(await expectWholeCalls(player, line)).to.be.greaterThan(0);
    });
  }
});
