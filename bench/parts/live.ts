/** From the webhook to the subscriber, beside an insert with a bare Socket.IO emit; fan-out beside a bare emit; idle sockets. */
import { setTimeout as pause } from 'node:timers/promises';
import { createEventLog } from '../../src/features/events/index.js';
import { newId } from '../../src/lib/ids.js';
import { connectDatabase } from '../../src/platform/db/connect.js';
import { createLogger } from '../../src/platform/log.js';
import { createWakeups } from '../../src/platform/wakeups-open.js';
import { rival } from '../lib/build.js';
import { type LoadRequest, preciseNow, sendLoad } from '../lib/http-load.js';
import { runIngest, trafficFor } from '../lib/ingest-run.js';
import {
  type Api,
  accountOf,
  type Ground,
  openGround,
  type RunningProcess,
  signIn,
  startProcess,
} from '../lib/installation.js';
import { createNotebook, type Notebook, type PartResult } from '../lib/notebook.js';
import type { BenchOptions } from '../lib/options.js';
import { cpuSeconds, residentMb } from '../lib/processes.js';
import { quantile } from '../lib/statistics.js';
import { type CrowdOptions, gatherCrowd } from '../lib/subscribers.js';
import { type Line, WEBHOOK_SECRET } from '../lib/world.js';

interface Stage {
  readonly book: Notebook;
  readonly options: BenchOptions;
  readonly product: RunningProcess;
  readonly bare: RunningProcess;
  readonly databaseUrl: string;
  readonly accountId: string;
  readonly line: Line;
  readonly subscriber: Pick<CrowdOptions, 'port' | 'namespace' | 'auth' | 'event'>;
  readonly bareSubscriber: Pick<CrowdOptions, 'port' | 'namespace' | 'event'>;
}

async function openLine(api: Api): Promise<Line> {
  const numbers = Array.from({ length: 20 }, (_, place) => `+1999${String(place).padStart(7, '0')}`);
  for (const number of numbers) await api('POST', '/api/virtual_numbers/', { phone_number: number });
  const credentials = { secret: WEBHOOK_SECRET };
  const carrier = await api<{ webhook_url: string }>('POST', '/api/carriers/', {
    provider: 'generic',
    name: 'bench',
    credentials,
  });
  return { accountId: '', path: new URL(carrier.webhook_url).pathname, numbers };
}

/** Webhooks a second: with room to spare, where a delay is the way's own, and many, where it is also the wait for a processor. */
const RATES = [150, 1000];
const SECONDS = { full: 10, quick: 2 };
/** In turn, product and rival: the machine's mood changes from one second to the next, and is to be the same for both. */
const TURNS = 5;

const rateText = (rate: number): string => `${rate.toLocaleString('en-US')}/s`;

const webhooksAt = (rate: number, { quick }: BenchOptions): number =>
  (rate * (quick ? SECONDS.quick : SECONDS.full)) / TURNS;

interface Delays {
  /** From the sending of the webhook to the event at the subscriber, ms. */
  readonly toSubscriber: number[];
  readonly toCommit: number[];
}

/** The event tells its call and its state, and thereby the webhook that it comes from. */
async function webhookToSubscriber(stage: Stage, rate: number, turn: number): Promise<Delays> {
  const { product, databaseUrl, line, options } = stage;
  const crowd = await gatherCrowd({ ...stage.subscriber, count: 1, keeps: true });
  const tag = `l${rate}-${turn}`;
  const requests = trafficFor([line], { calls: webhooksAt(rate, options) / 2, tag, seed: turn });
  const sent = new Map<string, number>();
  const run = await runIngest({ port: product.port, databaseUrl, requests, tag, rate, isProcessed: true, sent });
  await pause(300);
  const toSubscriber = (await crowd.take()).flatMap(({ at, text }) => {
    const state = /"type":"call\.(\w+)"/.exec(text)?.[1];
    const call = /"carrier_call_id":"([^"]+)"/.exec(text)?.[1];
    const began = sent.get(`${call}-${state === 'answered' ? 0 : 1}`);
    return began === undefined || state === 'updated' ? [] : [at - began];
  });
  await crowd.leave();
  return { toSubscriber, toCommit: [...run.toCommit] };
}

