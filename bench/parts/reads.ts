/** Pages, filters, reports and the export of the call log at two sizes, beside the same plain SQL. */
import type pg from 'pg';
import { rival } from '../lib/build.js';
import { buffersOf, type CallQuery, callQueries } from '../lib/call-queries.js';
import { makeCallRows } from '../lib/call-rows.js';
import { type LoadRequest, sendLoad } from '../lib/http-load.js';
import {
  type Api,
  accountOf,
  type Ground,
  openGround,
  type RunningProcess,
  signIn,
  startProcess,
  withClient,
} from '../lib/installation.js';
import { LEAN_REPORT } from '../lib/lean-report.js';
import { createNotebook, type Notebook, type PartResult } from '../lib/notebook.js';
import type { BenchOptions } from '../lib/options.js';
import { cpuSeconds } from '../lib/processes.js';
import { median } from '../lib/statistics.js';

interface Size {
  readonly name: 'small' | 'large';
  readonly databaseUrl: string;
  readonly product: RunningProcess;
  readonly api: Api;
  readonly accountId: string;
}

async function makeSize(ground: Ground, name: Size['name'], count: number): Promise<Size> {
  const databaseUrl = await ground.createDatabase(name);
  const product = await startProcess({ databaseUrl, folder: ground.folder, roles: 'api' });
  const api = await signIn(product.url);
  const accountId = accountOf(api);
  const started = performance.now();
  await withClient(databaseUrl, (client) => makeCallRows(client, { count, accountId }));
  console.log(`  ${count.toLocaleString('en-US')} call logs in ${Math.round((performance.now() - started) / 1000)} s`);
  return { name, databaseUrl, product, api, accountId };
}

const RUNS = 25;

async function timeOf(client: pg.Client, { text, values }: CallQuery): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const started = performance.now();
    await client.query(text, [...values]);
    times.push(performance.now() - started);
  }
  return median(times);
}

/** Each search straight on the database, at both sizes in turn. */
async function queryTimes(book: Notebook, sizes: readonly Size[], rounds: number): Promise<void> {
  const queries = new Map<string, CallQuery[]>();
  for (const { name, databaseUrl, accountId } of sizes) {
    queries.set(name, await withClient(databaseUrl, (client) => callQueries(client, accountId)));
  }
  const names = queries.get('small')?.map(({ name }) => name) ?? [];
  for (const [place, query] of names.entries()) {
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, databaseUrl } of sizes) {
        const wanted = queries.get(name)?.[place];
        if (!wanted) continue;
        await withClient(databaseUrl, async (client) => {
          await timeOf(client, wanted);
          book.note(`query: ${query}`, name, 'ms', await timeOf(client, wanted));
          if (round === 0) book.note(`query: ${query}`, `${name}, buffers`, 'buffers', await buffersOf(client, wanted));
        });
      }
    }
    book.ratio(`${query}: large / small`, [`query: ${query}`, 'large'], [`query: ${query}`, 'small'], { atMost: 1.3 });
    if (/unfiltered|page at/.test(query)) book.goal(`query: ${query}`, 'large, buffers', { atMost: 70 });
  }
}

const get = (path: string, token: string): LoadRequest => ({
  id: path,
  bytes: Buffer.from(`GET ${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\n\r\n`),
});

interface Place {
  readonly notes: Notebook;
  readonly group: string;
  readonly who: string;
}

