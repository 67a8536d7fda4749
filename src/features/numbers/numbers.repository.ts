import { newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import type { ListedNumber, NumberChange, VirtualNumber } from './number.js';

export interface NumberRow {
  id: string;
  account_id: string;
  user_id: string | null;
  carrier_id: string | null;
  phone_number: string;
  is_active: boolean;
  label: string | null;
  country: string | null;
  type: string | null;
  tags: string[];
  version: number;
  created_at: Date;
  updated_at: Date;
  released_at: Date | null;
  ported_at: Date | null;
}

export type ListedRow = Omit<NumberRow, 'account_id' | 'version' | 'released_at' | 'ported_at'>;

export const LISTED_COLUMNS = `id, user_id, carrier_id, phone_number, is_active, label, country, type, tags,
  created_at, updated_at`;
export const NUMBER_COLUMNS = `${LISTED_COLUMNS}, account_id, version, released_at, ported_at`;

export const toListed = (row: ListedRow): ListedNumber => ({
  id: row.id,
  userId: row.user_id,
  carrierId: row.carrier_id,
  phoneNumber: row.phone_number,
  isActive: row.is_active,
  label: row.label,
  country: row.country,
  type: row.type,
  tags: row.tags,
  createdAt: row.created_at.getTime(),
  updatedAt: row.updated_at.getTime(),
});

export const toNumber = (row: NumberRow): VirtualNumber => ({
  ...toListed(row),
  accountId: row.account_id,
  version: row.version,
  releasedAt: row.released_at?.getTime() ?? null,
  portedAt: row.ported_at?.getTime() ?? null,
});

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

const toRow = (number: VirtualNumber): Record<string, unknown> => ({
  id: number.id,
  account_id: number.accountId,
  user_id: number.userId,
  carrier_id: number.carrierId,
  phone_number: number.phoneNumber,
  is_active: number.isActive,
  label: number.label,
  country: number.country,
  type: number.type,
  tags: number.tags,
  version: number.version,
  created_at: iso(number.createdAt),
  updated_at: iso(number.updatedAt),
  released_at: iso(number.releasedAt),
  ported_at: iso(number.portedAt),
});

const RECORDSET = `jsonb_to_recordset(?::jsonb) as n (id uuid, account_id uuid, user_id uuid, carrier_id uuid,
  phone_number text, is_active boolean, label text, country text, type text, tags text[], version int,
  created_at timestamptz, updated_at timestamptz, released_at timestamptz, ported_at timestamptz)`;

/**
 * Inserts those whose number nobody holds and answers their ids. It waits for whoever is claiming or releasing one of
 * them at the moment; numbers are taken in one order everywhere, so that two batches never wait for each other.
 */
export async function insertFreeNumbers(tx: Db, numbers: readonly VirtualNumber[]): Promise<Set<string>> {
  const { rows } = await tx.raw<{ rows: { id: string }[] }>(
    `insert into virtual_numbers (${NUMBER_COLUMNS}) select ${NUMBER_COLUMNS} from ${RECORDSET}
     order by phone_number collate "C"
     on conflict (phone_number) where released_at is null do nothing returning id`,
    [JSON.stringify(numbers.map(toRow))],
  );
  return new Set(rows.map((row) => row.id));
}

/** Takes back what this very transaction inserted. */
export async function withdrawNumbers(tx: Db, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.raw('delete from virtual_numbers where id = any(?::uuid[])', [[...ids]]);
}

/** The account's numbers of these ids that are not released, locked until the commit. */
export async function lockNumbers(tx: Db, accountId: string, ids: readonly string[]): Promise<VirtualNumber[]> {
  const { rows } = await tx.raw<{ rows: NumberRow[] }>(
    `select ${NUMBER_COLUMNS} from virtual_numbers
     where account_id = ? and id = any(?::uuid[]) and released_at is null order by id for update`,
    [accountId, [...ids]],
  );
  return rows.map(toNumber);
}

/** The user's numbers, locked, after the user's own row: as everyone does who assigns a number to them. */
export async function lockNumbersOfUser(tx: Db, accountId: string, userId: string): Promise<VirtualNumber[]> {
  const { rows } = await tx.raw<{ rows: NumberRow[] }>(
    `select ${NUMBER_COLUMNS} from virtual_numbers
     where account_id = ? and user_id = ? and released_at is null order by id for update`,
    [accountId, userId],
  );
  return rows.map(toNumber);
}

/** The numbers on the carrier, of every account, locked after the carrier's own row. */
export async function lockNumbersOnCarrier(tx: Db, carrierId: string): Promise<VirtualNumber[]> {
  const { rows } = await tx.raw<{ rows: NumberRow[] }>(
    `select ${NUMBER_COLUMNS} from virtual_numbers
     where carrier_id = ? and released_at is null order by id for update`,
    [carrierId],
  );
  return rows.map(toNumber);
}

export async function updateNumbers(tx: Db, accountId: string, numbers: readonly VirtualNumber[]): Promise<void> {
  await tx.raw(
    `update virtual_numbers v set user_id = n.user_id, carrier_id = n.carrier_id, is_active = n.is_active,
       label = n.label, tags = n.tags, version = n.version, updated_at = n.updated_at, released_at = n.released_at
     from ${RECORDSET} where v.id = n.id and v.account_id = ?`,
    [JSON.stringify(numbers.map(toRow)), accountId],
  );
}

/** Begins a span for each; never before the end of the number's span before it, whatever the clocks of two processes say. */
export async function openHoldings(tx: Db, numbers: readonly VirtualNumber[], at: number): Promise<void> {
  const spans = numbers.map((number) => ({
    id: newId(),
    phone_number: number.phoneNumber,
    virtual_number_id: number.id,
    account_id: number.accountId,
    user_id: number.userId,
  }));
  await tx.raw(
    `insert into number_holdings (id, phone_number, virtual_number_id, account_id, user_id, held_from)
     select s.id, s.phone_number, s.virtual_number_id, s.account_id, s.user_id, greatest(?::timestamptz,
       (select max(h.held_until) from number_holdings h where h.phone_number = s.phone_number))
     from jsonb_to_recordset(?::jsonb) as s (id uuid, phone_number text, virtual_number_id uuid, account_id uuid,
       user_id uuid)`,
    [iso(at), JSON.stringify(spans)],
  );
}

export async function closeHoldings(tx: Db, numbers: readonly VirtualNumber[], at: number): Promise<void> {
  await tx.raw(
    `update number_holdings set held_until = greatest(held_from, ?::timestamptz)
     where virtual_number_id = any(?::uuid[]) and held_until is null`,
    [iso(at), numbers.map((number) => number.id)],
  );
}

export async function insertChanges(tx: Db, changes: readonly Omit<NumberChange, 'id'>[]): Promise<void> {
  const rows = changes.map((change) => ({
    id: newId(),
    virtual_number_id: change.virtualNumberId,
    account_id: change.accountId,
    at: iso(change.at),
    action: change.action,
    by_user_id: change.byUserId,
    by_api_key_id: change.byApiKeyId,
    changes: change.changes,
  }));
  await tx.raw(
    `insert into number_changes (id, virtual_number_id, account_id, at, action, by_user_id, by_api_key_id, changes)
     select id, virtual_number_id, account_id, at, action, by_user_id, by_api_key_id, changes
     from jsonb_to_recordset(?::jsonb) as c (id uuid, virtual_number_id uuid, account_id uuid, at timestamptz,
       action text, by_user_id uuid, by_api_key_id uuid, changes jsonb)`,
    [JSON.stringify(rows)],
  );
}
