import type { Db, SqlRunner } from '../../platform/db/connect.js';
import { arraysOf, parametersOf } from '../../platform/db/row-arrays.js';
import { command, run, type Statement } from '../../platform/db/statement.js';
import type { PendingWebhook, WebhookOutcome } from './inbound-webhook.js';

/** Further deliveries of a webhook that is there. */
export interface Repeat {
  readonly carrierId: string;
  readonly deliveryKey: string;
  readonly count: number;
}

/**
 * Counts further deliveries of webhooks that are there. Rows that a worker holds are passed over and answered: waiting
 * for one while holding others would stop a worker that takes those up.
 */
export async function countDeliveries(db: Db, repeats: readonly Repeat[]): Promise<Repeat[]> {
  const { rows } = await db.raw<{ rows: { carrier_id: string; delivery_key: string; count: number }[] }>(
    `with given as materialized (
       select w.id, r.* from unnest(?::uuid[], ?::text[], ?::int[]) as r (carrier_id, delivery_key, count)
       join inbound_webhooks w on w.carrier_id = r.carrier_id and w.delivery_key = r.delivery_key),
     locked as materialized (
       select w.id from inbound_webhooks w join given on given.id = w.id order by w.id for update of w skip locked),
     counted as (
       update inbound_webhooks w set deliveries = w.deliveries + given.count
       from given join locked on locked.id = given.id where w.id = given.id returning w.id)
     select carrier_id, delivery_key, count from given where id not in (select id from counted)`,
    [repeats.map((r) => r.carrierId), repeats.map((r) => r.deliveryKey), repeats.map((r) => r.count)],
  );
  return rows.map((row) => ({ carrierId: row.carrier_id, deliveryKey: row.delivery_key, count: row.count }));
}

export const CLAIMED = `id, carrier_id, account_id, status = 'new' as is_new, provider, code, delivery_key, method, path,
  headers, body, attempts, received_at`;

const CLAIM = { name: 'claim_pending_webhooks', sql: `select ${CLAIMED} from claim_pending_webhooks(?, ?)` };
/** No id of ours is above it. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * The oldest pending webhooks that no other worker holds, held until the commit; only such as came before `before`. More
 * than `limit` by those that came together with the last of them.
 */
export const claimWebhooks = (tx: SqlRunner, limit: number, before: string | null = null): Promise<PendingWebhook[]> =>
  run(tx, { ...CLAIM, bindings: [limit, before ?? LAST_ID], read: (rows) => rows as PendingWebhook[] });

/**
 * Holds arrivals, the webhooks of one statement each, until the commit. Fails in the database, so that nothing which is
 * sent along takes effect, when another worker holds or has worked off one of them: `isTakenElsewhere`.
 */
export const claimArrivals = (arrivals: readonly string[]): Statement<void> =>
  command({ name: 'claim_arrivals', sql: 'select claim_arrivals(?::uuid[])', bindings: [[...arrivals]] });

/** By which the webhooks of one statement are found that wait for a worker: the least of their ids. */
export const arrivalOf = (ids: readonly string[]): string => ids.toSorted()[0] ?? '';

/** Has webhooks that came together, and that nobody holds, wait each alone: `claimAgain` finds them then. */
export async function partArrivals(db: Db, ids: readonly string[]): Promise<void> {
  await db.raw('select part_arrivals(?::uuid[])', [[...ids]]);
}

export const isTakenElsewhere = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === 'SB001';

/** The same webhooks again, after their batch failed; those that another worker took meanwhile are left out. */
export async function claimAgain(tx: SqlRunner, ids: readonly string[]): Promise<PendingWebhook[]> {
  const { rows } = await tx.raw<{ rows: PendingWebhook[] }>(
    `select ${CLAIMED} from inbound_webhooks
     where id = any(?::uuid[]) and status = 'pending' order by id for update skip locked`,
    [[...ids]],
  );
  return rows;
}

const MARK_TYPES = {
  id: 'uuid',
  status: 'text',
  code: 'text',
  detail: 'text',
  event_type: 'text',
  call_log_id: 'uuid',
  account_id: 'uuid',
};
const MARK = {
  name: 'mark_webhooks',
  sql: `select mark_webhooks(?::timestamptz, ${parametersOf(MARK_TYPES)}, ?::jsonb)`,
};

