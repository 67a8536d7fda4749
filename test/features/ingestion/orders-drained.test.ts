import { expect } from 'chai';
import type { CarrierLine } from '../../../src/features/carriers/index.js';
import { queueAgain } from '../../../src/features/ingestion/inbox.repository.js';
import { insertWebhooks } from '../../../src/features/ingestion/inbox-inserts.js';
import { newWebhook } from '../../../src/features/ingestion/ingestion.service.js';
import { createRandom } from '../carriers/providers/mutations.js';
import { requestOfStep } from '../carriers/providers/samples.js';
import { openLines, openWorld, recordsOf } from './drained-lines.js';
import { drainAll } from './inbox-bench.js';
import {
  BASE,
  NUMBERS,
  SCENARIO_PROVIDERS,
  scenariosOf,
  shuffled,
  type TimedStep,
  timedSteps,
} from './scenario-runs.js';
import { SIGNERS } from './signing.js';

const ORDERS = 50;
const BATCHES = 4;

const stepsOf = (provider: string): TimedStep[] =>
  scenariosOf(provider)
    // Variants tell of the same call in other encodings: to the switch they are one delivery.
    .filter((scenario) => !scenario.name.startsWith('variant'))
    .flatMap(timedSteps);

const signers = new Map(Object.entries(SIGNERS).map(([provider, make]) => [provider, make()]));

function webhookOf(line: CarrierLine, step: TimedStep) {
  const signed = signers.get(line.provider)?.sign({ url: 'https://x.test/', ...step, at: step.sentAt }) ?? {};
  const request = requestOfStep(step, signed);
  const content = line.adapter.read(request);
  if (!content) throw new Error(`${step.file} is unreadable.`);
  return newWebhook(line, request, content, step.arrivesAt);
}

const parts = <T>(items: readonly T[], count: number): T[][] =>
  Array.from({ length: count }, (_, part) =>
    items.slice(Math.floor((part * items.length) / count), Math.floor(((part + 1) * items.length) / count)),
  );

describe('the sample calls of every provider, worked off batch by batch', function () {
  this.timeout(120_000);
  const world = openWorld(NUMBERS, BASE - 86_400_000);
  after(async () => (await world).close());

  for (const provider of SCENARIO_PROVIDERS) {
    it(`are the same records in ${ORDERS} orders, and after a replay: ${provider}`, async () => {
      const { db, inboxes } = await world;
      const steps = stepsOf(provider);
      const [inOrder, ...lines] = await openLines(await world, provider, ORDERS + 1);
      if (!inOrder) throw new Error('no line');
      await insertWebhooks(
        db,
        steps.map((step) => webhookOf(inOrder, step)),
      );
      await drainAll(inboxes);

      const orders = lines.map((line, seed) =>
        shuffled(steps, createRandom(seed)).map((step) => webhookOf(line, step)),
      );
      for (let batch = 0; batch < BATCHES; batch += 1) {
        await insertWebhooks(
          db,
          orders.flatMap((order) => parts(order, BATCHES)[batch] ?? []),
        );
        await drainAll(inboxes);
      }
      const again = lines.slice(0, 5).map(({ id }) => id);
      await queueAgain(db, await db('inbound_webhooks').whereIn('carrier_id', again).pluck('id'));
      await drainAll(inboxes);

      const expected = await recordsOf(await world, inOrder);
      const legs = new Set(scenariosOf(provider).flatMap((scenario) => scenario.expect.legs.map(({ id }) => id)));
      expect(new Set(expected.map(({ carrier_call_id }) => carrier_call_id))).to.deep.equal(legs);
      for (const [seed, line] of lines.entries()) {
        expect(await recordsOf(await world, line), `seed ${seed}`).to.deep.equal(expected);
      }
    });
  }
});
