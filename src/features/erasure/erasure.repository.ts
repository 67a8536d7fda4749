import type { Db, SqlRunner } from '../../platform/db/connect.js';
import type { Erasure } from './erasure.js';

const COLUMNS = `id, account_id, pseudonym, sealed_number, status, step, place, changed, by_user_id, by_api_key_id,
  created_at, finished_at`;

/** The account's key as it is sealed; made by whoever comes first. */
export async function keepKey(tx: Db, accountId: string, sealed: string): Promise<string> {
  const { rows } = await tx.raw<{ rows: { sealed_key: string }[] }>(
    `with made as (
       insert into erasure_keys (account_id, sealed_key) values (?, ?) on conflict (account_id) do nothing
       returning sealed_key)
     select sealed_key from made union all select sealed_key from erasure_keys where account_id = ?`,
    [accountId, sealed, accountId],
  );
  if (rows[0]) return rows[0].sealed_key;
  const again = await tx.raw<{ rows: { sealed_key: string }[] }>(
    'select sealed_key from erasure_keys where account_id = ?',
    [accountId],
  );
  return again.rows[0]?.sealed_key ?? sealed;
}

export interface NewErasure {
  readonly id: string;
  readonly accountId: string;
  readonly pseudonym: string;
  readonly marks: readonly string[];
  readonly sealedNumber: string;
  readonly byUserId: string | null;
  readonly byApiKeyId: string | null;
}

/** A number that was erased before is gone through once more. */
export async function insertErasure(tx: Db, erasure: NewErasure): Promise<Erasure> {
  const { rows } = await tx.raw<{ rows: Erasure[] }>(
    `insert into erasures (id, account_id, pseudonym, marks, sealed_number, status, step, changed, by_user_id,
       by_api_key_id, created_at)
     values (?, ?, ?, ?::text[], ?, 'pending', 'calls', '{}', ?, ?, clock_timestamp())
     on conflict (account_id, pseudonym) do update set sealed_number = excluded.sealed_number, status = 'pending',
       step = 'calls', place = null, finished_at = null
     returning ${COLUMNS}`,
    [
      erasure.id,
      erasure.accountId,
      erasure.pseudonym,
      [...erasure.marks],
      erasure.sealedNumber,
      erasure.byUserId,
      erasure.byApiKeyId,
    ],
  );
  return rows[0] as Erasure;
}

export async function findErasure(db: Db, accountId: string, id: string): Promise<Erasure | undefined> {
  return db('erasures').where({ id, account_id: accountId }).first(db.raw(COLUMNS));
}

/** Newest first; `before`: the id of the last one of the page before. */
export async function listErasures(
  db: Db,
  accountId: string,
  page: { readonly before: string | null; readonly limit: number },
): Promise<Erasure[]> {
  const query = db('erasures').select(db.raw(COLUMNS)).where({ account_id: accountId });
  if (page.before !== null) query.where('id', '<', page.before);
  return query.orderBy('id', 'desc').limit(page.limit);
}

/** Those that every process has heard of by now: the oldest first. */
export async function findDueErasures(db: Db, heardAfterMs: number): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { id: string }[] }>(
    `select id from erasures where status <> 'done' and created_at <= clock_timestamp() - ? * interval '1 millisecond'
     order by created_at limit 100`,
    [heardAfterMs],
  );
  return rows.map(({ id }) => id);
}

/**
 * Whether a transaction of ours that is still open may have read the rules before the erasure: what it writes would
 * not be seen by the search for the number.
 */
export async function hasOlderWriters(db: Db, heardAfterMs: number, id: string): Promise<boolean> {
  const { rows } = await db.raw<{ rows: { busy: boolean }[] }>(
    `select exists (
       select 1 from pg_stat_activity a, erasures e
       where e.id = ? and a.datname = current_database() and a.application_name = current_setting('application_name')
         and a.pid <> pg_backend_pid() and a.xact_start < e.created_at + ? * interval '1 millisecond') as busy`,
    [id, heardAfterMs],
  );
  return rows[0]?.busy ?? false;
}

