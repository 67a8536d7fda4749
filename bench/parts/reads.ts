/** Pages, filters, reports and the export of the call log at two sizes, beside the same plain SQL. */
import type pg from 'pg';
import { CALL_COLUMNS } from '../../src/features/calls/call.js';
import { rival } from '../lib/build.js';
import { type CallQuery, callQueries, costOf, type Statement } from '../lib/call-queries.js';
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
import { cpuSeconds, residentMb } from '../lib/processes.js';
import { median } from '../lib/statistics.js';

interface Size {
  readonly name: 'small' | 'large';
  readonly databaseUrl: string;
  readonly product: RunningProcess;
  readonly api: Api;
  readonly accountId: string;
  /** An account with more calls, for the export. */
  readonly heavy: Api;
}

interface SizeWish {
  readonly name: Size['name'];
  readonly count: number;
  /** Of the calls, how many are the measured account's, and how many the heavy one's. */
  readonly percent: readonly [number, number];
}

const HEAVY = { username: 'heavy', password: 'heavy-password' };

async function makeSize(ground: Ground, { name, count, percent }: SizeWish): Promise<Size> {
  const start = (databaseUrl: string) => startProcess({ databaseUrl, folder: ground.folder, roles: 'api' });
  const databaseUrl = await ground.filledDatabase(`calls ${count}`, async (url) => {
    const product = await start(url);
    const api = await signIn(product.url);
    await api('POST', '/api/accounts/', { name: 'Heavy', ...HEAVY });
    const owners = [accountOf(api), accountOf(await signIn(product.url, HEAVY))];
    await product.stop();
    const accounts = owners.map((id, place) => ({ id, percent: percent[place] ?? 0 }));
    const started = performance.now();
    await withClient(url, (client) => makeCallRows(client, { count, accounts }));
    console.log(
      `  ${count.toLocaleString('en-US')} call logs in ${Math.round((performance.now() - started) / 1000)} s`,
    );
  });
  const product = await start(databaseUrl);
  const api = await signIn(product.url);
  return { name, databaseUrl, product, api, accountId: accountOf(api), heavy: await signIn(product.url, HEAVY) };
}

const RUNS = 25;

type Asked = readonly [pg.Client, Statement];

/** Median times of the statements, which take turns. */
async function timesOf(asked: readonly Asked[]): Promise<number[]> {
  const times = asked.map((): number[] => []);
  for (let run = 0; run < RUNS; run += 1) {
    for (const [place, [client, statement]] of asked.entries()) {
      times[place]?.push((await costOf(client, statement)).ms);
    }
  }
  return times.map(median);
}

/** A search at both sizes, beside the obvious SQL at the large one. */
interface Compared {
  readonly query: CallQuery;
  readonly group: string;
  readonly series: Readonly<Record<'small' | 'large' | 'large, plain SQL', Asked>>;
}

async function comparedAt([small, large]: readonly [Size, Size], few: pg.Client, many: pg.Client): Promise<Compared[]> {
  const others = new Map((await callQueries(few, small.accountId)).map((query) => [query.name, query]));
  return (await callQueries(many, large.accountId)).map((query) => {
    const other = others.get(query.name);
    if (!other) throw new Error(`The small size has no search ${query.name}.`);
    const series = { small: [few, other], large: [many, query], 'large, plain SQL': [many, query.plain] } as const;
    return { query, group: `query: ${query.name}`, series };
  });
}

/**
 * Each search as the database sees it. What a machine does meanwhile lasts longer than a search is measured, so all of
 * them are measured before the first is again.
 */
async function queryTimes(book: Notebook, sizes: readonly [Size, Size], rounds: number): Promise<void> {
  await withClient(sizes[0].databaseUrl, (few) =>
    withClient(sizes[1].databaseUrl, async (many) => {
      const all = await comparedAt(sizes, few, many);
      for (const compared of all) await noteWork(book, compared);
      for (let round = 0; round < rounds; round += 1) {
        for (const { group, series } of all) {
          const times = await timesOf(Object.values(series));
          for (const [place, name] of Object.keys(series).entries()) book.note(group, name, 'ms', times[place] ?? NaN);
        }
      }
    }),
  );
}

