import type { Db } from '../../platform/db/connect.js';
import type { CarrierRow, ListedCarrier } from './carrier.js';

/** Whose carriers are meant: an account's own, and the shared ones for those who may see them. */
export interface CarrierScope {
  readonly accountId: string;
  readonly withShared: boolean;
}

const COLUMNS = `c.id, c.account_id, c.provider, c.name, c.credentials, c.credential_names, c.settings, c.is_active,
  c.voice_url, c.country, c.created_at, c.updated_at, c.deleted_at`;
const ACTIVITY = `a.last_event_at, a.last_accepted, a.last_refused, coalesce(a.accepted_count, 0) as accepted_count,
  coalesce(a.refused_count, 0) as refused_count`;
const VISIBLE = '(c.account_id = ? or (? and c.account_id is null)) and c.deleted_at is null';

export async function insertCarrier(db: Db, row: CarrierRow): Promise<void> {
  await db('carriers').insert({ ...row, credential_names: [...row.credential_names], settings: { ...row.settings } });
}

/** Newest first, after the carrier of that id. */
export async function listCarriers(
  db: Db,
  scope: CarrierScope,
  page: { readonly limit: number; readonly after: string | null },
): Promise<ListedCarrier[]> {
  const { rows } = await db.raw<{ rows: ListedCarrier[] }>(
    `select ${COLUMNS}, ${ACTIVITY} from carriers c left join carrier_activity a on a.carrier_id = c.id
     where ${VISIBLE} and (?::uuid is null or c.id < ?::uuid) order by c.id desc limit ?`,
    [scope.accountId, scope.withShared, page.after, page.after, page.limit],
  );
  return rows;
}

export async function findCarrier(db: Db, scope: CarrierScope, id: string): Promise<ListedCarrier | undefined> {
  const { rows } = await db.raw<{ rows: ListedCarrier[] }>(
    `select ${COLUMNS}, ${ACTIVITY} from carriers c left join carrier_activity a on a.carrier_id = c.id
     where ${VISIBLE} and c.id = ?`,
    [scope.accountId, scope.withShared, id],
  );
  return rows[0];
}

/** The row, locked until the transaction ends. */
export async function lockCarrier(tx: Db, scope: CarrierScope, id: string): Promise<CarrierRow | undefined> {
  const { rows } = await tx.raw<{ rows: CarrierRow[] }>(
    `select ${COLUMNS} from carriers c where ${VISIBLE} and c.id = ? for update`,
    [scope.accountId, scope.withShared, id],
  );
  return rows[0];
}

export async function updateCarrier(tx: Db, id: string, changes: Partial<CarrierRow>): Promise<void> {
  await tx('carriers').where({ id }).update(changes);
}

/** By id alone, deleted ones too: for the webhook door and the worker, which act for nobody. */
export async function findCarrierById(db: Db, id: string): Promise<CarrierRow | undefined> {
  const { rows } = await db.raw<{ rows: CarrierRow[] }>(`select ${COLUMNS} from carriers c where c.id = ?`, [id]);
  return rows[0];
}

/** How many carriers' credentials each key sealed. */
export async function countByKey(db: Db): Promise<{ readonly key_id: string; readonly carriers: number }[]> {
  const { rows } = await db.raw(
    `select split_part(credentials, '.', 2) as key_id, count(*)::int as carriers from carriers
     where deleted_at is null group by 1`,
  );
  return rows;
}

/** What a process heard on a carrier's line since it last said so. */
export interface HeardOnLine {
  readonly carrier_id: string;
  readonly last_event_at: string | null;
  readonly last_accepted: unknown;
  readonly last_refused: unknown;
  readonly accepted_count: number;
  readonly refused_count: number;
}

/** Adds counts and keeps the newest of what several processes heard; in the order of ids, so that they never deadlock. */
export async function addActivity(db: Db, heard: readonly HeardOnLine[]): Promise<void> {
  await db.raw(
    `insert into carrier_activity as a
       (carrier_id, last_event_at, last_accepted, last_refused, accepted_count, refused_count)
     select h.carrier_id, h.last_event_at, h.last_accepted, h.last_refused, h.accepted_count, h.refused_count
     from jsonb_to_recordset(?::jsonb) as h (carrier_id uuid, last_event_at timestamptz, last_accepted jsonb,
       last_refused jsonb, accepted_count bigint, refused_count bigint)
     join carriers c on c.id = h.carrier_id order by h.carrier_id
     on conflict (carrier_id) do update set
       last_event_at = greatest(a.last_event_at, excluded.last_event_at),
       last_accepted = case when a.last_accepted->>'at' > excluded.last_accepted->>'at' then a.last_accepted
         else coalesce(excluded.last_accepted, a.last_accepted) end,
       last_refused = case when a.last_refused->>'at' > excluded.last_refused->>'at' then a.last_refused
         else coalesce(excluded.last_refused, a.last_refused) end,
       accepted_count = a.accepted_count + excluded.accepted_count,
       refused_count = a.refused_count + excluded.refused_count`,
    [JSON.stringify(heard)],
  );
}
