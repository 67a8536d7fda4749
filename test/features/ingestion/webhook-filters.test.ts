/** Where a webhook’s state is kept, and how many others there are, is not seen from what a search finds and costs. */
import { expect } from 'chai';
import pg from 'pg';
import { pino } from 'pino';
import { costOf } from '../../../bench/lib/call-queries.js';
import { oldInbox } from '../../../bench/lib/stored-webhooks.js';
import { makeLines } from '../../../bench/lib/world.js';
import { countResults } from '../../../src/features/ingestion/carrier-statistics.js';
import { WEBHOOK_STATUSES, type WebhookStatus } from '../../../src/features/ingestion/inbound-webhook.js';
import {
  countWebhooks,
  groupWebhooks,
  listWebhooks,
  type WebhookScope,
} from '../../../src/features/ingestion/inbound-webhooks.queries.js';
import { connectDatabase } from '../../../src/platform/db/connect.js';
import { createTestDatabase } from '../../support/database.js';

const ROWS = 10_000;

/** Some of the processed ones, spread over all, become something else. */
const CHANGES = `
  create temp table given as
    select id, (row_number() over (order by md5(id::text)))::int as place from inbound_webhooks;
  select settle_outcomes(array(select id from given where place <= 60));
  update inbound_webhooks w set status = 'failed', code = 'broken' from given g where g.id = w.id and place <= 10;
  update inbound_webhooks w set status = 'ignored', code = 'unknown_event' from given g
    where g.id = w.id and place between 11 and 20;
  update inbound_webhooks w set status = 'waiting', code = 'unknown_call' from given g
    where g.id = w.id and place between 21 and 30;
  update inbound_webhooks w set status = 'pending' from given g where g.id = w.id and place between 31 and 40;
  delete from webhook_outcomes where webhook_id in (select id from given where place between 61 and 80);
  insert into webhook_arrivals (id, ids)
    select (array_agg(id order by id))[1], array_agg(id) from given where place between 61 and 80 group by place % 3;
  update inbound_webhooks set account_id = null where id in (select id from given where place % 10 = 0);
  drop table given;
  vacuum analyze;`;

interface SeenRow {
  readonly id: string;
  readonly account_id: string | null;
  readonly status: WebhookStatus;
  readonly code: string | null;
  readonly received_at: Date;
}

async function openLists() {
  const database = await createTestDatabase({ isNew: true });
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const lines = await makeLines(client, { accounts: 2, numbersEach: 1 });
  await oldInbox(client, lines, ROWS);
  for (const text of CHANGES.split(';')) await client.query(text);
  const db = connectDatabase(database.url, 2, pino({ level: 'silent' }));
  const { rows } = await client.query(
    'select id, account_id, status, code, received_at from seen_webhooks order by received_at desc, id desc',
  );
  return {
    ...{ client, db, accountId: String(lines[0]?.accountId) },
    carrierId: String(lines[0]?.path.split('/')[2]),
    all: rows as readonly SeenRow[],
    async close() {
      await db.destroy();
      await client.end();
      await database.drop();
    },
  };
}

/** Every choice of at least one. */
const choicesOf = <T>(values: readonly T[]): T[][] =>
  Array.from({ length: 2 ** values.length - 1 }, (_, choice) =>
    values.filter((_value, place) => ((choice + 1) >> place) % 2 === 1),
  );

describe('a search for webhooks', function () {
  this.timeout(60_000);
  let opened: Awaited<ReturnType<typeof openLists>>;
  before(async () => {
    opened = await openLists();
  });
  after(() => opened.close());

  for (const withNobodys of [false, true]) {
    it(`finds, counts and groups by whatever states${withNobodys ? ', also what belongs to nobody' : ''}`, async () => {
      const { db, all, accountId } = opened;
      const scope: WebhookScope = { accountId, withNobodys };
      for (const status of choicesOf(WEBHOOK_STATUSES)) {
        const wanted = all.filter((row) => status.includes(row.status) && (row.account_id !== null || withNobodys));
        const search = { scope, filters: [{ status }, { provider: ['generic'] }], after: null, limit: 120 };
        const groups = new Map<string, number>();
        for (const { status: one, code } of wanted)
          groups.set(`${one} ${code}`, (groups.get(`${one} ${code}`) ?? 0) + 1);

        const name = status.join();
        const found = await listWebhooks(db, search);
        expect(
          found.map(({ id }) => id),
          name,
        ).to.deep.equal(wanted.slice(0, 120).map(({ id }) => id));
        expect(
          found.map((row) => row.status),
          name,
        ).to.deep.equal(wanted.slice(0, 120).map((row) => row.status));
        expect(await countWebhooks(db, search), name).to.equal(wanted.length);
        const grouped = (await groupWebhooks(db, search)).map((group) => [
          `${group.status} ${group.code}`,
          group.count,
        ]);
        expect(new Map(grouped as [string, number][]), name).to.deep.equal(groups);
      }
    });
  }

  it('is counted by state for its carrier’s statistics as well', async () => {
    const { db, client, all, carrierId } = opened;
    const half = all[all.length >> 1];
    const from = half?.received_at as Date;
    const wanted = new Map<string, number>();
    for (const { received_at, status, code } of all) {
      if (received_at >= from) wanted.set(`${status} ${code}`, (wanted.get(`${status} ${code}`) ?? 0) + 1);
    }
    await client.query('update inbound_webhooks set deliveries = 3 where id = $1', [half?.id]);

    const results = await countResults(db, carrierId, from);
    expect(new Map(results.map(({ status, code, count }) => [`${status} ${code}`, count]))).to.deep.equal(wanted);
    const total = [...wanted.values()].reduce((sum, count) => sum + count, 0);
    expect(results.reduce((sum, { deliveries }) => sum + deliveries, 0)).to.equal(total + 2);
  });

  it('reads what it finds, not the many that were processed', async () => {
    const { db, client, accountId } = opened;
    const scope: WebhookScope = { accountId, withNobodys: true };
    const sent: { text: string; values: unknown[] }[] = [];
    const listen = ({ sql, bindings }: { sql: string; bindings: unknown[] }): void => {
      sent.push({ text: sql, values: bindings });
    };
    db.on('query', listen);
    for (const status of choicesOf(WEBHOOK_STATUSES.filter((name) => name !== 'processed'))) {
      const search = { scope, filters: [{ status }], after: null, limit: 50 };
      await listWebhooks(db, search);
      await countWebhooks(db, search);
      await groupWebhooks(db, search);
    }
    db.off('query', listen);

    expect(sent).to.have.length(45);
    for (const statement of sent) expect((await costOf(client, statement)).buffers, statement.text).to.be.at.most(500);
  });
});
