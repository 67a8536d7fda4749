import type { Db } from '../../platform/db/connect.js';
import { joinSql, type Sql, sql } from '../calls/index.js';
import type { WebhookStatus } from './inbound-webhook.js';

/** The list's filters as the schema leaves them: lists are alternatives, `null` in one is `none`. */
export interface WebhookFilters {
  readonly carrier_id?: readonly string[];
  readonly provider?: readonly string[];
  readonly status?: readonly WebhookStatus[];
  readonly code?: readonly (string | null)[];
  readonly call_log_id?: readonly (string | null)[];
  /** `received_after ≤ received_at < received_before` */
  readonly received_after?: Date;
  readonly received_before?: Date;
}

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

/** `column` and `type` are written below, never taken from a request. */
function memberOf(column: string, type: 'text' | 'uuid', values: readonly (string | null)[] | undefined): Sql[] {
  if (!values) return [];
  const named = values.filter((value) => value !== null);
  if (named.length === values.length) return [sql(`w.${column} = any(?::${type}[])`, named)];
  return [sql(`(w.${column} = any(?::${type}[]) or w.${column} is null)`, named)];
}

/** What is not seen from the row alone: whether a new one was processed. */
const SEEN: readonly WebhookStatus[] = ['pending', 'processed'];

function statusIn(statuses: WebhookFilters['status']): Sql[] {
  const isStored = statuses?.every((status) => !SEEN.includes(status)) ?? false;
  return memberOf(isStored ? 'stored_status' : 'status', 'text', statuses);
}

function ofCalls(ids: WebhookFilters['call_log_id']): Sql[] {
  if (!ids || ids.includes(null)) return memberOf('call_log_id', 'uuid', ids);
  const text = `w.id in (select id from inbound_webhooks where call_log_id = any(?::uuid[])
    union all select webhook_id from webhook_outcomes where call_log_id = any(?::uuid[]))`;
  return [sql(text, ids, ids)];
}

function conditionsOf(filters: WebhookFilters): Sql[] {
  const { received_after: after, received_before: before } = filters;
  return [
    ...memberOf('carrier_id', 'uuid', filters.carrier_id),
    ...memberOf('provider', 'text', filters.provider),
    ...statusIn(filters.status),
    ...memberOf('code', 'text', filters.code),
    ...ofCalls(filters.call_log_id),
    ...(after ? [sql('w.received_at >= ?', after)] : []),
    ...(before ? [sql('w.received_at < ?', before)] : []),
  ];
}

/** One range of the index for each owner, so that a page is read in its order. */
function ownersOf({ accountId, withNobodys }: WebhookScope): Sql[] {
  const own = sql('w.account_id = ?', accountId);
  return withNobodys ? [own, sql('w.account_id is null')] : [own];
}

const where = (owner: Sql, search: Pick<WebhookSearch, 'filters' | 'after'>): Sql => {
  const { filters, after } = search;
  const place = after ? [sql('(w.received_at, w.id) < (?::timestamptz, ?::uuid)', after.receivedAt, after.id)] : [];
  return joinSql([owner, ...filters.flatMap(conditionsOf), ...place], ' and ');
};

function pageSql(columns: string, search: WebhookSearch): Sql {
  const parts = ownersOf(search.scope).map((owner) => {
    const { text, bindings } = where(owner, search);
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

export async function countWebhooks(db: Db, search: Omit<WebhookSearch, 'limit'>): Promise<number> {
  const parts = ownersOf(search.scope).map((owner) => {
    const { text, bindings } = where(owner, search);
    return sql(`(select count(*) from seen_webhooks w where ${text})`, ...bindings);
  });
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
  const owners = joinSql(ownersOf(search.scope), ' or ');
  const { text, bindings } = where(sql(`(${owners.text})`, ...owners.bindings), { ...search, after: null });
  return rowsOf<WebhookGroup>(
    db,
    sql(
      `select w.status, w.code, w.provider, w.carrier_id, count(*) as count, max(w.received_at) as newest,
         (array_agg(w.id order by w.received_at desc, w.id desc))[1] as newest_id
       from seen_webhooks w where ${text}
       group by w.status, w.code, w.provider, w.carrier_id order by count(*) desc, newest desc limit 500`,
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
