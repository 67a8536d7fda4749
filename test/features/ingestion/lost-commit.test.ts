import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { createTestDatabase } from '../../support/database.js';
import { until } from '../../support/until.js';
import { type Inbox, makeAccount, makeGenericCarrier, makeNumber, openInbox } from './inbox-bench.js';

const BASE = Date.UTC(2026, 4, 1, 12);
const NUMBER = '+12025550100';

/** A way to the database that can be cut behind a commit, which then takes effect while nobody hears of it. */
async function openWay(url: string) {
  const { hostname, port } = new URL(url);
  let isArmed = false;
  const way = net.createServer((client) => {
    const server = net.connect(Number(port), hostname);
    let isCut = false;
    client.on('data', (chunk) => {
      server.write(chunk);
      if (!isArmed || !/\bcommit\b/i.test(chunk.toString('latin1'))) return;
      isArmed = false;
      isCut = true;
    });
    server.on('data', (chunk) => {
      if (!isCut) return client.write(chunk);
      // What PostgreSQL says of a commit.
      if (chunk.includes('COMMIT')) client.destroy();
    });
    for (const [end, other] of [
      [client, server],
      [server, client],
    ] as const) {
      end.on('error', () => undefined).on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve));
  const through = new URL(url);
  through.host = `127.0.0.1:${(way.address() as net.AddressInfo).port}`;
  return {
    url: through.href,
    cutBehindCommit: () => {
      isArmed = true;
    },
    isCut: () => !isArmed,
    close: () => way.close(),
  };
}

describe('webhooks that are stored while the connection to the database is lost', function () {
  this.timeout(20_000);
  let inbox: Inbox;
  let way: Awaited<ReturnType<typeof openWay>>;
  let carrierId: string;
  let close: () => Promise<void>;

  before(async () => {
    const database = await createTestDatabase();
    way = await openWay(database.url);
    inbox = await openInbox(way.url);
    const accountId = await makeAccount(inbox.db);
    await makeNumber(inbox.db, accountId, NUMBER, BASE - 86_400_000);
    carrierId = await makeGenericCarrier(inbox, accountId);
    inbox.ingestion.watch();
    close = async () => {
      await inbox.close();
      way.close();
      await database.drop();
    };
  });
  after(() => close());

  const ended = (id: string) => ({
    ...{ name: id, path: '?from=file', receivedAt: BASE },
    headers: { 'content-type': 'application/json', 'webhook-id': id },
    body: Buffer.from(
      JSON.stringify({ type: 'call.ended', call_id: id, direction: 'incoming', from: '+12025550143', to: NUMBER }),
    ),
  });

  it('count as what they are, new ones, when they were worked off and nobody heard of it', async () => {
    let name = '';
    let stored = 0;
    way.cutBehindCommit();
    // What is stored in a statement of its own, for the process was slow a moment before, has no commit to cut.
    for (let time = 0; !way.isCut() && time < 50; time += 1) {
      name = `lost-${time}`;
      ({ stored } = await inbox.ingestion.importWebhooks(carrierId, [ended(name)]));
      await pause(100);
    }

    expect({ isCut: way.isCut(), stored }).to.deep.equal({ isCut: true, stored: 1 });
    const find = () => inbox.db('seen_webhooks').where({ delivery_key: name }).select('status', 'deliveries');
    // On a slow machine it may have been stored first after all: then the commit that was cut is the drain's, and takes
    // effect a moment later.
    await until('it is worked off', async () => (await find())[0]?.status !== 'pending');
    expect(await find()).to.deep.equal([{ status: 'processed', deliveries: 1 }]);
  });
});
