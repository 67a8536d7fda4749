/** What can be counted instead of timed: the cost of a webhook in statements, jobs and notifications, and of a page in blocks. */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import pg from 'pg';
import { callQueries, costOf } from '../../../bench/lib/call-queries.js';
import { makeCallRows } from '../../../bench/lib/call-rows.js';
import { sendLoad } from '../../../bench/lib/http-load.js';
import { makeTraffic } from '../../../bench/lib/traffic.js';
import { createPoke } from '../../../src/features/ingestion/ingestion.worker.js';
import { newId } from '../../../src/lib/ids.js';
import type { Queue } from '../../../src/platform/queue/queue.js';
import { createTestDatabase } from '../../support/database.js';
import { startSystem, type TestSystem } from '../../support/system.js';
import { until } from '../../support/until.js';
import { claimNumber, openLine } from './lines.js';

const CALLS = 1500;

/** Collects every statement that this process sends, whoever sends it, until it is called. */
function listenToStatements(): () => string[] {
  const statements: string[] = [];
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function listening(this: pg.Client, ...args: unknown[]) {
    const [first] = args;
    statements.push(typeof first === 'string' ? first : String((first as { text?: string } | undefined)?.text));
    return Reflect.apply(query, this, args);
  } as typeof query;
  return () => {
    pg.Client.prototype.query = query;
    return statements;
  };
}

/** Jobs that this process has run until now, by name. */
async function jobsDone(system: TestSystem): Promise<Map<string, number>> {
  const { body } = await system.ask('GET', '/metrics');
  const found = String(body).matchAll(/^switchboard_job_seconds_count\{job="([^"]+)".*\} (\d+)$/gm);
  return new Map([...found].map(([, name, count]) => [String(name), Number(count)]));
}

async function openTraffic(system: TestSystem) {
  const admin = await system.createAdmin();
  const number = '+12025550100';
  await claimNumber(system, admin, number);
  const line = await openLine(system, admin, 'generic');
  const [secret] = Object.values(line.signer.credentials as Record<string, string>);
  const paths = [`/webhooks/${line.id}/`];
  return makeTraffic({ calls: CALLS, paths, secret: String(secret), numbers: [[number]], seed: 1, tag: 'count' });
}

/** As many webhooks as 64 connections can send, until the last is processed; `apart`: by another process than the door's. */
async function saturate({ apart = false } = {}) {
  const roles = apart ? { ROLES: 'api,live' } : {};
  const system = await startSystem({ env: { DATABASE_POOL: '16', ...roles } });
  const worker = apart ? await startSystem({ beside: system, env: { ROLES: 'worker' } }) : system;
  try {
    const requests = await openTraffic(system);
    const before = await jobsDone(worker);
    const stopListening = listenToStatements();
    const started = performance.now();
    const { statuses } = await sendLoad(requests, {
      port: Number(new URL(system.url).port),
      connections: 64,
      rate: null,
    });
    await until(
      'all webhooks are processed',
      async () => {
        const { rows } = await system.db.raw(`select 1 from seen_webhooks where status = 'pending' limit 1`);
        return rows.length === 0;
      },
      60_000,
    );
    const seconds = (performance.now() - started) / 1000;
    // One job may have drained all the while; it is counted when it ends.
    await until(
      'the drain has ended',
      async () => ((await jobsDone(worker)).get('drain') ?? 0) > (before.get('drain') ?? 0),
    );
    const statements = stopListening().filter((text) => !text.includes(`select 1 from seen_webhooks`));
    const jobs = new Map([...(await jobsDone(worker))].map(([name, count]) => [name, count - (before.get(name) ?? 0)]));
    return { accepted: statuses[204] ?? 0, sent: requests.length, seconds, statements, jobs };
  } finally {
    if (worker !== system) await worker.stop();
    await system.stop();
  }
}

const countOf = ({ statements }: Awaited<ReturnType<typeof saturate>>, pattern: RegExp): number =>
  statements.filter((text) => pattern.test(text)).length;

describe('the cost of a webhook at saturation, on PostgreSQL', function () {
  this.timeout(120_000);
  let measured: ReturnType<typeof saturate>;
  before(() => {
    measured = saturate();
    return measured;
  });

  it('is at most 0.15 SQL statements', async () => {
    const { accepted, sent, statements } = await measured;

    expect(accepted).to.equal(sent);
    expect(statements.length / sent).to.be.within(0.005, 0.15);
  });

  it('is no notification of its own, and no job where the process works itself', async () => {
    const run = await measured;

    expect(countOf(run, /pg_notify/i)).to.be.below(run.sent / 10);
    expect(countOf(run, /\badd_job/i)).to.equal(0);
  });

  it('is no job of its own where another process works', async () => {
    const run = await saturate({ apart: true });

    expect(countOf(run, /\badd_job/i)).to.be.within(1, Math.min(run.sent / 10, run.seconds * 100 + 10));
  });

  it('leaves the process at most 100 drains and 20 other jobs a second', async () => {
    const { jobs, seconds } = await measured;
    const others = [...jobs].filter(([name]) => name !== 'drain').reduce((sum, [, done]) => sum + done, 0);

    expect(jobs.get('drain')).to.be.within(1, seconds * 100 + 10);
    expect(others).to.be.at.most(seconds * 20 + 10);
  });
});

