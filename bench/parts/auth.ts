/** Signing in beside the bare hash, and why it was refused; an authenticated list beside a bare Koa route with the same query. */

import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { rival } from '../lib/build.js';
import { type LoadRequest, sendLoad } from '../lib/http-load.js';
import { ADMIN, accountOf, openGround, type RunningProcess, signIn, startProcess } from '../lib/installation.js';
import { createNotebook, type Notebook, type PartResult } from '../lib/notebook.js';
import type { BenchOptions } from '../lib/options.js';
import { cpuSeconds } from '../lib/processes.js';
import { quantile } from '../lib/statistics.js';

const SIGN_IN = 'sign in';
const REFUSED = 'refused sign-in';
const MEDIAN_OF = 50;
const LIST = 'list of 50 numbers';

/** As many at once as the product lets run. */
const AT_ONCE = Math.max(1, Math.min(3, availableParallelism()));

async function signingIn(book: Notebook, port: number, count: number): Promise<void> {
  const body = JSON.stringify(ADMIN);
  const head = `POST /api/token/ HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  const request: LoadRequest = { id: 'token', bytes: Buffer.from(`${head}\r\n\r\n${body}`) };
  const requests = Array<LoadRequest>(count).fill(request);
  const load = await sendLoad(requests, { port, connections: AT_ONCE, rate: null });
  if (load.statuses[200] !== count) throw new Error(`Signing in was answered ${JSON.stringify(load.statuses)}.`);
  book.note(SIGN_IN, 'product', '/s', count / load.seconds);
  book.note(SIGN_IN, 'product, p50', 'ms', quantile(load.latencies, 0.5));
  const stored = await hash(ADMIN.password);
  let left = count;
  const started = performance.now();
  const work = async (): Promise<void> => {
    while (left-- > 0) await verify(stored, ADMIN.password);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  book.note(SIGN_IN, 'bare argon2id', '/s', (count / (performance.now() - started)) * 1000);
}

/** A name that nobody has beside a wrong password, in turn: who asks must not learn from the time which it was. */
async function refusing(book: Notebook, port: number): Promise<void> {
  const times: Record<string, number[]> = { 'unknown name': [], 'wrong password': [] };
  for (let i = 0; i < MEDIAN_OF; i += 1) {
    for (const [what, username] of [
      ['unknown name', `nobody-${i}`],
      ['wrong password', ADMIN.username],
    ] as const) {
      const started = performance.now();
      const body = JSON.stringify({ username, password: 'a wrong password' });
      const headers = { 'content-type': 'application/json' };
      const { status } = await fetch(`http://127.0.0.1:${port}/api/token/`, { method: 'POST', headers, body });
      times[what]?.push(performance.now() - started);
      if (status !== 401) throw new Error(`A ${what} was answered ${status}.`);
    }
  }
  for (const [what, taken] of Object.entries(times)) book.note(REFUSED, what, 'ms', quantile(taken, 0.5));
}

async function list(
  book: Notebook,
  servers: { product: RunningProcess; bare: RunningProcess },
  wish: { token: string; count: number },
): Promise<void> {
  const run = async (who: string, { port, pid }: RunningProcess, path: string): Promise<void> => {
    const head = `GET ${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${wish.token}\r\n\r\n`;
    const requests = Array<LoadRequest>(wish.count).fill({ id: path, bytes: Buffer.from(head) });
    const cpu = cpuSeconds(pid);
    const { statuses, seconds } = await sendLoad(requests, { port, connections: 16, rate: null });
    if (statuses[200] !== wish.count) throw new Error(`${path} was answered ${JSON.stringify(statuses)}.`);
    book.note(LIST, who, '/s', wish.count / seconds);
    book.note(LIST, `${who}: processor, each`, 'µs', ((cpuSeconds(pid) - cpu) * 1_000_000) / wish.count);
  };
  await run('product', servers.product, '/api/virtual_numbers/');
  await run('bare Koa route', servers.bare, '/numbers');
}

const QUERY = `select id, account_id, user_id, carrier_id, phone_number, is_active, label, country, type, tags, created_at,
  updated_at from virtual_numbers where account_id = $1 and released_at is null order by id limit 1001`;

export async function auth(options: BenchOptions): Promise<PartResult> {
  const book = createNotebook('auth');
  const ground = await openGround();
  try {
    const databaseUrl = await ground.createDatabase('auth');
    const product = await startProcess({ databaseUrl, folder: ground.folder });
    const api = await signIn(product.url);
    for (let place = 0; place < 50; place += 1) {
      await api('POST', '/api/virtual_numbers/', { phone_number: `+1999${String(place).padStart(7, '0')}` });
    }
    const queries = { '/numbers': { text: QUERY, values: [accountOf(api)] } };
    const settings = { BARE_QUERIES: JSON.stringify(queries) };
    const bare = await startProcess({ databaseUrl, folder: ground.folder, entry: rival('bare-server'), settings });
    const servers = { product, bare };
    const wish = { token: api.token, count: options.quick ? 1000 : 8000 };
    await list(createNotebook('warm-up'), servers, wish);
    for (let round = 0; round < options.rounds; round += 1) {
      await signingIn(book, product.port, options.quick ? 20 : 100);
      await refusing(book, product.port);
      await list(book, servers, wish);
    }
    await product.stop();
    await bare.stop();
  } finally {
    await ground.close();
  }
  book.ratio('sign in: product / bare hash', [SIGN_IN, 'product'], [SIGN_IN, 'bare argon2id']);
  book.ratio('refused: unknown name / wrong password', [REFUSED, 'unknown name'], [REFUSED, 'wrong password'], {
    atLeast: 0.8,
  });
  book.ratio('list of numbers: product / bare', [LIST, 'product'], [LIST, 'bare Koa route'], { atLeast: 0.6 });
  return book.result();
}