async function insertAndEmit(stage: Stage, rate: number, turn: number): Promise<number[]> {
  const { bare, options } = stage;
  const crowd = await gatherCrowd({ ...stage.bareSubscriber, count: 1, keeps: true });
  const requests = Array.from({ length: webhooksAt(rate, options) }, (_, place): LoadRequest => {
    const id = `b${turn}-${place}`;
    const body = JSON.stringify({ id, call: { note: 'x'.repeat(400) } });
    const head = `POST /insert-and-emit HTTP/1.1\r\nHost: bench\r\nContent-Length: ${body.length}\r\n\r\n`;
    return { id, bytes: Buffer.from(head + body) };
  });
  const load = await sendLoad(requests, { port: bare.port, connections: 64, rate });
  if (load.statuses[204] !== requests.length) throw new Error(`Answered: ${JSON.stringify(load.statuses)}.`);
  await pause(300);
  const delays = (await crowd.take()).flatMap(({ at, text }) => {
    const began = load.sentAt.get(/"id":"([^"]+)"/.exec(text)?.[1] ?? '');
    return began === undefined ? [] : [at - began];
  });
  await crowd.leave();
  return delays;
}

async function delaysAt(stage: Stage, rate: number, round: number): Promise<void> {
  const { book } = stage;
  const [product, bare]: [Delays, number[]] = [{ toSubscriber: [], toCommit: [] }, []];
  for (let turn = round * TURNS; turn < (round + 1) * TURNS; turn += 1) {
    const { toSubscriber, toCommit } = await webhookToSubscriber(stage, rate, turn);
    product.toSubscriber.push(...toSubscriber);
    product.toCommit.push(...toCommit);
    bare.push(...(await insertAndEmit(stage, rate, turn)));
  }
  const group = `webhook to subscriber, ${rateText(rate)}`;
  const p50 = quantile(product.toSubscriber, 0.5);
  book.note(group, 'to the subscriber, p50', 'ms', p50);
  book.note(group, 'to the subscriber, p99', 'ms', quantile(product.toSubscriber, 0.99));
  book.note(group, 'to the commit, p50', 'ms', quantile(product.toCommit, 0.5));
  book.note(group, 'subscriber − commit, p50', 'ms', p50 - quantile(product.toCommit, 0.5));
  book.goal(group, 'subscriber − commit, p50', { atMost: 2 });
  const rival = `bare: insert and emit, ${rateText(rate)}`;
  book.note(rival, 'to the subscriber, p50', 'ms', quantile(bare, 0.5));
  book.note(rival, 'to the subscriber, p99', 'ms', quantile(bare, 0.99));
}

/** A call log's event as the wire has it: about 900 bytes. */
const CALL = {
  ...{
    id: newId(),
    virtual_number_id: newId(),
    virtual_number: '+4930123456',
    user_id: newId(),
    direction: 'incoming',
  },
  ...{ caller_number: '+4930123456', called_number: '+4930123457', status: 'ringing', disposition: null },
  ...{
    timestamp: new Date().toISOString(),
    started_at: new Date().toISOString(),
    ringing_at: new Date().toISOString(),
  },
  ...{ answered_at: null, ended_at: null, duration: 0, ring_duration: null, hangup_cause: null, hangup_source: null },
  ...{
    provider_cause: null,
    provider: 'generic',
    carrier_id: newId(),
    carrier_call_id: newId(),
    parent_call_log_id: null,
  },
  ...{ price: null, currency: null, tags: [], note: null, updated_at: new Date().toISOString() },
};

const BATCH = 10;

/** Events that another process has committed in batches, to every subscriber of the account. */
async function fanOut(stage: Stage, subscribers: number): Promise<void> {
  const { databaseUrl, accountId, options } = stage;
  const events = Math.round((subscribers === 1 ? 4000 : 200_000 / subscribers) * (options.quick ? 0.2 : 1));
  const log = createLogger('error');
  const db = connectDatabase(databaseUrl, 4, log);
  const wakeups = createWakeups({ redisUrl: null, databaseUrl, prefix: 'bench', log });
  const eventLog = createEventLog(db, wakeups);
  const feed = async (): Promise<void> => {
    for (let sent = 0; sent < events; sent += BATCH) {
      await eventLog.transaction(async (_, record) => {
        for (let place = 0; place < Math.min(BATCH, events - sent); place += 1) {
          const at = Date.now();
          const told = { accountId, type: 'call.ringing', subjectId: newId(), occurredAt: at, receivedAt: at } as const;
          record({ ...told, payload: CALL });
        }
      });
    }
  };
  await deliver(stage, { subscribers, events, feed, ...stage.subscriber, process: stage.product, group: 'fan-out' });
  await wakeups.close();
  await db.destroy();
  const at = new Date().toISOString();
  const payload = { seq: 0, type: 'call.ringing', occurred_at: at, received_at: at, sent_at: at, call: CALL };
  const body = JSON.stringify({ events, batch: BATCH, payload });
  const emit = async (): Promise<void> => {
    const answer = await fetch(`${stage.bare.url}/fan`, { method: 'POST', body });
    if (!answer.ok) throw new Error(`The bare server answered ${answer.status}.`);
  };
  await deliver(stage, {
    subscribers,
    events,
    feed: emit,
    ...stage.bareSubscriber,
    process: stage.bare,
    group: 'bare fan-out',
  });
}

