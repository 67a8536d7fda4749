import { type IdSlice, type Page, toPage } from '../../http/pagination.js';
import type { Db } from '../../platform/db/connect.js';
import type { PortedNumber } from './port-order.js';
import type { PortScope } from './porting.repository.js';

interface PortedNumberRow {
  virtual_number_id: string;
  port_order_id: string;
  account_id: string;
  phone_number: string;
  ported_at: Date;
  first_call_at: Date | null;
}

const toPortedNumber = (row: PortedNumberRow): PortedNumber => ({
  virtualNumberId: row.virtual_number_id,
  portOrderId: row.port_order_id,
  accountId: row.account_id,
  phoneNumber: row.phone_number,
  portedAt: row.ported_at.getTime(),
  firstCallAt: row.first_call_at?.getTime() ?? null,
});

const COLUMNS = 'p.virtual_number_id, p.port_order_id, p.account_id, p.phone_number, p.ported_at';

/** What counts: an incoming call since the port. A start told in whole seconds may have been as late as their end. */
const isProof = (number: string): string => `c.account_id = ${number}.account_id
  and c.virtual_number_id = ${number}.virtual_number_id and c.direction = 'incoming'
  and c.started_at >= ${number}.ported_at - interval '999 milliseconds'
  and (c.started_at >= ${number}.ported_at or c.started_at = date_trunc('second', c.started_at))`;

/**
 * The first call of a silent number. Ended calls are found by their index, a number at a time; those in progress stand
 * in none by number, so they are gone through once for all numbers.
 */
const FIRST_CALL = `left join lateral (
  select c.started_at as at from call_logs c where ${isProof('p')} and c.status = 'ended' order by c.started_at limit 1
) ended on p.first_call_at is null
left join (
  select q.virtual_number_id, min(c.started_at) as at from ported_numbers q join call_logs c on ${isProof('q')}
  where q.first_call_at is null and c.status <> 'ended' group by q.virtual_number_id
) live on live.virtual_number_id = p.virtual_number_id`;
const SEEN_AT = 'least(ended.at, live.at)';

export async function insertPortedNumbers(tx: Db, numbers: readonly PortedNumber[]): Promise<void> {
  const rows = numbers.map((number) => ({
    virtual_number_id: number.virtualNumberId,
    port_order_id: number.portOrderId,
    account_id: number.accountId,
    phone_number: number.phoneNumber,
    ported_at: new Date(number.portedAt),
  }));
  await tx.batchInsert('ported_numbers', rows, 500);
}

/** What an order brought, in the order of the numbers. */
export async function listPortedNumbers(db: Db, portOrderId: string): Promise<PortedNumber[]> {
  const { rows } = await db.raw<{ rows: PortedNumberRow[] }>(
    `select ${COLUMNS}, coalesce(p.first_call_at, ${SEEN_AT}) as first_call_at from ported_numbers p ${FIRST_CALL}
     where p.port_order_id = ? order by p.phone_number collate "C"`,
    [portOrderId],
  );
  return rows.map(toPortedNumber);
}

/** Ported numbers that are still held and that no call has come in on, the last ported first. */
export async function listSilentNumbers(
  db: Db,
  scope: PortScope,
  query: { readonly accountIds: readonly string[] | null; readonly slice: IdSlice },
): Promise<Page<PortedNumber>> {
  const { accountIds, slice } = query;
  const accounts = accountIds === null ? null : [...accountIds];
  const { rows } = await db.raw<{ rows: PortedNumberRow[] }>(
    `select ${COLUMNS}, null::timestamptz as first_call_at
     from ported_numbers p join virtual_numbers v on v.id = p.virtual_number_id and v.released_at is null ${FIRST_CALL}
     where p.first_call_at is null and ${SEEN_AT} is null
       and (?::uuid is null or p.account_id = ?::uuid) and (?::uuid[] is null or p.account_id = any(?::uuid[]))
       and (?::uuid is null or p.virtual_number_id < ?::uuid)
     order by p.virtual_number_id desc limit ?`,
    [scope.accountId, scope.accountId, accounts, accounts, slice.after, slice.after, slice.limit + 1],
  );
  return toPage(rows.map(toPortedNumber), slice.limit, (number) => [number.virtualNumberId]);
}

/** Numbers whose first call has come and is not written down yet, oldest port first. */
export async function findNewlyHeard(db: Db, limit: number): Promise<PortedNumber[]> {
  const { rows } = await db.raw<{ rows: PortedNumberRow[] }>(
    `select ${COLUMNS}, ${SEEN_AT} as first_call_at from ported_numbers p ${FIRST_CALL}
     where p.first_call_at is null and ${SEEN_AT} is not null order by p.virtual_number_id limit ?`,
    [limit],
  );
  return rows.map(toPortedNumber);
}

/** Whether it was not written down before. */
export async function keepFirstCall(tx: Db, number: PortedNumber): Promise<boolean> {
  const { rows } = await tx.raw<{ rows: unknown[] }>(
    `update ported_numbers set first_call_at = ? where virtual_number_id = ? and first_call_at is null returning 1`,
    [number.firstCallAt === null ? null : new Date(number.firstCallAt), number.virtualNumberId],
  );
  return rows.length > 0;
}
