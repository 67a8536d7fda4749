import type { Scope } from '../../http/actor.js';
import type { Db } from '../../platform/db/connect.js';
import type { ApiKey } from './api-key.js';

interface ApiKeyRow {
  id: string;
  account_id: string;
  name: string;
  prefix: string;
  scopes: Scope[];
  created_by_user_id: string | null;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
}

const toApiKey = (row: ApiKeyRow): ApiKey => ({
  id: row.id,
  accountId: row.account_id,
  name: row.name,
  prefix: row.prefix,
  scopes: row.scopes,
  createdByUserId: row.created_by_user_id,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});

export async function insertApiKey(db: Db, key: ApiKey, hash: Buffer): Promise<void> {
  await db('api_keys').insert({
    id: key.id,
    account_id: key.accountId,
    name: key.name,
    key_hash: hash,
    prefix: key.prefix,
    scopes: key.scopes,
    created_by_user_id: key.createdByUserId,
    created_at: key.createdAt,
    expires_at: key.expiresAt,
  });
}

/** Newest first, without the deleted ones; `before`: the id of the last one of the page before. */
export async function listApiKeys(
  db: Db,
  accountId: string,
  page: { readonly before: string | null; readonly limit: number },
): Promise<ApiKey[]> {
  const query = db('api_keys').where({ account_id: accountId }).whereNull('revoked_at');
  if (page.before !== null) query.where('id', '<', page.before);
  const rows: ApiKeyRow[] = await query.orderBy('id', 'desc').limit(page.limit).select('*');
  return rows.map(toApiKey);
}

/** False when the account has no such key. */
export async function revokeApiKey(db: Db, accountId: string, id: string, now: Date): Promise<boolean> {
  const changed = await db('api_keys')
    .where({ account_id: accountId, id })
    .whereNull('revoked_at')
    .update({ revoked_at: now });
  return changed === 1;
}

export type UsableKey = ApiKey | null;

/** The keys of these hashes that may be used now, in their order; null for the others. */
export async function findUsableKeys(db: Db, hashes: readonly Buffer[], now: Date): Promise<UsableKey[]> {
  const { rows } = await db.raw<{ rows: (ApiKeyRow | { id: null })[] }>(
    `select k.* from unnest(?::bytea[]) with ordinality as q (key_hash, place)
     left join (api_keys k join accounts a on a.id = k.account_id and a.is_active)
       on k.key_hash = q.key_hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > ?)
     order by q.place`,
    [[...hashes], now],
  );
  return rows.map((row) => (row.id === null ? null : toApiKey(row)));
}

/** Notes the use, unless another process did so since `unlessSince`. */
export async function touchApiKey(db: Db, id: string, now: Date, unlessSince: Date): Promise<void> {
  await db('api_keys')
    .where({ id })
    .where((fresh) => fresh.whereNull('last_used_at').orWhere('last_used_at', '<', unlessSince))
    .update({ last_used_at: now });
}