interface Delivery extends Pick<CrowdOptions, 'port' | 'namespace' | 'auth' | 'event'> {
  readonly subscribers: number;
  readonly events: number;
  readonly feed: () => Promise<void>;
  readonly process: RunningProcess;
  readonly group: string;
}

async function deliver({ book }: Stage, delivery: Delivery): Promise<void> {
  const { subscribers, events, feed, process, group, ...where } = delivery;
  const crowd = await gatherCrowd({ ...where, count: subscribers, keeps: false });
  await pause(200);
  const name = `${group}, ${subscribers.toLocaleString('en-US')} subscriber${subscribers === 1 ? '' : 's'}`;
  const all = crowd.expect(events * subscribers);
  const cpu = cpuSeconds(process.pid);
  const started = preciseNow();
  await feed();
  const seconds = ((await all) - started) / 1000;
  const used = cpuSeconds(process.pid) - cpu;
  await crowd.leave();
  book.note(name, 'deliveries', '/s', (events * subscribers) / seconds);
  book.note(name, 'processor of the server, each', 'µs', (used * 1_000_000) / (events * subscribers));
}

const IDLE = 1000;

async function idle(
  { book, options }: Stage,
  who: Pick<CrowdOptions, 'port' | 'namespace' | 'event'> & { name: string; process: RunningProcess },
) {
  const { name, process, ...where } = who;
  const before = residentMb(process.pid);
  const crowd = await gatherCrowd({ ...where, count: IDLE, keeps: false });
  await pause(2000);
  const cpu = cpuSeconds(process.pid);
  const seconds = options.quick ? 5 : 30;
  await pause(seconds * 1000);
  book.note(name, 'memory', 'MB', residentMb(process.pid) - before);
  book.note(name, 'processor', '%', ((cpuSeconds(process.pid) - cpu) / seconds) * 100);
  await crowd.leave();
}

async function start(book: Notebook, ground: Ground, options: BenchOptions): Promise<Stage> {
  const databaseUrl = await ground.createDatabase('live');
  const { folder } = ground;
  const settings = { LIVE_CONNECTIONS_PER_USER: '5000' };
  const product = await startProcess({ databaseUrl, folder, settings });
  const bareUrl = await ground.createDatabase('bare');
  const bare = await startProcess({ databaseUrl: bareUrl, folder, entry: rival('bare-server') });
  const api = await signIn(product.url);
  const line = await openLine(api);
  const subscriber = { port: product.port, namespace: '/live', auth: { token: api.token }, event: 'call.' };
  const bareSubscriber = { port: bare.port, namespace: '/', event: 'event' };
  return { book, options, product, bare, databaseUrl, accountId: accountOf(api), line, subscriber, bareSubscriber };
}

const CROWDS = [1, 100, 1000];

export async function live(options: BenchOptions): Promise<PartResult> {
  const book = createNotebook('live');
  const ground = await openGround();
  try {
    const stage = await start(book, ground, options);
    // Before anything else has grown the processes.
    await idle(stage, { ...stage.subscriber, name: '1,000 idle sockets', process: stage.product });
    await idle(stage, { ...stage.bareSubscriber, name: 'bare: 1,000 idle sockets', process: stage.bare });
    // The first turns of all warm up.
    for (let turn = -TURNS; turn < 0; turn += 1) await webhookToSubscriber(stage, 1000, turn);
    for (let round = 0; round < options.rounds; round += 1) {
      console.log(`  round ${round + 1} of ${options.rounds}`);
      for (const rate of RATES) await delaysAt(stage, rate, round);
      for (const subscribers of CROWDS) await fanOut(stage, subscribers);
    }
    await stage.product.stop();
    await stage.bare.stop();
  } finally {
    await ground.close();
  }
  for (const rate of RATES.map(rateText)) {
    const [product, bare] = [`webhook to subscriber, ${rate}`, `bare: insert and emit, ${rate}`];
    const p50 = 'to the subscriber, p50';
    book.ratio(`webhook to subscriber / bare, ${rate}`, [product, p50], [bare, p50], { atMost: 3 });
  }
  for (const subscribers of [100, 1000]) {
    const name = `fan-out, ${subscribers.toLocaleString('en-US')} subscribers`;
    const goal = { atLeast: 0.8 };
    book.ratio(`${name} / bare`, [name, 'deliveries'], [`bare ${name}`, 'deliveries'], goal);
  }
  return book.result();
}
