import { expect } from 'chai';
import { foldReports, type Report } from '../../../src/features/calls/call-facts.js';
import { viewCall } from '../../../src/features/calls/call-view.js';
import { type CarrierLine, findAdapter, type ProviderName } from '../../../src/features/carriers/index.js';
import { deliveryKeyOf } from '../../../src/features/ingestion/inbound-webhook.js';
import { understandWebhook } from '../../../src/features/ingestion/understand.js';
import { createRandom } from '../carriers/providers/mutations.js';
import { requestOfStep } from '../carriers/providers/samples.js';
import { SCENARIO_PROVIDERS, scenariosOf, shuffled, type TimedStep, timedSteps } from './scenario-runs.js';
import { SIGNERS } from './signing.js';

const ORDERS = 50;

function lineOf(provider: string): CarrierLine {
  const adapter = findAdapter(provider);
  if (!adapter) throw new Error(`No adapter for ${provider}.`);
  return {
    ...{ id: 'line', accountId: 'account', provider: provider as ProviderName, adapter, secrets: {}, plain: {} },
    ...{ isActive: true, isDeleted: false, voiceUrl: null, country: null },
  };
}

/** What a step says of each leg, as the worker reads it from the inbox. */
function reportsOf(line: CarrierLine, step: TimedStep, place: number): ReadonlyArray<readonly [string, Report]> {
  const signature = SIGNERS[line.provider]?.().sign({ url: 'https://x.test/', ...step, at: step.sentAt }) ?? {};
  const request = requestOfStep(step, signature);
  const content = line.adapter.read(request);
  const own = content && line.adapter.deliveryKey(request, content);
  const webhook = {
    ...request,
    id: `webhook-${String(place).padStart(2, '0')}`,
    delivery_key: deliveryKeyOf(request, own),
    received_at: new Date(step.arrivesAt),
  };
  const words = understandWebhook(webhook, line);
  return words.kind === 'reports' ? words.signals.map(({ callId, report }) => [callId, report] as const) : [];
}

function callsOf(told: ReadonlyArray<readonly [string, Report]>) {
  const legs = [...new Set(told.map(([leg]) => leg))].sort();
  return legs.map((leg) => {
    const facts = foldReports(told.filter(([of]) => of === leg).map(([, report]) => report));
    return { leg, facts, view: viewCall(facts) };
  });
}

describe('what a scenario’s webhooks say together', () => {
  for (const provider of SCENARIO_PROVIDERS) {
    it(`does not depend on their order or on repeats, in ${ORDERS} orders each: ${provider}`, () => {
      const line = lineOf(provider);
      for (const scenario of scenariosOf(provider)) {
        const told = timedSteps(scenario).map((step, place) => reportsOf(line, step, place));
        const expected = callsOf(told.flat());
        expect(expected.map(({ leg }) => leg)).to.include.members(scenario.expect.legs.map(({ id }) => id));

        for (let seed = 0; seed < ORDERS; seed += 1) {
          const random = createRandom(seed);
          const order = shuffled([...told, ...told.slice(0, random(told.length + 1))], random);

          expect(callsOf(order.flat()), `${scenario.name}, seed ${seed}`).to.deep.equal(expected);
        }
      }
    });
  }
});
