/**
 * The plain way to do the same: each webhook is one row, one BullMQ job and one transaction. Verification, adapters,
 * the join and the event log are the product's own, so what differs is the plan alone.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type BackendFactory,
  createPostgresBackend,
  createRedisBackend,
  type IQueueBackend,
  Queue,
  Worker,
} from 'bullmq';
import Koa from 'koa';
import pg from 'pg';
import { createCallsWriter } from '../../src/features/calls/index.js';
import { type CarrierLine, createCarriers, type WebhookRequest } from '../../src/features/carriers/index.js';
import { createEvents } from '../../src/features/events/index.js';
import { deliveryKeyOf, storableHeaders } from '../../src/features/ingestion/inbound-webhook.js';
import { claimAgain, markWebhooks } from '../../src/features/ingestion/inbox.repository.js';
import { outcomeOf } from '../../src/features/ingestion/outcome.js';
import { understandWebhook } from '../../src/features/ingestion/understand.js';
import { readBytes } from '../../src/http/body.js';
import { newId } from '../../src/lib/ids.js';
import { readConfig } from '../../src/platform/config.js';
import { createLogger } from '../../src/platform/log.js';
import { openPlatform } from '../../src/platform/open-platform.js';
import { openRedis } from '../../src/platform/redis.js';

const CONCURRENCY = 32;

const config = readConfig();
const log = createLogger(config.logLevel);
const databaseUrl = config.databaseUrl ?? '';
const platform = await openPlatform({ config, databaseUrl, log });
const { db, clock } = platform;
const { log: eventLog } = createEvents(platform);
const carriers = createCarriers(platform);
const calls = createCallsWriter(clock);

// biome-ignore lint/suspicious/noExplicitAny: each backend has its own type of connection
function backend(): { factory: BackendFactory<IQueueBackend, any>; connection: any } {
  // biome-ignore lint/suspicious/noExplicitAny: the same
  type Factory = BackendFactory<IQueueBackend, any>;
  if (config.redisUrl !== null) {
    const connection = openRedis(config.redisUrl, (error) => log.error(error));
    return { factory: createRedisBackend as Factory, connection };
  }
  const options = '-c search_path=bullmq,public';
  const connection = new pg.Pool({ connectionString: databaseUrl, max: CONCURRENCY + 8, options });
  return { factory: createPostgresBackend as unknown as Factory, connection };
}

const { factory, connection } = backend();
const options = { connection, prefix: `plain-${process.pid}` };
const queue = new Queue('plain', { ...options, defaultJobOptions: { removeOnComplete: true, attempts: 5 } }, factory);
const working = config.redisUrl === null ? connection : { url: config.redisUrl, maxRetriesPerRequest: null };
const worker = new Worker(
  'plain',
  async (job) => processWebhook(String(job.data.id)),
  { ...options, connection: working, concurrency: CONCURRENCY },
  factory,
);
worker.on('error', (error) => log.error(error));
worker.on('failed', (_, error) => log.error(error));

const app = new Koa();
app.use(async (ctx) => {
  const line = await carriers.lookUp(/^\/webhooks\/([^/]+)\//.exec(ctx.path)?.[1] ?? '');
  if (!line) return ctx.throw(404);
  const body = await readBytes(ctx.req, 262_144);
  const headers = ctx.headers as Record<string, string>;
  const request = {
    method: ctx.method,
    url: `http://${ctx.host}${ctx.originalUrl}`,
    path: ctx.originalUrl,
    headers,
    body,
  };
  if (!line.adapter.verify(request, line.secrets, clock.now()).ok) return ctx.throw(401);
  const id = await store(line, request);
  if (id !== null) await queue.add('webhook', { id });
  ctx.status = 204;
});

async function store(line: CarrierLine, request: WebhookRequest): Promise<string | null> {
  const content = line.adapter.read(request);
  if (!content) return null;
  const stored = await db('inbound_webhooks')
    .insert({
      id: newId(),
      carrier_id: line.id,
      account_id: line.accountId,
      provider: line.provider,
      delivery_key: deliveryKeyOf(request, line.adapter.deliveryKey(request, content)),
      status: 'pending',
      method: request.method,
      path: request.path,
      headers: JSON.stringify(storableHeaders(request.headers)),
      body: request.body,
      received_at: new Date(clock.now()),
    })
    .onConflict(['carrier_id', 'delivery_key'])
    .ignore()
    .returning<{ id: string }[]>('id');
  return stored[0]?.id ?? null;
}

async function processWebhook(id: string): Promise<void> {
  await eventLog.transaction(
    async (tx, record) => {
      const [webhook] = await claimAgain(tx, [id]);
      const line = webhook && (await carriers.lookUpKept(webhook.carrier_id));
      if (!webhook || !line) return null;
      const words = understandWebhook(webhook, line);
      const carrier = { id: line.id, accountId: line.accountId, provider: line.provider };
      const signals = words.kind === 'reports' ? words.signals : [];
      const legs = signals.map(({ callId, report }) => ({ carrierId: line.id, callId, carrier, reports: [report] }));
      const planned = await calls.plan(await calls.look(tx, legs), legs);
      for (const event of planned.events) record(event);
      return { planned, marks: markWebhooks([outcomeOf(webhook, words, planned.plan)], clock.now()) };
    },
    (_, done, queue) => (done ? { writes: [...calls.writing(done.planned, queue), ...done.marks] } : {}),
  );
}

const server = createServer(app.callback()).listen(0, '127.0.0.1', () => {
  process.stdout.write(`The plain server is ready on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
