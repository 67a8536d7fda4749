/** What comes of webhooks of one call that nobody here takes part in, whatever the order. */
import { expect } from 'chai';
import { deliver, drainAll, makeAccount, makeGenericCarrier, makeNumber, openInboxes } from './inbox-bench.js';

const BASE = Date.UTC(2026, 5, 1, 11, 59);
const NUMBER = '+12025550100';

describe('a webhook that is set aside', () => {
  const world = (async () => {
    const opened = await openInboxes(1);
    const { first } = opened;
    const accountId = await makeAccount(first.db);
    return { ...opened, accountId, carrier: { id: await makeGenericCarrier(first, accountId), accountId } };
  })();
  after(async () => (await world).close());

  async function receive(id: string, body: Readonly<Record<string, unknown>>): Promise<void> {
    const { first, carrier } = await world;
    await deliver(first, carrier, [{ id, receivedAt: BASE, body }]);
    await drainAll([first]);
  }

  async function stateOf(key: string) {
    const { db } = (await world).first;
    return db('seen_webhooks').where({ delivery_key: key }).first('status', 'code', 'processed_at', 'call_log_id');
  }

  const end = (call: string) => ({ type: 'call.ended', call_id: call, occurred_at: new Date(BASE).toISOString() });
  const ringing = (call: string, to: string) => ({
    ...{ type: 'call.ringing', call_id: call, direction: 'incoming', from: '+12025550143', to },
    occurred_at: new Date(BASE - 1000).toISOString(),
  });
  const NOBODYS = { status: 'ignored', code: 'unknown_number' };

  it('is of a number that nobody holds as soon as one of its call says which, before it or after', async () => {
    await receive('a-end', end('a'));
    expect(await stateOf('a-end')).to.include({ status: 'waiting', code: 'unknown_call' });
    await receive('a-ringing', ringing('a', '+12025550199'));
    await receive('b-ringing', ringing('b', '+12025550199'));
    await receive('b-end', end('b'));

    for (const key of ['a-end', 'a-ringing', 'b-ringing', 'b-end']) expect(await stateOf(key), key).to.include(NOBODYS);
  });

  it('goes on waiting, no longer than before, when what comes says no more', async () => {
    await receive('c-end', end('c'));
    const before = await stateOf('c-end');
    await receive('c-more', { ...end('c'), type: 'call.updated' });

    expect(await stateOf('c-end')).to.deep.equal(before);
  });

  it('finds its call when the number is claimed', async () => {
    const { first, accountId } = await world;
    await receive('d-end', end('d'));
    await receive('d-ringing', ringing('d', NUMBER));
    expect(await stateOf('d-end')).to.include(NOBODYS);
    await makeNumber(first.db, accountId, NUMBER, 0);
    await first.ingestion.tellClaimed([NUMBER]);
    await drainAll([first]);

    const { id, status } = await first.db('call_logs').where({ carrier_call_id: 'd' }).first('id', 'status');
    expect(status).to.equal('ended');
    for (const key of ['d-end', 'd-ringing']) {
      expect(await stateOf(key)).to.include({ status: 'processed', code: null, call_log_id: id });
    }
  });
});