/** The erasure, locked until the commit; undefined: done, or another worker is at it. */
export async function claimErasure(tx: Db, id: string): Promise<Erasure | undefined> {
  const { rows } = await tx.raw<{ rows: Erasure[] }>(
    `select ${COLUMNS} from erasures where id = ? and status <> 'done' for update skip locked`,
    [id],
  );
  return rows[0];
}

export async function saveProgress(tx: Db, erasure: Erasure): Promise<void> {
  await tx.raw(
    `update erasures set status = ?, step = ?, place = ?::jsonb, changed = ?::jsonb, sealed_number = ?,
       finished_at = case when ? = 'done' then clock_timestamp() end
     where id = ?`,
    [
      erasure.status,
      erasure.step,
      JSON.stringify(erasure.place),
      JSON.stringify(erasure.changed),
      erasure.sealed_number,
      erasure.status,
      erasure.id,
    ],
  );
}

export interface AccountErasures {
  readonly account_id: string;
  readonly sealed_key: string;
  readonly pairs: readonly ErasedPair[];
}

export interface ErasedPair {
  readonly mark: string;
  /** Of the number without what is dialled before it in other countries. */
  readonly is_national: boolean;
  readonly pseudonym: string;
  readonly is_renamed: boolean;
}

/** Changes with every erasure, and with every one that begins to rename ids: neither is ever taken back. */
export async function countErasures(db: Db): Promise<number> {
  const { rows } = await db.raw<{ rows: { count: number }[] }>(
    'select count(*) + count(ids_since) as count from erasures',
  );
  return rows[0]?.count ?? 0;
}

/** Everything that was erased, by account. */
export async function loadErasures(db: Db): Promise<AccountErasures[]> {
  const { rows } = await db.raw<{ rows: AccountErasures[] }>(
    `select e.account_id, k.sealed_key,
       jsonb_agg(jsonb_build_object('mark', m.mark, 'is_national', m.place > 1, 'pseudonym', e.pseudonym,
         'is_renamed', e.ids_since is not null)) as pairs
     from erasures e join erasure_keys k on k.account_id = e.account_id
     cross join lateral unnest(e.marks) with ordinality m (mark, place)
     group by e.account_id, k.sealed_key`,
  );
  return rows;
}

export interface RenamingRow {
  readonly account_id: string;
  readonly pseudonym: string;
  readonly is_renamed: boolean;
  readonly is_done: boolean;
}

/** How far these erasures are with ids, as of now. */
export async function findRenaming(db: SqlRunner, pseudonyms: readonly string[]): Promise<RenamingRow[]> {
  const { rows } = await db.raw<{ rows: RenamingRow[] }>(
    `select account_id, pseudonym, ids_since is not null as is_renamed, status = 'done' as is_done
     from erasures where pseudonym = any(?::text[])`,
    [[...pseudonyms]],
  );
  return rows;
}

/** From the commit on ids are renamed as well. Answers a moment behind which every transaction knows of it. */
export async function beginRenaming(db: Db, id: string): Promise<string> {
  await db.raw(
    `update erasures set ids_since = coalesce(ids_since, clock_timestamp()) where id = ? and status <> 'done'`,
    [id],
  );
  const { rows } = await db.raw<{ rows: { now: string }[] }>('select clock_timestamp()::text as now');
  return rows[0]?.now ?? 'infinity';
}

/** Whether a transaction of ours is still open that began before. */
export async function hasWritersBefore(db: Db, moment: string): Promise<boolean> {
  const { rows } = await db.raw<{ rows: { busy: boolean }[] }>(
    `select exists (
       select 1 from pg_stat_activity a
       where a.datname = current_database() and a.application_name = current_setting('application_name')
         and a.pid <> pg_backend_pid() and a.xact_start <= ?::timestamptz) as busy`,
    [moment],
  );
  return rows[0]?.busy ?? false;
}

/** The sealed key of the marks by which renamed ids are known; made by whoever comes first. */
export async function keepIdKey(db: Db, sealed: () => string): Promise<string> {
  const read = async () =>
    (await db.raw<{ rows: { sealed_key: string }[] }>('select sealed_key from call_id_key')).rows;
  const [known] = await read();
  if (known) return known.sealed_key;
  await db.raw('insert into call_id_key (sealed_key) values (?) on conflict do nothing', [sealed()]);
  return (await read())[0]?.sealed_key ?? '';
}