export function markWebhooks(outcomes: readonly WebhookOutcome[], now: number): Statement[] {
  if (outcomes.length === 0) return [];
  const rows = outcomes.map((outcome) => ({
    id: outcome.id,
    status: outcome.status,
    code: outcome.code,
    detail: outcome.detail,
    event_type: outcome.eventType,
    call_log_id: outcome.callLogId,
    account_id: outcome.accountId,
  }));
  return [command({ ...MARK, bindings: [new Date(now), ...arraysOf(MARK_TYPES, rows), keysOf(outcomes)] })];
}

const KEEP_TYPES = { id: 'uuid', call_log_id: 'uuid', event_type: 'text' };
const KEEP = {
  name: 'keep_outcomes',
  sql: `insert into webhook_outcomes (webhook_id, call_log_id, event_type, processed_at)
    select id, call_log_id, event_type, ?::timestamptz from unnest(${parametersOf(KEEP_TYPES)}) as o (id, call_log_id, event_type)`,
};

/** Of new webhooks whose rows need not be written for it: `isPlain`. */
export function keepOutcomes(outcomes: readonly WebhookOutcome[], now: number): Statement[] {
  if (outcomes.length === 0) return [];
  const rows = outcomes.map(({ id, callLogId, eventType }) => ({ id, call_log_id: callLogId, event_type: eventType }));
  return [command({ ...KEEP, bindings: [new Date(now), ...arraysOf(KEEP_TYPES, rows)] })];
}

/** Whether all that came of a webhook is its call and what kind of event it was. */
export const isPlain = (webhook: PendingWebhook, outcome: WebhookOutcome): boolean =>
  webhook.is_new &&
  outcome.status === 'processed' &&
  outcome.code === null &&
  outcome.detail === null &&
  outcome.waitKeys === null &&
  outcome.legKeys === null &&
  (outcome.accountId === null || outcome.accountId === webhook.account_id);

/** Locks rows that will be written, while nobody waits for what the transaction is to lock last. */
export function lockWebhooks(ids: readonly string[]): Statement[] {
  if (ids.length === 0) return [];
  const sql = 'select 1 from inbound_webhooks where id = any(?::uuid[]) order by id for update';
  return [command({ name: 'lock_webhooks', sql, bindings: [[...ids]] })];
}

/** Has the rows of webhooks tell themselves what came of them: before they are written. */
export async function settleOutcomes(db: SqlRunner, ids: readonly string[]): Promise<void> {
  await db.raw('select settle_outcomes(?::uuid[])', [[...ids]]);
}

/** Most have none, and where nobody has any the rows get theirs, which are null, without a document. */
function keysOf(outcomes: readonly WebhookOutcome[]): string {
  if (outcomes.every(({ waitKeys, legKeys }) => waitKeys === null && legKeys === null)) return '[]';
  return JSON.stringify(outcomes.map(({ waitKeys, legKeys }) => ({ wait_keys: waitKeys, leg_keys: legKeys })));
}

export async function hasWebhook(db: Db, id: string | null): Promise<boolean> {
  const { rows } = await db.raw<{ rows: unknown[] }>('select 1 from inbound_webhooks where id = ?', [id]);
  return rows.length > 0;
}

/** Puts off a webhook whose processing failed for a reason that may pass. */
export async function postponeWebhook(db: Db, id: string, until: number, detail: string): Promise<void> {
  await db.raw(
    `update inbound_webhooks set attempts = attempts + 1, next_attempt_at = ?, detail = ? where id = ? and status = 'pending'`,
    [new Date(until), detail, id],
  );
}

/** Codes of webhooks that found no call, and are taken up when what they lacked has come. */
export const SET_ASIDE = ['unknown_number', 'unknown_call', 'unknown_parent'];

/** Makes pending again what waited for, or was passed over for want of, what has now come. Answers how many. */
export const takeUpWebhooks = (keys: readonly string[], besides: readonly string[] = []): Statement<number> => ({
  name: 'take_up_webhooks',
  sql: 'select take_up_webhooks(?::text[], ?::text[], ?::uuid[]) as count',
  bindings: [[...keys], SET_ASIDE, [...besides]],
  read: (rows) => (rows[0] as { count: number } | undefined)?.count ?? 0,
});

