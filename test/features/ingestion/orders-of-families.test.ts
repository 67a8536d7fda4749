/** Legs that tell of their family or their parties now so, now otherwise: the same records whatever the order. */
import { expect } from 'chai';
import type { CarrierLine } from '../../../src/features/carriers/index.js';
import { queueAgain } from '../../../src/features/ingestion/inbox.repository.js';
import { insertWebhooks } from '../../../src/features/ingestion/inbox-inserts.js';
import { newWebhook } from '../../../src/features/ingestion/ingestion.service.js';
import { openLines, openWorld, recordsOf } from './drained-lines.js';
import { drainAll } from './inbox-bench.js';

const BASE = Date.UTC(2026, 2, 2, 15);
const at = (seconds: number): string => new Date(BASE + seconds * 1000).toISOString();
const [OWN, OTHER_OWN, FAR] = ['+12025550100', '+12025550101', '+12025550143'];

interface Told {
  readonly second: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const vonage = (second: number, body: object): Told => ({ second, body: { timestamp: at(second), ...body } });
const generic = (second: number, body: object): Told => ({ second, body: { occurred_at: at(second), ...body } });
const sinch = (second: number, event: string, body: object = {}): Told => ({
  second,
  body: { event, callid: 'S', timestamp: at(second), ...body },
});

function webhookOf(line: CarrierLine, { second, body }: Told) {
  const path = `/webhooks/${line.id}/`;
  const headers = { 'content-type': 'application/json', 'webhook-id': `second-${second}` };
  const request = { method: 'POST', url: path, path, headers, body: Buffer.from(JSON.stringify(body)) };
  const content = line.adapter.read(request);
  if (!content) throw new Error('unreadable');
  return newWebhook(line, request, content, BASE + second * 1000 + 100);
}

const ordersOf = <T>(items: readonly T[]): T[][] =>
  items.length < 2
    ? [[...items]]
    : items.flatMap((item, place) => ordersOf(items.toSpliced(place, 1)).map((rest) => [item, ...rest]));

describe('what is told of a call’s family and parties', function () {
  this.timeout(60_000);
  const world = openWorld([OWN, OTHER_OWN], BASE - 86_400_000);
  after(async () => (await world).close());

  /** The records of one batch, then those of each order, one webhook at a time; the last order's after a replay. */
  async function outcomesOf(provider: string, told: readonly Told[]): Promise<Record<string, unknown>[][]> {
    const opened = await world;
    const { db, inboxes } = opened;
    const orders = ordersOf(told);
    const [whole, ...lines] = await openLines(opened, provider, orders.length + 1);
    const put = async (line: CarrierLine | undefined, part: readonly Told[]) =>
      line &&
      insertWebhooks(
        db,
        part.map((one) => webhookOf(line, one)),
      );
    await put(whole, told);
    for (const place of told.keys()) {
      for (const [index, order] of orders.entries()) await put(lines[index], order.slice(place, place + 1));
      await drainAll(inboxes);
    }
    const ids = await db('inbound_webhooks')
      .where({ carrier_id: lines.at(-1)?.id ?? '' })
      .pluck('id');
    await queueAgain(db, ids);
    await drainAll(inboxes);
    return Promise.all([whole, ...lines].map((line) => recordsOf(opened, line as CarrierLine)));
  }

  async function recordsInEveryOrder(provider: string, ...told: Told[]): Promise<Record<string, unknown>[]> {
    const [expected, ...others] = await outcomesOf(provider, told);
    for (const records of others) expect(records).to.deep.equal(expected);
    return expected ?? [];
  }

  it('keeps a leg that is transferred in the conversation that it was made in', async () => {
    const x = { uuid: 'X', direction: 'inbound', from: FAR, to: OWN };
    const y = { uuid: 'Y', direction: 'outbound', from: OWN, to: '+12025550155' };

    const [caller, callee, other] = await recordsInEveryOrder(
      'vonage',
      vonage(0, { ...x, status: 'started', conversation_uuid: 'CON-1' }),
      vonage(2, { ...y, status: 'started', conversation_uuid: 'CON-1' }),
      vonage(12, { ...y, uuid: 'Z', status: 'started', conversation_uuid: 'CON-2' }),
      vonage(20, { ...x, status: 'completed', conversation_uuid: 'CON-2', duration: '19' }),
    );

    expect(caller).to.include({ carrier_call_id: 'X', session_id: 'CON-1', parent: null });
    expect(callee).to.include({ carrier_call_id: 'Y', session_id: 'CON-1', parent: 'X' });
    expect(other).to.include({ carrier_call_id: 'Z', session_id: 'CON-2', parent: null });
  });

  it('knows no parent once the leg names another one that nobody reported', async () => {
    const incoming = { direction: 'incoming', from: FAR, to: OWN };

    const [, child] = await recordsInEveryOrder(
      'generic',
      generic(0, { ...incoming, type: 'call.ringing', call_id: 'A' }),
      generic(1, { ...incoming, type: 'call.initiated', call_id: 'C', parent_call_id: 'A' }),
      generic(5, { ...incoming, type: 'call.answered', call_id: 'C', parent_call_id: 'B' }),
      generic(9, { ...incoming, type: 'call.ended', call_id: 'C' }),
    );

    expect(child).to.include({ carrier_call_id: 'C', parent_carrier_call_id: 'B', parent: null });
  });

  it('derives a direction that is never told from the parties that count', async () => {
    const [call] = await recordsInEveryOrder(
      'generic',
      generic(0, { type: 'call.answered', call_id: 'K', from: FAR, to: OWN }),
      generic(9, { type: 'call.ended', call_id: 'K', from: OWN, to: FAR }),
    );

    expect(call).to.include({ direction: 'outgoing', caller_number: OWN, called_number: FAR, country: 'US' });
  });

  const dice = sinch(9, 'dice', { from: OWN, to: { endpoint: OTHER_OWN }, result: 'ANSWERED', duration: 8 });

  it('presumes that a call between two numbers held here is outgoing where only outgoing ones tell no direction', async () => {
    const [call] = await recordsInEveryOrder('sinch', sinch(1, 'ace'), dice);

    expect(call).to.include({ direction: 'outgoing', virtual_number: OWN, disposition: 'completed', duration: 8 });
  });

  it('presumes nothing against a told direction, whenever it comes', async () => {
    const ice = sinch(0, 'ice', { cli: OWN, to: { endpoint: OTHER_OWN } });

    const outcomes = await outcomesOf('sinch', [ice, sinch(1, 'ace'), dice]);

    for (const [call] of outcomes) expect(call).to.include({ direction: 'incoming', caller_number: OWN });
    expect(outcomes[0]?.[0]).to.include({ virtual_number: OTHER_OWN });
  });

  it('is what a rebuild makes of the same webhooks', async () => {
    const { first } = await world;

    const { looked, changed } = await first.ingestion.rebuildCalls({ dryRun: false }, () => {});

    expect({ looked: looked > 0, changed }).to.deep.equal({ looked: true, changed: 0 });
  });
});