/** What of a search can be counted, and what is asked of it. */
async function noteWork(book: Notebook, { query, group, series }: Compared): Promise<void> {
  const [fewest, most] = [await costOf(...series.small), await costOf(...series.large)];
  book.note(group, 'small, buffers', 'buffers', fewest.buffers);
  book.note(group, 'large, buffers', 'buffers', most.buffers);
  if (fewest.rows !== most.rows) {
    book.note(group, 'small, rows', 'rows', fewest.rows);
    book.note(group, 'large, rows', 'rows', most.rows);
  }
  book.goal(group, 'large', { atMost: query.isListed ? 3 : 20 });
  const goal = query.isListed ? { atMost: 1.3 } : undefined;
  book.ratio(`${query.name}: large / small`, [group, 'large'], [group, 'small'], goal);
  if (/unfiltered|page at/.test(query.name)) book.goal(group, 'large, buffers', { atMost: 70 });
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

const EXPORT_GOAL = { rows: 1_000_000, seconds: 60, growthMb: 50 };

/** A whole account in both formats, beside one statement that fetches the same rows into one answer. */
async function exported(book: Notebook, size: Size, rounds: number): Promise<void> {
  const heavyId = accountOf(size.heavy);
  await withClient(size.databaseUrl, async (client) => {
    const { rows } = await client.query('select count(*)::int as count from call_logs where account_id = $1', [
      heavyId,
    ]);
    const count: number = rows[0].count;
    const group = 'export of a whole account';
    book.note(group, 'call logs', 'rows', count);
    for (let round = 0; round < rounds; round += 1) {
      for (const query of ['format=csv', 'format=ndjson', 'format=csv&timezone=Europe/Berlin']) {
        const { seconds, megabytes, growthMb } = await download(size, `/api/call_logs/export/?${query}`);
        book.note(group, query, '/s', count / seconds);
        book.note(group, `${query}: size`, 'MB', megabytes);
        book.note(group, `${query}: memory growth`, 'MB', growthMb);
        book.goal(group, query, { atLeast: EXPORT_GOAL.rows / EXPORT_GOAL.seconds });
        book.goal(group, `${query}: memory growth`, { atMost: EXPORT_GOAL.growthMb });
      }
      book.note(group, 'plain SQL, rows alone', '/s', count / (await fetchAll(client, heavyId)));
    }
  });
}

/** The memory of the process is looked at with every piece that arrives. */
async function download({ product, heavy }: Size, path: string) {
  const before = residentMb(product.pid);
  const started = performance.now();
  const answer = await fetch(product.url + path, { headers: { authorization: `Bearer ${heavy.token}` } });
  if (!answer.body) throw new Error('The export has no body.');
  let [bytes, pieces, most] = [0, 0, before];
  for await (const piece of answer.body) {
    bytes += piece.length;
    pieces += 1;
    if (pieces % 100 === 0) most = Math.max(most, residentMb(product.pid));
  }
  const seconds = (performance.now() - started) / 1000;
  return { seconds, megabytes: bytes / 1_000_000, growthMb: most - before };
}

/** By a cursor, so that it holds no more rows at once than the export does. */
async function fetchAll(client: pg.Client, accountId: string): Promise<number> {
  const started = performance.now();
  await client.query('begin');
  await client.query(
    `declare rows no scroll cursor for select ${CALL_COLUMNS.join(', ')} from call_logs where account_id = '${accountId}'
     order by started_at desc, id desc`,
  );
  for (let fetched = 1; fetched > 0; ) fetched = (await client.query('fetch 500 from rows')).rows.length;
  await client.query('commit');
  return (performance.now() - started) / 1000;
}

export async function reads(options: BenchOptions): Promise<PartResult> {
  const book = createNotebook('reads');
  const ground = await openGround({ keepIn: options.keepIn });
  const [few, many] = options.quick ? [10_000, 200_000] : [50_000, 5_000_000];
  try {
    // So that a month of the measured account fills a page in most filters at both sizes.
    const small = await makeSize(ground, { name: 'small', count: few, percent: [25, 0] });
    const large = await makeSize(ground, { name: 'large', count: many, percent: [3, 20] });
    await queryTimes(book, [small, large], options.rounds);
    await pagesOverHttp(book, ground, large, options);
    await reports(book, large, options.rounds);
    await exported(book, large, options.quick ? 1 : Math.min(options.rounds, 3));
    await small.product.stop();
    await large.product.stop();
  } finally {
    await ground.close();
  }
  return book.result();
}
