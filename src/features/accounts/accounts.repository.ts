import type { Knex } from 'knex';
import type { Db } from '../../platform/db/connect.js';
import type { Account, AccountChanges } from './account.js';
import { toUser, type UserRow } from './users.repository.js';

interface AccountRow {
  id: string;
  name: string;
  is_active: boolean;
  call_retention_days: number | null;
  event_retention_days: number | null;
  webhook_retention_days: number | null;
  created_at: Date;
  updated_at: Date;
  user: (Omit<UserRow, 'created_at' | 'updated_at'> & { created_at: string; updated_at: string }) | null;
}

/** An account row never stands without its row of event counters. */
export async function insertAccount(tx: Db, account: { id: string; name: string }, now: Date): Promise<void> {
  await tx('accounts').insert({ ...account, created_at: now, updated_at: now });
  await tx('account_counters').insert({ account_id: account.id });
}

const accounts = (db: Db): Knex.QueryBuilder =>
  db('accounts as a').select(
    'a.*',
    db.raw(
      `(select to_jsonb(u) - 'password_hash' from users u where u.account_id = a.id order by u.id limit 1) as "user"`,
    ),
  );

function toAccount(row: AccountRow): Account {
  const { user } = row;
  return {
    id: row.id,
    name: row.name,
    isActive: row.is_active,
    callRetentionDays: row.call_retention_days,
    eventRetentionDays: row.event_retention_days,
    webhookRetentionDays: row.webhook_retention_days,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    user: user && toUser({ ...user, created_at: new Date(user.created_at), updated_at: new Date(user.updated_at) }),
  };
}

/** Newest first; `before`: the id of the last one of the page before. */
export async function listAccounts(
  db: Db,
  page: { readonly before: string | null; readonly limit: number },
): Promise<Account[]> {
  const query = accounts(db).orderBy('a.id', 'desc').limit(page.limit);
  if (page.before !== null) query.where('a.id', '<', page.before);
  const rows: AccountRow[] = await query;
  return rows.map(toAccount);
}

export async function findAccount(db: Db, id: string): Promise<Account | undefined> {
  const row: AccountRow | undefined = await accounts(db).where('a.id', id).first();
  return row && toAccount(row);
}

export async function updateAccount(db: Db, id: string, changes: AccountChanges, now: Date): Promise<boolean> {
  const columns: Record<string, unknown> = {
    name: changes.name,
    is_active: changes.isActive,
    call_retention_days: changes.callRetentionDays,
    event_retention_days: changes.eventRetentionDays,
    webhook_retention_days: changes.webhookRetentionDays,
  };
  const given = Object.entries(columns).filter(([, value]) => value !== undefined);
  const changed = await db('accounts')
    .where({ id })
    .update({ ...Object.fromEntries(given), updated_at: now });
  return changed === 1;
}
