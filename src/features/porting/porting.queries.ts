import { type IdSlice, type Page, toPage } from '../../http/pagination.js';
import type { Db } from '../../platform/db/connect.js';
import type { PortOrder, PortOrderStatus } from './port-order.js';
import { dayOf } from './port-order.js';
import {
  IN_SCOPE,
  ORDER_COLUMNS,
  type PortOrderRow,
  type PortScope,
  scopeBindings,
  toOrder,
} from './porting.repository.js';

export interface OrderFilters {
  readonly status?: readonly PortOrderStatus[];
  readonly accountIds?: readonly string[];
  /** E.164. */
  readonly phoneNumbers?: readonly string[];
  readonly focOverdue?: boolean;
}

export async function findOrder(db: Db, scope: PortScope, id: string): Promise<PortOrder | undefined> {
  const { rows } = await db.raw<{ rows: PortOrderRow[] }>(
    `select ${ORDER_COLUMNS} from port_orders o where o.id = ? and ${IN_SCOPE}`,
    [id, ...scopeBindings(scope)],
  );
  return rows[0] && toOrder(rows[0]);
}

/** Newest first: ids rise with time. */
export async function listOrders(
  db: Db,
  scope: PortScope,
  query: { readonly filters: OrderFilters; readonly slice: IdSlice; readonly now: number },
): Promise<Page<PortOrder>> {
  const { slice } = query;
  const conditions: Condition[] = [
    { sql: IN_SCOPE, bindings: scopeBindings(scope) },
    ...(slice.after === null ? [] : [{ sql: 'o.id < ?', bindings: [slice.after] }]),
    ...conditionsOf(query.filters, dayOf(query.now)),
  ];
  const { rows } = await db.raw<{ rows: PortOrderRow[] }>(
    `select ${ORDER_COLUMNS} from port_orders o where ${conditions.map(({ sql }) => sql).join(' and ')}
     order by o.id desc limit ?`,
    [...conditions.flatMap(({ bindings }) => bindings), slice.limit + 1],
  );
  return toPage(rows.map(toOrder), slice.limit, (order) => [order.id]);
}

interface Condition {
  readonly sql: string;
  readonly bindings: readonly (string | null | string[])[];
}

const OVERDUE = "(o.status = 'foc_confirmed' and o.foc_date is not null and o.foc_date < ?::date)";

function conditionsOf(filters: OrderFilters, today: string): Condition[] {
  const { status, accountIds, phoneNumbers, focOverdue } = filters;
  return [
    status && { sql: 'o.status = any(?::text[])', bindings: [[...status]] },
    accountIds && { sql: 'o.account_id = any(?::uuid[])', bindings: [[...accountIds]] },
    phoneNumbers && { sql: 'o.phone_numbers && ?::text[]', bindings: [[...phoneNumbers]] },
    focOverdue !== undefined && { sql: focOverdue ? OVERDUE : `not ${OVERDUE}`, bindings: [today] },
  ].filter((condition) => typeof condition === 'object');
}
