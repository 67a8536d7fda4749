import type { Db } from '../../platform/db/connect.js';
import type { CancelReason, PortException, PortOrder, PortOrderStatus } from './port-order.js';

/** Whose orders are meant; null: everybody's, for operators. */
export interface PortScope {
  readonly accountId: string | null;
}

export interface PortOrderRow {
  id: string;
  account_id: string;
  status: PortOrderStatus;
  phone_numbers: string[];
  losing_carrier: string | null;
  subscriber_name: string | null;
  subscriber_address: string | null;
  subscriber_secrets: string | null;
  requested_for: string | null;
  foc_date: string | null;
  foc_overdue_at: Date | null;
  exception: PortException | null;
  cancel_reason: CancelReason | null;
  created_at: Date;
  updated_at: Date;
  submitted_at: Date | null;
  ported_at: Date | null;
  canceled_at: Date | null;
}

// Days as texts: the driver would make midnights of some time zone of them.
export const ORDER_COLUMNS = `o.id, o.account_id, o.status, o.phone_numbers, o.losing_carrier, o.subscriber_name,
  o.subscriber_address, o.subscriber_secrets, o.requested_for::text, o.foc_date::text, o.foc_overdue_at, o.exception,
  o.cancel_reason, o.created_at, o.updated_at, o.submitted_at, o.ported_at, o.canceled_at`;

export const IN_SCOPE = '(?::uuid is null or o.account_id = ?::uuid)';
export const scopeBindings = ({ accountId }: PortScope): (string | null)[] => [accountId, accountId];

export const toOrder = (row: PortOrderRow): PortOrder => ({
  id: row.id,
  accountId: row.account_id,
  status: row.status,
  phoneNumbers: row.phone_numbers,
  losingCarrier: row.losing_carrier,
  subscriberName: row.subscriber_name,
  subscriberAddress: row.subscriber_address,
  subscriberSecrets: row.subscriber_secrets,
  requestedFor: row.requested_for,
  focDate: row.foc_date,
  focOverdueAt: row.foc_overdue_at?.getTime() ?? null,
  exception: row.exception,
  cancelReason: row.cancel_reason,
  createdAt: row.created_at.getTime(),
  updatedAt: row.updated_at.getTime(),
  submittedAt: row.submitted_at?.getTime() ?? null,
  portedAt: row.ported_at?.getTime() ?? null,
  canceledAt: row.canceled_at?.getTime() ?? null,
});

const date = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

const toRow = (order: PortOrder): Record<string, unknown> => ({
  id: order.id,
  account_id: order.accountId,
  status: order.status,
  phone_numbers: [...order.phoneNumbers],
  losing_carrier: order.losingCarrier,
  subscriber_name: order.subscriberName,
  subscriber_address: order.subscriberAddress,
  subscriber_secrets: order.subscriberSecrets,
  requested_for: order.requestedFor,
  foc_date: order.focDate,
  foc_overdue_at: date(order.focOverdueAt),
  exception: order.exception === null ? null : JSON.stringify(order.exception),
  cancel_reason: order.cancelReason,
  created_at: date(order.createdAt),
  updated_at: date(order.updatedAt),
  submitted_at: date(order.submittedAt),
  ported_at: date(order.portedAt),
  canceled_at: date(order.canceledAt),
});

export async function insertOrder(tx: Db, order: PortOrder): Promise<void> {
  await tx('port_orders').insert(toRow(order));
}

/** Only of the account that the order was read of. */
export async function updateOrder(tx: Db, order: PortOrder): Promise<void> {
  const { id, account_id, created_at, ...changes } = toRow(order);
  await tx('port_orders').where({ id, account_id }).update(changes);
}

/** The order, locked until the commit: whatever is done to an order waits here for its turn. */
export async function lockOrder(tx: Db, scope: PortScope, id: string): Promise<PortOrder | undefined> {
  const { rows } = await tx.raw<{ rows: PortOrderRow[] }>(
    `select ${ORDER_COLUMNS} from port_orders o where o.id = ? and ${IN_SCOPE} for update`,
    [id, ...scopeBindings(scope)],
  );
  return rows[0] && toOrder(rows[0]);
}

/** Drafts untouched since then, locked; those that somebody is at work on are left for the next time. */
export async function lockOldDrafts(tx: Db, untouchedSince: number, limit: number): Promise<PortOrder[]> {
  const { rows } = await tx.raw<{ rows: PortOrderRow[] }>(
    `select ${ORDER_COLUMNS} from port_orders o where o.status = 'draft' and o.updated_at <= ?
     order by o.updated_at, o.id limit ? for update skip locked`,
    [new Date(untouchedSince), limit],
  );
  return rows.map(toOrder);
}

/** Orders whose promised day lies before `today` and that nobody was told of yet, locked. */
export async function lockNewlyOverdue(tx: Db, today: string, limit: number): Promise<PortOrder[]> {
  const { rows } = await tx.raw<{ rows: PortOrderRow[] }>(
    `select ${ORDER_COLUMNS} from port_orders o
     where o.status = 'foc_confirmed' and o.foc_overdue_at is null and o.foc_date < ?::date
     order by o.foc_date, o.id limit ? for update skip locked`,
    [today, limit],
  );
  return rows.map(toOrder);
}
