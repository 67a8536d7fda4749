/**
 * How the list of webhooks is narrowed in SQL, over the view `seen_webhooks w`. Whether a row waits is not seen from it
 * alone, and most were processed: so those that wait are asked of who knows them, and not looked for among all.
 */
import { type Sql, sql } from '../calls/index.js';
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

const PENDING = sql(`w.id in (select id from inbound_webhooks where status = 'pending'
  union all select unnest(ids) from webhook_arrivals)`);

/** Of conditions that must all hold. */
type All = readonly Sql[];

/** Ways in which the filters can hold, of which no two hold for one webhook: each is read through an index of its own. */
export function waysOf({ status, ...others }: WebhookFilters): readonly All[] {
  const conditions = conditionsOf(others);
  return statusIn(status).map((way) => [...conditions, ...way]);
}

function statusIn(statuses: WebhookFilters['status']): readonly All[] {
  if (!statuses) return [[]];
  if (statuses.includes('processed')) return [memberOf('status', 'text', statuses)];
  const others = statuses.filter((status) => status !== 'pending');
  const told = others.length > 0 ? [memberOf('stored_status', 'text', others)] : [];
  return others.length < statuses.length ? [[PENDING], ...told] : told;
}

function conditionsOf(filters: Omit<WebhookFilters, 'status'>): Sql[] {
  const { received_after: after, received_before: before } = filters;
  return [
    ...memberOf('carrier_id', 'uuid', filters.carrier_id),
    ...memberOf('provider', 'text', filters.provider),
    ...memberOf('code', 'text', filters.code),
    ...ofCalls(filters.call_log_id),
    ...(after ? [sql('w.received_at >= ?', after)] : []),
    ...(before ? [sql('w.received_at < ?', before)] : []),
  ];
}

/** `column` and `type` are written here, never taken from a request. */
function memberOf(column: string, type: 'text' | 'uuid', values: readonly (string | null)[] | undefined): Sql[] {
  if (!values) return [];
  const named = values.filter((value) => value !== null);
  if (named.length === values.length) return [sql(`w.${column} = any(?::${type}[])`, named)];
  return [sql(`(w.${column} = any(?::${type}[]) or w.${column} is null)`, named)];
}

function ofCalls(ids: WebhookFilters['call_log_id']): Sql[] {
  if (!ids || ids.includes(null)) return memberOf('call_log_id', 'uuid', ids);
  const text = `w.id in (select id from inbound_webhooks where call_log_id = any(?::uuid[])
    union all select webhook_id from webhook_outcomes where call_log_id = any(?::uuid[]))`;
  return [sql(text, ids, ids)];
}
