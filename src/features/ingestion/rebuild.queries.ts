import type { Db } from '../../platform/db/connect.js';
import { joinSql, type Sql, sql } from '../calls/index.js';
import type { PendingWebhook, WebhookStatus } from './inbound-webhook.js';

/** Which call logs are meant; each that is given must hold. */
export interface RebuildScope {
  readonly accountId?: string;
  readonly callId?: string;
  readonly provider?: string;
  /** Calls that began, and webhooks that came, at this time or later. */
  readonly after?: Date;
}

export interface CallToRebuild {
  readonly id: string;
  readonly account_id: string;
  readonly carrier_id: string;
  readonly provider: string;
  readonly carrier_call_id: string;
}

export interface KeptWebhook extends Omit<PendingWebhook, 'is_new'> {
  readonly status: WebhookStatus;
  readonly code: string | null;
  readonly call_log_id: string | null;
  readonly wait_keys: readonly string[] | null;
  readonly leg_keys: readonly string[] | null;
}

const WEBHOOK = `w.id, w.carrier_id, w.account_id, w.provider, w.delivery_key, w.method, w.path, w.headers, w.body,
  w.attempts, w.received_at, w.status, w.code, w.call_log_id, w.wait_keys, w.leg_keys`;

async function rowsOf<Row>(db: Db, { text, bindings }: Sql): Promise<Row[]> {
  const { rows } = await db.raw<{ rows: Row[] }>(text, bindings as never);
  return rows;
}

const inScope = ({ accountId, callId, provider, after }: RebuildScope): Sql[] => [
  ...(accountId === undefined ? [] : [sql('c.account_id = ?', accountId)]),
  ...(callId === undefined ? [] : [sql('c.id = ?', callId)]),
  ...(provider === undefined ? [] : [sql('c.provider = ?', provider)]),
  ...(after === undefined ? [] : [sql('c.started_at >= ?', after)]),
];

const CALL = 'c.id, c.account_id, c.carrier_id, c.provider, c.carrier_call_id';

export async function listCallsToRebuild(
  db: Db,
  scope: RebuildScope,
  page: { readonly after: string | null; readonly limit: number },
): Promise<CallToRebuild[]> {
  const place = page.after === null ? sql('true') : sql('c.id > ?', page.after);
  const { text, bindings } = joinSql([place, ...inScope(scope)], ' and ');
  return rowsOf(
    db,
    sql(`select ${CALL} from call_logs c where ${text} order by c.id limit ?`, ...bindings, page.limit),
  );
}

export async function findCallsOfLegs(
  db: Db,
  legs: readonly { readonly carrierId: string; readonly callId: string }[],
): Promise<CallToRebuild[]> {
  return rowsOf(
    db,
    sql(
      `select distinct ${CALL} from unnest(?::uuid[], ?::text[]) as l (carrier_id, call_id)
       join call_logs c on c.carrier_id = l.carrier_id and c.carrier_call_id = l.call_id`,
      legs.map((leg) => leg.carrierId),
      legs.map((leg) => leg.callId),
    ),
  );
}

/** What is kept of the calls' webhooks, and the named ones besides. */
export async function listWebhooksOfCalls(
  tx: Db,
  callIds: readonly string[],
  legKeys: readonly string[],
  ids: readonly string[],
): Promise<KeptWebhook[]> {
  return rowsOf(
    tx,
    sql(
      `select ${WEBHOOK} from seen_webhooks w where w.id in (
         select id from inbound_webhooks where call_log_id = any(?::uuid[])
         union select webhook_id from webhook_outcomes where call_log_id = any(?::uuid[])
         union select id from inbound_webhooks where leg_keys && ?::text[]
         union select unnest(?::uuid[])) order by w.id`,
      [...callIds],
      [...callIds],
      [...legKeys],
      [...ids],
    ),
  );
}

/** Webhooks of no call, ignored or failed for what the adapter made of them, a batch in the order of their ids. */
export async function listUnused(
  db: Db,
  scope: Pick<RebuildScope, 'accountId' | 'provider' | 'after'> & { readonly carrierId?: string },
  page: { readonly after: string | null; readonly limit: number },
): Promise<KeptWebhook[]> {
  const { accountId, provider, after, carrierId } = scope;
  const conditions = [
    sql(`w.status in ('ignored', 'failed') and w.call_log_id is null`),
    sql(`w.code not in ('carrier_inactive', 'expired', 'unknown_carrier')`),
    ...(page.after === null ? [] : [sql('w.id > ?', page.after)]),
    ...(accountId === undefined ? [] : [sql('(w.account_id = ? or w.account_id is null)', accountId)]),
    ...(provider === undefined ? [] : [sql('w.provider = ?', provider)]),
    ...(carrierId === undefined ? [] : [sql('w.carrier_id = ?', carrierId)]),
    ...(after === undefined ? [] : [sql('w.received_at >= ?', after)]),
  ];
  const { text, bindings } = joinSql(conditions, ' and ');
  return rowsOf(
    db,
    sql(`select ${WEBHOOK} from inbound_webhooks w where ${text} order by w.id limit ?`, ...bindings, page.limit),
  );
}

export const deliveryName = (carrierId: string, deliveryKey: string): string => `${carrierId} ${deliveryKey}`;

/** Which of the named webhooks are still kept: their ids, and their delivery names. */
export async function findKept(
  db: Db,
  ids: readonly string[],
  deliveries: readonly { readonly carrierId: string; readonly deliveryKey: string }[],
): Promise<Set<string>> {
  const rows = await rowsOf<{ id: string; carrier_id: string; delivery_key: string }>(
    db,
    sql(
      `select id, carrier_id, delivery_key from inbound_webhooks where id = any(?::uuid[])
       union select w.id, w.carrier_id, w.delivery_key from unnest(?::uuid[], ?::text[]) as d (carrier_id, delivery_key)
         join inbound_webhooks w on w.carrier_id = d.carrier_id and w.delivery_key = d.delivery_key`,
      [...ids],
      deliveries.map((delivery) => delivery.carrierId),
      deliveries.map((delivery) => delivery.deliveryKey),
    ),
  );
  return new Set(rows.flatMap((row) => [row.id, deliveryName(row.carrier_id, row.delivery_key)]));
}
