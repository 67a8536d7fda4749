import { createHmac } from 'node:crypto';
import type { Knex } from 'knex';
import { createCallsWriter } from '../../../src/features/calls/index.js';
import { createCarriers } from '../../../src/features/carriers/index.js';
import { createEvents } from '../../../src/features/events/index.js';
import { deliveryKeyOf } from '../../../src/features/ingestion/inbound-webhook.js';
import { insertWebhooks } from '../../../src/features/ingestion/inbox-inserts.js';
import { createIngestion, type StartThread } from '../../../src/features/ingestion/index.js';
import { newId } from '../../../src/lib/ids.js';
import { readConfig } from '../../../src/platform/config.js';
import { createLogger } from '../../../src/platform/log.js';
import { openPlatform } from '../../../src/platform/open-platform.js';
import { createTestDatabase } from '../../support/database.js';

const SECRET_BYTES = Buffer.alloc(24, 7);
const KEY = 'k'.repeat(40);

/** A body of the generic provider with its arrival. */
export interface GenericWebhook {
  readonly id: string;
  readonly receivedAt: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export const settingsOf = (url: string) => ({ DATABASE_URL: url, JWT_SECRET: KEY, ENCRYPTION_KEY: KEY });

/** The ingestion core on a database of its own, drained by hand; several may share one database. */
export async function openInbox(url: string, settings: Record<string, string> = {}, startThread?: StartThread) {
  const config = readConfig({ ...settingsOf(url), ...settings });
  const clock = { time: Date.UTC(2026, 5, 1, 12), now: (): number => clock.time };
  const platform = await openPlatform({ config, databaseUrl: url, log: createLogger('fatal'), clock });
  const events = createEvents(platform);
  const carriers = createCarriers(platform);
  const ingestion = createIngestion(platform, {
    eventLog: events.log,
    carriers,
    calls: createCallsWriter(clock),
    callIds: async () => null,
    startThread,
  });
  return { platform, db: platform.db, clock, events, carriers, ingestion, close: () => platform.closer.close() };
}

export type Inbox = Awaited<ReturnType<typeof openInbox>>;

export async function openInboxes(count: number) {
  const database = await createTestDatabase();
  const inboxes = await Promise.all(Array.from({ length: count }, () => openInbox(database.url)));
  const [first] = inboxes;
  if (!first) throw new Error('at least one');
  return {
    first,
    inboxes,
    async close() {
      await Promise.all(inboxes.map((inbox) => inbox.close()));
      await database.drop();
    },
  };
}

export async function makeAccount(db: Knex): Promise<string> {
  const id = newId();
  const at = new Date(0);
  await db('accounts').insert({ id, name: id, created_at: at, updated_at: at });
  await db('account_counters').insert({ account_id: id });
  return id;
}

export async function makeNumber(db: Knex, accountId: string, phoneNumber: string, from: number): Promise<string> {
  const id = newId();
  const at = new Date(from);
  const common = { account_id: accountId, phone_number: phoneNumber };
  await db('virtual_numbers').insert({ ...common, id, is_active: true, created_at: at, updated_at: at });
  await db('number_holdings').insert({ ...common, id: newId(), virtual_number_id: id, held_from: at });
  return id;
}

export async function makeGenericCarrier({ db, platform }: Inbox, accountId: string | null): Promise<string> {
  const id = newId();
  const secret = `whsec_${SECRET_BYTES.toString('base64')}`;
  const at = new Date(0);
  await db('carriers').insert({
    id,
    account_id: accountId,
    provider: 'generic',
    name: 'line',
    credentials: platform.secrets.seal(JSON.stringify({ secret: [secret] }), `carriers.credentials:${id}`),
    credential_names: ['secret'],
    created_at: at,
    updated_at: at,
  });
  return id;
}

/** Puts webhooks into the inbox as the door would, with arrivals of the test's choice. */
export async function deliver(
  { db }: Inbox,
  carrier: { id: string; accountId: string | null },
  webhooks: readonly GenericWebhook[],
): Promise<void> {
  const rows = webhooks.map(({ id, receivedAt, body }) => {
    const path = `/webhooks/${carrier.id}/`;
    const headers = { 'content-type': 'application/json', 'webhook-id': id };
    const bytes = Buffer.from(JSON.stringify(body));
    return {
      id: newId(),
      carrierId: carrier.id,
      accountId: carrier.accountId,
      provider: 'generic',
      deliveryKey: deliveryKeyOf({ method: 'POST', url: path, path, headers, body: bytes }, id),
      status: 'pending' as const,
      code: null,
      detail: null,
      method: 'POST',
      path,
      headers,
      body: bytes,
      receivedAt,
    };
  });
  await insertWebhooks(db, rows);
}

/** Drains until nothing is pending, on all inboxes at once. */
export async function drainAll(inboxes: readonly Inbox[]): Promise<void> {
  for (let left = 1; left > 0; ) {
    await Promise.all(inboxes.map((inbox) => inbox.ingestion.drain()));
    const row = await inboxes[0]?.db('seen_webhooks').where({ status: 'pending' }).count({ count: '*' }).first();
    left = Number(row?.count ?? 0);
  }
}

/** Headers of a rightly signed generic delivery, for the door. */
export function signGeneric(id: string, body: string, seconds: number): Record<string, string> {
  const signature = createHmac('sha256', SECRET_BYTES).update(`${id}.${seconds}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  };
}
