import type { Db } from '../../platform/db/connect.js';
import { joinSql, type Sql, sql } from '../calls/index.js';
import type { WebhookStatus } from './inbound-webhook.js';
import { type WebhookFilters, waysOf } from './webhook-filters.js';

/** Whose webhooks: the account's, and for operators those that belong to nobody. */
export interface WebhookScope {
  readonly accountId: string;
  readonly withNobodys: boolean;
}

export interface WebhookRow {
  readonly id: string;
  readonly carrier_id: string;
  readonly provider: string;
  readonly status: WebhookStatus;
  readonly code: string | null;
  readonly detail: string | null;
  readonly event_type: string | null;
  readonly call_log_id: string | null;
  readonly deliveries: number;
  readonly received_at: Date;
  readonly processed_at: Date | null;
}

export interface WebhookInFull extends WebhookRow {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly delivery_key: string;
}

/** A place in the list, which is ordered by (`received_at`, `id`), newest first. */
export interface WebhookPlace {
  readonly receivedAt: string;
  readonly id: string;
}

export interface WebhookSearch {
  readonly scope: WebhookScope;
  /** Each of them must hold. */
  readonly filters: readonly WebhookFilters[];
  readonly after: WebhookPlace | null;
  readonly limit: number;
}

const COLUMNS = `w.id, w.carrier_id, w.provider, w.status, w.code, w.detail, w.event_type, w.call_log_id, w.deliveries,
  w.received_at, w.processed_at`;

async function rowsOf<Row>(db: Db, { text, bindings }: Sql): Promise<Row[]> {
  const { rows } = await db.raw<{ rows: Row[] }>(text, bindings as never);
  return rows;
}

/** One range of the index for each owner, so that a page is read in its order. */
function ownersOf({ accountId, withNobodys }: WebhookScope): Sql[] {
  const own = sql('w.account_id = ?', accountId);
  return withNobodys ? [own, sql('w.account_id is null')] : [own];
}

type Question = Pick<WebhookSearch, 'scope' | 'filters' | 'after'>;

/** What is asked for, in parts that have no webhook in common and are each read through an index. */
function partsOf({ scope, filters, after }: Question): Sql[] {
  const place = after ? [sql('(w.received_at, w.id) < (?::timestamptz, ?::uuid)', after.receivedAt, after.id)] : [];
  const ways = filters.reduce<readonly (readonly Sql[])[]>(
    (known, each) => waysOf(each).flatMap((way) => known.map((before) => [...before, ...way])),
    [place],
  );
  return ownersOf(scope).flatMap((owner) => ways.map((way) => joinSql([owner, ...way], ' and ')));
}

function pageSql(columns: string, search: WebhookSearch): Sql {
  const parts = partsOf(search).map(({ text, bindings }) => {
    const order = 'order by w.received_at desc, w.id desc limit ?';
    return sql(`(select ${columns} from seen_webhooks w where ${text} ${order})`, ...bindings, search.limit);
  });
  const all = joinSql(parts, ' union all ');
  return sql(`select * from (${all.text}) w order by received_at desc, id desc limit ?`, ...all.bindings, search.limit);
}

/** A page, newest first. */
export const listWebhooks = (db: Db, search: WebhookSearch): Promise<WebhookRow[]> =>
  rowsOf<WebhookRow>(db, pageSql(COLUMNS, search));

export async function findWebhook(db: Db, scope: WebhookScope, id: string): Promise<WebhookInFull | undefined> {
  const owners = joinSql(ownersOf(scope), ' or ');
  const columns = `${COLUMNS}, w.method, w.path, w.headers, w.body, w.delivery_key`;
  const [row] = await rowsOf<WebhookInFull>(
    db,
    sql(`select ${columns} from seen_webhooks w where w.id = ? and (${owners.text})`, id, ...owners.bindings),
  );
  return row;
}

export async function countWebhooks(db: Db, search: Question): Promise<number> {
  const parts = partsOf(search).map(({ text, bindings }) =>
    sql(`(select count(*) from seen_webhooks w where ${text})`, ...bindings),
  );
  const { text, bindings } = joinSql(parts, ' + ');
  const [row] = await rowsOf<{ count: number }>(db, sql(`select ${text} as count`, ...bindings));
  return row?.count ?? 0;
}

export interface WebhookGroup {
  readonly status: WebhookStatus;
  readonly code: string | null;
  readonly provider: string;
  readonly carrier_id: string;
  readonly count: number;
  readonly newest: Date;
  readonly newest_id: string;
}

/** How many there are of what kind, the most first. */
export async function groupWebhooks(
  db: Db,
  search: Pick<WebhookSearch, 'scope' | 'filters'>,
): Promise<readonly WebhookGroup[]> {
  const parts = partsOf({ ...search, after: null }).map(({ text, bindings }) =>
    sql(
      `select w.status, w.code, w.provider, w.carrier_id, w.received_at, w.id from seen_webhooks w where ${text}`,
      ...bindings,
    ),
  );
  const { text, bindings } = joinSql(parts, ' union all ');
  return rowsOf<WebhookGroup>(
    db,
    sql(
      `select status, code, provider, carrier_id, count(*) as count, max(received_at) as newest,
         (array_agg(id order by received_at desc, id desc))[1] as newest_id
       from (${text}) w
       group by status, code, provider, carrier_id order by count(*) desc, newest desc limit 500`,
      ...bindings,
    ),
  );
}

export interface CausedEvent {
  readonly seq: number;
  readonly type: string;
  readonly occurred_at: string;
  readonly received_at: string;
  readonly call_log_id: string;
}

/** The entries of the account's timelines that name the webhook, among the calls that it speaks of. */
export async function findCausedEvents(
  db: Db,
  accountId: string,
  webhook: Pick<WebhookRow, 'id' | 'carrier_id' | 'call_log_id'>,
  callIds: readonly string[],
): Promise<CausedEvent[]> {
  return rowsOf<CausedEvent>(
    db,
    sql(
      `select (e ->> 'seq')::bigint as seq, e ->> 'type' as type, e ->> 'occurred_at' as occurred_at,
         e ->> 'received_at' as received_at, c.id as call_log_id
       from call_logs c cross join lateral json_array_elements(c.timeline) e
       where c.id in (
           select id from call_logs where id = ?
           union select id from call_logs where carrier_id = ? and carrier_call_id = any(?::text[]))
         and c.account_id = ? and e ->> 'inbound_webhook_id' = ?
       order by seq`,
      webhook.call_log_id,
      webhook.carrier_id,
      [...callIds],
      accountId,
      webhook.id,
    ),
  );
}