/** Pages over HTTP, beside a Koa route that runs the same query and answers its rows. */
async function pagesOverHttp(book: Notebook, ground: Ground, size: Size, options: BenchOptions): Promise<void> {
  const all = await withClient(size.databaseUrl, (client) => callQueries(client, size.accountId));
  const pages = all.filter(({ name }) => ['unfiltered', 'number', 'tag'].includes(name));
  const routes = Object.fromEntries(pages.map(({ text, values }, place) => [`/${place}`, { text, values }]));
  const bare = await startProcess({
    ...{ databaseUrl: size.databaseUrl, folder: ground.folder, entry: rival('bare-server') },
    settings: { BARE_QUERIES: JSON.stringify(routes) },
  });
  const count = options.quick ? 400 : 3000;
  const run = async ({ notes, group, who }: Place, { port, pid }: RunningProcess, path: string): Promise<void> => {
    const requests = Array.from({ length: count }, () => get(path, size.api.token));
    const cpu = cpuSeconds(pid);
    const { statuses, seconds } = await sendLoad(requests, { port, connections: 16, rate: null });
    if (statuses[200] !== count) throw new Error(`${path} was answered ${JSON.stringify(statuses)}.`);
    notes.note(group, who, '/s', count / seconds);
    notes.note(group, `${who}: processor, each`, 'µs', ((cpuSeconds(pid) - cpu) * 1_000_000) / count);
  };
  // The first time warms up.
  for (let round = -1; round < options.rounds; round += 1) {
    for (const [place, { name, query }] of pages.entries()) {
      const group = `page over HTTP: ${name}`;
      const notes = round < 0 ? createNotebook('warm-up') : book;
      await run({ notes, group, who: 'product' }, size.product, `/api/call_logs/?${query}`);
      await run({ notes, group, who: 'bare route' }, bare, `/${place}`);
    }
  }
  for (const { name } of pages) {
    const group = `page over HTTP: ${name}`;
    book.ratio(`page over HTTP, ${name}: product / bare`, [group, 'product'], [group, 'bare route'], { atLeast: 0.6 });
  }
  await bare.stop();
}

const DAYS = 90;

async function reports(book: Notebook, size: Size, rounds: number): Promise<void> {
  const day = (back: number): string => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
  const [from, to] = [day(DAYS), day(0)];
  const path = `/api/reports/calls/?from=${from}&to=${to}&group_by=day&timezone=Europe/Berlin`;
  const ask = () => fetch(size.product.url + path, { headers: { authorization: `Bearer ${size.api.token}` } });
  const first = await ask();
  if (!first.ok) return book.skip(`Reports: ${path.split('?')[0]} was answered ${first.status}.`);
  const group = `report of ${DAYS} days by day`;
  await withClient(size.databaseUrl, async (client) => {
    for (let round = 0; round < rounds; round += 1) {
      const times = { report: [] as number[], lean: [] as number[] };
      for (let run = 0; run < 5; run += 1) {
        let started = performance.now();
        await (await ask()).arrayBuffer();
        times.report.push(performance.now() - started);
        started = performance.now();
        await client.query(LEAN_REPORT, [size.accountId, from, to]);
        times.lean.push(performance.now() - started);
      }
      book.note(group, 'product, over HTTP', 'ms', median(times.report));
      book.note(group, 'leanest SQL', 'ms', median(times.lean));
    }
  });
  book.ratio('report: product / leanest SQL', [group, 'product, over HTTP'], [group, 'leanest SQL'], { atMost: 1.5 });
}

/** The whole account as CSV, beside one statement that fetches the same rows into one answer. */
async function exported(book: Notebook, size: Size, rounds: number): Promise<void> {
  await withClient(size.databaseUrl, async (client) => {
    const { rows } = await client.query('select count(*)::int as count from call_logs where account_id = $1', [
      size.accountId,
    ]);
    const count: number = rows[0].count;
    for (let round = 0; round < rounds; round += 1) {
      let started = performance.now();
      const path = `${size.product.url}/api/call_logs/export/?format=csv`;
      const answer = await fetch(path, { headers: { authorization: `Bearer ${size.api.token}` } });
      if (!answer.body) throw new Error('The export has no body.');
      let bytes = 0;
      for await (const chunk of answer.body) bytes += chunk.length;
      const group = `export of ${count.toLocaleString('en-US')} call logs`;
      book.note(group, 'product, CSV over HTTP', '/s', (count / (performance.now() - started)) * 1000);
      book.note(group, 'size', 'MB', bytes / 1_000_000);
      started = performance.now();
      await client.query('select * from call_logs where account_id = $1 order by started_at desc, id desc', [
        size.accountId,
      ]);
      book.note(group, 'plain SQL, rows alone', '/s', (count / (performance.now() - started)) * 1000);
    }
  });
}

export async function reads(options: BenchOptions): Promise<PartResult> {
  const book = createNotebook('reads');
  const ground = await openGround();
  const [few, many] = options.quick ? [10_000, 200_000] : [50_000, 5_000_000];
  try {
    const small = await makeSize(ground, 'small', few);
    const large = await makeSize(ground, 'large', many);
    await queryTimes(book, [small, large], options.rounds);
    await pagesOverHttp(book, ground, large, options);
    await reports(book, large, options.rounds);
    await exported(book, large, options.rounds);
    await small.product.stop();
    await large.product.stop();
  } finally {
    await ground.close();
  }
  return book.result();
}
