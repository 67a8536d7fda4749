import { newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import type { AuditEntry, NewAuditEntry } from './audit-entry.js';

export interface AuditRow {
  readonly id: string;
  readonly account_id: string | null;
  readonly created_at: Date;
  readonly action: string;
  readonly outcome: AuditEntry['outcome'];
  readonly actor_type: AuditEntry['actor']['type'];
  readonly actor_user_id: string | null;
  readonly actor_api_key_id: string | null;
  readonly address: string | null;
  readonly request_id: string | null;
  readonly object_type: string;
  readonly object_id: string | null;
  readonly members: string[];
  readonly before: unknown;
  readonly after: unknown;
}

const COLUMNS = `id, account_id, created_at, action, outcome, actor_type, actor_user_id, actor_api_key_id, address,
  request_id, object_type, object_id, members, before, after`;
const AS_RECORDS = `(id uuid, account_id uuid, created_at timestamptz, action text, outcome text, actor_type text,
  actor_user_id uuid, actor_api_key_id uuid, address text, request_id text, object_type text, object_id uuid,
  members text[], before jsonb, after jsonb)`;

/** What jsonb refuses, as JSON spells it: NUL, and halves of surrogate pairs (whole ones it writes as they are). */
const UNSTORABLE = /\\u(?:0000|d[89a-f][0-9a-f]{2})/g;

function toRow(entry: NewAuditEntry, now: Date): AuditRow {
  return {
    id: newId(),
    account_id: entry.accountId,
    created_at: now,
    action: entry.action,
    outcome: entry.outcome,
    actor_type: entry.actor.type,
    actor_user_id: entry.actor.userId,
    actor_api_key_id: entry.actor.apiKeyId,
    address: entry.address,
    request_id: entry.requestId,
    object_type: entry.objectType,
    object_id: entry.objectId,
    members: [...entry.members],
    before: entry.before ?? null,
    after: entry.after ?? null,
  };
}

const asJson = (rows: readonly AuditRow[]): string => JSON.stringify(rows).replaceAll(UNSTORABLE, '\\ufffd');

/** Writes entries; in a transaction they stand or fall with it. */
export async function insertEntries(db: Db, entries: readonly NewAuditEntry[], now: Date): Promise<void> {
  await db.raw(
    `insert into audit_log (${COLUMNS}) select ${COLUMNS} from jsonb_to_recordset(?::jsonb) as e ${AS_RECORDS}`,
    [asJson(entries.map((entry) => toRow(entry, now)))],
  );
}

// The commit is not waited for: whatever is committed after it cannot reach the disk before it.
const WITHOUT_WAITING = `set_config('synchronous_commit', 'off', true) is not null`;

/** Announces a change; answers the announcement's id. */
export async function insertIntent(db: Db, entry: NewAuditEntry, now: Date): Promise<string> {
  const id = newId();
  const [row] = [toRow({ ...entry, outcome: 'unknown' }, now)];
  await db.raw(`insert into audit_intents (id, begun_at, entry) select ?, ?, ?::jsonb where ${WITHOUT_WAITING}`, [
    id,
    now,
    asJson([row]),
  ]);
  return id;
}

/** Puts the entries in the place of the announcement, in one statement. */
export async function settleIntent(db: Db, id: string, entries: readonly NewAuditEntry[], now: Date): Promise<void> {
  await db.raw(
    `with settled as (delete from audit_intents where id = ? and ${WITHOUT_WAITING} returning 1)
     insert into audit_log (${COLUMNS}) select ${COLUMNS} from jsonb_to_recordset(?::jsonb) as e ${AS_RECORDS}`,
    [id, asJson(entries.map((entry) => toRow(entry, now)))],
  );
}

/** What was announced before then and never told the end of becomes an entry of unknown outcome; answers how many. */
export async function settleForgotten(db: Db, before: Date): Promise<number> {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `with forgotten as (delete from audit_intents where begun_at < ? returning entry)
     insert into audit_log (${COLUMNS})
     select ${COLUMNS} from forgotten, jsonb_to_recordset(forgotten.entry) as e ${AS_RECORDS} returning 1`,
    [before],
  );
  return rows.length;
}

/** Deletes entries older than that: the only way there is, for retention by whoever runs the product. */
export async function deleteEntriesBefore(db: Db, before: Date): Promise<number> {
  return db.transaction(async (tx): Promise<number> => {
    await tx.raw(`set local switchboard.audit_maintenance = 'on'`);
    const deleted: number = await tx('audit_log').where('created_at', '<', before).delete();
    return deleted;
  });
}

/** Blanks what the entries tell of these objects, for erasure; that something was done, and by whom, stays. */
export async function blankDetails(tx: Db, accountId: string, objectIds: readonly string[]): Promise<number> {
  await tx.raw(`select set_config('switchboard.audit_maintenance', 'on', true)`);
  const { rows } = await tx.raw<{ rows: unknown[] }>(
    `update audit_log set before = null, after = null
     where account_id = ? and object_id = any(?::uuid[]) and (before is not null or after is not null) returning 1`,
    [accountId, [...objectIds]],
  );
  await tx.raw(`select set_config('switchboard.audit_maintenance', '', true)`);
  return rows.length;
}