describe('the poke', () => {
  /** Calls again and again, with a pause between, for at least so long. */
  async function callFor(ms: number, between: () => Promise<unknown>) {
    let added = 0;
    const add = async (): Promise<void> => {
      added += 1;
    };
    const queue = { add } as Partial<Queue> as Queue;
    const poke = createPoke(queue, () => undefined);
    const started = performance.now();
    while (performance.now() - started < ms) {
      poke();
      await between();
    }
    const elapsed = performance.now() - started;
    poke.stop();
    return { added, elapsed };
  }

  it('adds at most one job in 10 ms', async () => {
    const { added, elapsed } = await callFor(200, () => pause(4));

    expect(added).to.be.within(elapsed / 50 + 2, elapsed / 10 + 2);
  });

  it('adds at most one in 150 ms for a crowd, whose worker looks again of itself', async () => {
    const { added, elapsed } = await callFor(500, nextTurn);

    expect(added).to.be.within(2, elapsed / 150 + 3);
  });
});

const ROWS = 20_000;

describe('the blocks that are read', function () {
  this.timeout(120_000);

  async function withRows<T>(work: (client: pg.Client, accountId: string) => Promise<T>): Promise<T> {
    const database = await createTestDatabase({ isNew: true });
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      const accountId = newId();
      await makeCallRows(client, { count: ROWS, accounts: [{ id: accountId, percent: 20 }] });
      return await work(client, accountId);
    } finally {
      await client.end();
      await database.drop();
    }
  }

  it('are at most 70 for a page of 50 at any depth, and 5 for a call by its carrier’s id', async () => {
    await withRows(async (client, accountId) => {
      const queries = await callQueries(client, accountId);
      const pages = queries.filter(({ name }) => name === 'unfiltered' || name.startsWith('page at'));
      const { rows } = await client.query(
        'select carrier_id, carrier_call_id from call_logs where account_id = $1 limit 1',
        [accountId],
      );
      const text = 'select * from call_logs where carrier_id = $1 and carrier_call_id = $2';
      const values = [rows[0].carrier_id, rows[0].carrier_call_id];

      expect(pages).to.have.length(4);
      for (const page of pages) expect((await costOf(client, page)).buffers, page.name).to.be.at.most(70);
      expect((await costOf(client, { text, values })).buffers).to.be.at.most(5);
    });
  });

  it('follow the page, not the calls of the account, in whatever filter, also where nothing is found', async () => {
    await withRows(async (client, accountId) => {
      const queries = await callQueries(client, accountId);

      for (const query of queries) expect((await costOf(client, query)).buffers, query.name).to.be.at.most(700);
      const never = queries.filter(({ name }) => /never|nobody|in progress|parent/.test(name));
      expect(never).to.have.length(10);
      for (const query of never) expect((await costOf(client, query)).buffers, query.name).to.be.at.most(40);
    });
  });

  it('are few for the families of a batch, also by a plan that was made while there were hardly any calls', async () => {
    const database = await createTestDatabase({ isNew: true });
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const [accountId, carrierId] = [newId(), newId()];
    const asked = { values: [[carrierId], ['call-77'], [], [], [], []] };
    const load = { ...asked, text: 'select id from load_families($1, $2, $3, $4, $5, $6)' };
    const lock = { values: asked.values.slice(0, 4), text: 'select lock_families($1, $2, $3, $4)' };
    await client.query('alter table call_logs set (autovacuum_enabled = off)');
    await client.query('insert into accounts (id, name, created_at, updated_at) values ($1, $2, now(), now())', [
      accountId,
      'families',
    ]);
    for (let time = 0; time < 10; time += 1)
      for (const { text, values } of [lock, load]) await client.query(text, values);
    await client.query(
      `insert into call_logs (id, account_id, carrier_id, provider, carrier_call_id, session_id, direction, caller_number,
         called_number, status, duration, started_at, last_news_at, updated_at, facts)
       select gen_random_uuid(), $1, $2, 'generic', 'call-' || n, 'session-' || n, 'incoming', '+12025550100',
         '+12025550101', 'initiated', 0, now(), now(), now(), '{}' from generate_series(1, 5000) as n`,
      [accountId, carrierId],
    );

    expect((await client.query(load.text, load.values)).rows).to.have.length(1);
    // Reading them all takes some hundreds.
    for (const statement of [lock, load]) expect((await costOf(client, statement)).buffers).to.be.at.most(80);
    await client.end();
    await database.drop();
  });
});
