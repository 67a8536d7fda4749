/** Whether ingest stays flat as the work grows: more workers, more accounts, a lopsided one, an old inbox, a backlog. */
import type pg from 'pg';
import { claimWebhooks } from '../../src/features/ingestion/inbox.repository.js';
import { connectDatabase } from '../../src/platform/db/connect.js';
import { createLogger } from '../../src/platform/log.js';
import { runIngest, settled, trafficFor } from '../lib/ingest-run.js';
import { type Ground, openGround, type RunningProcess, startProcess, withClient } from '../lib/installation.js';
import { createNotebook, type Notebook, type PartResult } from '../lib/notebook.js';
import type { BenchOptions } from '../lib/options.js';
import { quantile } from '../lib/statistics.js';
import { fillInbox, oldInbox } from '../lib/stored-webhooks.js';
import { type Line, makeLines } from '../lib/world.js';

interface Field {
  readonly book: Notebook;
  readonly ground: Ground;
  readonly options: BenchOptions;
  readonly small: readonly Line[];
  readonly many: readonly Line[];
}

interface Shape {
  readonly name: string;
  readonly lines: readonly Line[];
  /** Name of the database that is copied. */
  readonly world: string;
  readonly workers: number;
  readonly weights?: readonly number[];
}

/** 0 workers: all roles in one process. */
async function startShape(ground: Ground, { name, world, workers }: Shape) {
  const databaseUrl = await ground.createDatabase(name, world);
  const roles = workers === 0 ? ['api,live,worker'] : ['api,live', ...Array<string>(workers).fill('worker')];
  const processes: RunningProcess[] = [];
  for (const played of roles) processes.push(await startProcess({ databaseUrl, folder: ground.folder, roles: played }));
  const stop = () => Promise.all(processes.map((process) => process.stop()));
  return { databaseUrl, port: processes[0]?.port ?? 0, stop };
}

async function saturate({ book, ground, options, small, many }: Field): Promise<void> {
  // One of ten accounts makes nine tenths of the traffic: 81 to 9 times 1.
  const lopsided = small.map((_, place) => (place === 0 ? 81 : 1));
  const shapes: Shape[] = [
    { name: '10 accounts', lines: small, world: 'small', workers: 0 },
    { name: '1,000 accounts', lines: many, world: 'many', workers: 0 },
    { name: '10 accounts, one makes 90 %', lines: small, world: 'small', workers: 0, weights: lopsided },
    { name: 'a million processed webhooks', lines: small, world: 'old', workers: 0 },
    { name: '1 worker', lines: small, world: 'small', workers: 1 },
    { name: '2 workers', lines: small, world: 'small', workers: 2 },
    { name: '4 workers', lines: small, world: 'small', workers: 4 },
  ];
  const standing = [];
  for (const shape of shapes) standing.push({ shape, running: await startShape(ground, shape) });
  const calls = options.quick ? 1000 : 5000;
  try {
    for (let round = 0; round < options.rounds; round += 1) {
      for (const { shape, running } of standing) {
        const run = (tag: string, count: number) => {
          const { weights } = shape;
          const wish = { calls: count, tag, seed: round + 1, ...(weights && { weights }) };
          const requests = trafficFor(shape.lines, wish);
          return runIngest({ ...running, requests, tag, rate: null, isProcessed: true });
        };
        await run(`w${round}`, round === 0 ? calls : calls / 5);
        await withClient(running.databaseUrl, (client) => client.query('checkpoint'));
        const { committedPerSecond, toCommit } = await run(`s${round}`, calls);
        book.note(shape.name, 'committed', '/s', committedPerSecond);
        book.note(shape.name, 'to the commit, p99', 'ms', quantile(toCommit, 0.99));
      }
    }
  } finally {
    for (const { running } of standing) await running.stop();
  }
  const base = ['10 accounts', 'committed'] as const;
  for (const { name } of shapes.slice(1)) book.ratio(`${name} / 10 accounts`, [name, 'committed'], base);
}

