import { expect } from 'chai';
import type { CarrierLine } from '../../../src/features/carriers/index.js';
import { queueAgain } from '../../../src/features/ingestion/inbox.repository.js';
import { insertWebhooks } from '../../../src/features/ingestion/inbox-inserts.js';
import { newWebhook } from '../../../src/features/ingestion/ingestion.service.js';
import { newId } from '../../../src/lib/ids.js';
import { createRandom } from '../carriers/providers/mutations.js';
import { requestOfStep } from '../carriers/providers/samples.js';
import { drainAll, makeAccount, makeNumber, openInboxes } from './inbox-bench.js';
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
  const world = (async () => {
    const opened = await openInboxes(2);
    const { db } = opened.first;
    const accountId = await makeAccount(db);
    for (const number of NUMBERS) await makeNumber(db, accountId, number, BASE - 86_400_000);
    return { ...opened, db, accountId };
  })();
  after(async () => (await world).close());

  async function openLines(provider: string, count: number): Promise<CarrierLine[]> {
    const { db, first, accountId } = await world;
    const ids = Array.from({ length: count }, () => newId());
    const at = new Date(0);
    await db('carriers').insert(
      ids.map((id) => ({
        ...{ id, account_id: accountId, provider, name: id, credential_names: [], created_at: at, updated_at: at },
        credentials: first.platform.secrets.seal('{}', `carriers.credentials:${id}`),
      })),
    );
    return Promise.all(ids.map(async (id) => (await first.carriers.lookUp(id)) as CarrierLine));
  }

  /** The call logs of a line: all but ids and when they were written. */
  async function recordsOf(line: CarrierLine): Promise<Record<string, unknown>[]> {
    const { db } = await world;
    const rows = await db('call_logs').where({ carrier_id: line.id }).orderBy('carrier_call_id');
    const nameOf = new Map(rows.map((row) => [row.id, row.carrier_call_id]));
    return rows.map(({ id, carrier_id, parent_call_log_id, facts, timeline, updated_at, last_news_at, ...rest }) => ({
      ...rest,
      parent: nameOf.get(parent_call_log_id) ?? null,
      told: (timeline as { type: string }[])
        .map(({ type }) => type)
        .filter((type) => type !== 'call.updated')
        .sort(),
    }));
  }

  for (const provider of SCENARIO_PROVIDERS) {
    it(`are the same records in ${ORDERS} orders, and after a replay: ${provider}`, async () => {
      const { db, inboxes } = await world;
      const steps = stepsOf(provider);
      const [inOrder, ...lines] = await openLines(provider, ORDERS + 1);
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

      const expected = await recordsOf(inOrder);
      const legs = new Set(scenariosOf(provider).flatMap((scenario) => scenario.expect.legs.map(({ id }) => id)));
      expect(new Set(expected.map(({ carrier_call_id }) => carrier_call_id))).to.deep.equal(legs);
      for (const [seed, line] of lines.entries()) {
        expect(await recordsOf(line), `seed ${seed}`).to.deep.equal(expected);
      }
    });
  }
});