/** Makes webhooks pending again, whatever they are now; locked in the order of their ids, as by all who wait for locks. */
export async function queueAgain(db: Db, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  await settleOutcomes(db, ids);
  const { rows } = await db.raw<{ rows: { count: number }[] }>(
    `with wanted as (select id from inbound_webhooks where id = any(?::uuid[]) order by id for update),
     updated as (
       update inbound_webhooks w set status = 'pending', code = null, detail = null, processed_at = null,
         attempts = 0, next_attempt_at = null
       from wanted where w.id = wanted.id and w.status <> 'new' returning 1)
     select count(*) as count from wanted`,
    [[...ids]],
  );
  return rows[0]?.count ?? 0;
}

/**
 * Makes pending again what waits although its leg, or its parent, has a call log: a process died, or a lock was in the
 * way, when it should have been taken up. Answers how many.
 */
export async function takeUpForgotten(db: Db): Promise<number> {
  const { rows } = await db.raw<{ rows: { count: number }[] }>(
    `with found as materialized (
       select distinct w.id from inbound_webhooks w cross join lateral unnest(w.wait_keys) as key
       join call_logs c on c.carrier_id = w.carrier_id and c.carrier_call_id = substr(key, 42)
       where w.status = 'waiting' and starts_with(key, 'leg:')),
     taken as materialized (
       select w.id from found join inbound_webhooks w on w.id = found.id
       where w.status = 'waiting' order by w.id for update of w skip locked),
     updated as (
       update inbound_webhooks w set status = 'pending', processed_at = null, next_attempt_at = null
       from taken where w.id = taken.id returning 1)
     select count(*) as count from updated`,
  );
  return rows[0]?.count ?? 0;
}

/** Passes over what has waited since before `deadline`; what was partly used counts as processed. Answers how many. */
export async function endWaiting(db: Db, deadline: number): Promise<number> {
  const { rows } = await db.raw<{ rows: { count: number }[] }>(
    `with late as (
       select id from inbound_webhooks where status = 'waiting' and processed_at < ?
       order by id limit 5000 for update skip locked),
     updated as (
       update inbound_webhooks w
       set status = case when w.call_log_id is null then 'ignored' else 'processed' end
       from late where w.id = late.id returning 1)
     select count(*) as count from updated`,
    [new Date(deadline)],
  );
  return rows[0]?.count ?? 0;
}

/** Deletes a batch of what is past its retention: the account's own, else the setting. Answers how many. */
export async function deleteOldWebhooks(db: Db, now: number, seconds: number, limit: number): Promise<number> {
  const { rows } = await db.raw<{ rows: { count: number }[] }>(
    `with old as (
       select w.id from inbound_webhooks w left join accounts a on a.id = w.account_id
       where (w.status in ('processed', 'ignored')
           or w.status = 'new' and exists (select 1 from webhook_outcomes o where o.webhook_id = w.id))
         and w.received_at < ?::timestamptz - coalesce(a.webhook_retention_days * 86400, ?) * interval '1 second'
       order by w.id limit ? for update of w skip locked),
     settled as (delete from webhook_outcomes o using old where o.webhook_id = old.id),
     deleted as (delete from inbound_webhooks w using old where w.id = old.id returning 1)
     select count(*) as count from deleted`,
    [new Date(now), seconds, limit],
  );
  return rows[0]?.count ?? 0;
}

export interface Backlog {
  /** How many wait for a worker, counted no further than asked. */
  readonly count: number;
  /** Arrival of the oldest of them, ms; null: none waits. */
  readonly oldest: number | null;
}

export async function readBacklog(db: Db, most: number): Promise<Backlog> {
  const { rows } = await db.raw<{ rows: { count: number; oldest: Date | null }[] }>(
    `select least((select count(*) from (select 1 from inbound_webhooks where status = 'pending' limit ?) as alone)
         + (select coalesce(sum(cardinality(ids)), 0) from (select ids from webhook_arrivals limit ?) as together), ?)::bigint as count,
       least((select received_at from inbound_webhooks where status = 'pending' order by id limit 1),
         (select received_at from inbound_webhooks where id = (select id from webhook_arrivals order by id limit 1))) as oldest`,
    [most, most, most],
  );
  return { count: rows[0]?.count ?? 0, oldest: rows[0]?.oldest?.getTime() ?? null };
}

export const countBacklog = async (db: Db, most: number): Promise<number> => (await readBacklog(db, most)).count;