const CLAIMS = 15;

/** Time of one claim of 500, alone: in an inbox that is new, and in one that has processed a million. */
async function claims({ book, ground, small, options }: Field): Promise<void> {
  for (const [name, world] of [
    ['new inbox', 'small'],
    ['old inbox', 'old'],
  ] as const) {
    const databaseUrl = await ground.createDatabase(`claim ${name}`, world);
    await withClient(databaseUrl, async (client) => {
      await fillInbox(
        client,
        trafficFor(small, { calls: options.quick ? 1000 : 10_000, tag: 'claim', seed: 1 }),
        small,
      );
      await client.query('vacuum analyze inbound_webhooks, webhook_arrivals');
    });
    const db = connectDatabase(databaseUrl, 4, createLogger('error'));
    for (let time = 0; time < CLAIMS; time += 1) {
      const trx = await db.transaction();
      const started = performance.now();
      await claimWebhooks(trx, 500);
      // The first ones fill the caches.
      if (time >= 5) book.note(`claim of 500: ${name}`, 'time', 'ms', performance.now() - started);
      await trx.rollback();
    }
    await db.destroy();
  }
  const [old, young] = [
    ['claim of 500: old inbox', 'time'],
    ['claim of 500: new inbox', 'time'],
  ] as const;
  book.ratio('claim: old inbox / new inbox', old, young, { atMost: 1.3 });
}

/** A worker comes to an inbox in which 200,000 wait, while new ones come at 200 a second. */
async function backlog({ book, ground, small, options }: Field): Promise<void> {
  const waiting = options.quick ? 10_000 : 200_000;
  const group = `backlog of ${waiting.toLocaleString('en-US')}`;
  const databaseUrl = await ground.createDatabase('backlog', 'small');
  await withClient(databaseUrl, async (client: pg.Client) => {
    for (let from = 0; from < waiting; from += 10_000) {
      await fillInbox(client, trafficFor(small, { calls: 5000, tag: `old${from}`, seed: from + 1 }), small);
    }
  });
  const settings = { MAX_BACKLOG: '1000000' };
  const api = await startProcess({ databaseUrl, folder: ground.folder, roles: 'api', settings });
  const started = performance.now();
  const worker = await startProcess({ databaseUrl, folder: ground.folder, roles: 'worker', settings });
  try {
    const requests = trafficFor(small, { calls: options.quick ? 400 : 2000, tag: 'new', seed: 7 });
    const load = await runIngest({ port: api.port, databaseUrl, requests, tag: 'new', rate: 200, isProcessed: false });
    await withClient(databaseUrl, settled);
    const seconds = (performance.now() - started) / 1000;
    book.note(group, 'worked off', '/s', (waiting + requests.length) / seconds);
    book.note(group, 'new ones meanwhile, to the answer, p50', 'ms', quantile(load.toAnswer, 0.5));
    book.note(group, 'new ones meanwhile, to the answer, p99', 'ms', quantile(load.toAnswer, 0.99));
  } finally {
    await api.stop();
    await worker.stop();
  }
}

export async function growth(options: BenchOptions): Promise<PartResult> {
  const book = createNotebook('growth');
  const ground = await openGround();
  try {
    const small = await withClient(await ground.createDatabase('small'), (client) =>
      makeLines(client, { accounts: 10, numbersEach: 10 }),
    );
    const many = await withClient(await ground.createDatabase('many'), (client) =>
      makeLines(client, { accounts: 1000, numbersEach: 2 }),
    );
    await withClient(await ground.createDatabase('old', 'small'), (client) =>
      oldInbox(client, small, options.quick ? 50_000 : 1_000_000),
    );
    const field = { book, ground, options, small, many };
    await saturate(field);
    await claims(field);
    await backlog(field);
  } finally {
    await ground.close();
  }
  return book.result();
}
