import type { Db } from '../../platform/db/connect.js';
import { arraysOf, GUESSED, joinTexts, namesIn, parametersOf, textAt } from '../../platform/db/row-arrays.js';
import { command, type Statement } from '../../platform/db/statement.js';
import type { NewEvent, QueuedEvent, StoredEvent } from './event.js';

interface EventRow {
  account_id: string;
  seq: number;
  type: StoredEvent['type'];
  subject_id: string;
  occurred_at: Date;
  received_at: Date;
  payload: Record<string, unknown>;
  before: Record<string, unknown> | null;
  created_at: Date;
}

const COLUMNS = 'account_id, seq, type, subject_id, occurred_at, received_at, payload, before';

/** The events with how many of their account's come behind each. */
export function lineUp(events: readonly NewEvent[]): QueuedEvent[] {
  const left = countsOf(events);
  return events.map((event) => {
    const behind = (left.get(event.accountId) ?? 0) - 1;
    left.set(event.accountId, behind);
    return queued(event, behind);
  });
}

/** Member by member, as all that is made for each webhook: spreading takes Node's slow way where members follow. */
const queued = (event: NewEvent, behind: number): QueuedEvent => ({
  accountId: event.accountId,
  type: event.type,
  subjectId: event.subjectId,
  occurredAt: event.occurredAt,
  receivedAt: event.receivedAt,
  payload: event.payload,
  before: event.before ?? null,
  behind,
});

function countsOf(events: readonly NewEvent[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { accountId } of events) counts.set(accountId, (counts.get(accountId) ?? 0) + 1);
  return counts;
}

/**
 * Makes room for the events in their accounts' logs; answers each account's newest place. The counters are raised in
 * the order of the account ids (so that two writers never wait for each other in a circle) and stay locked until the
 * commit. From here on a transaction takes no lock that another one may hold.
 */
export function raiseCounters(events: readonly NewEvent[]): Statement<Map<string, number>> {
  const counts = countsOf(events);
  const ids = [...counts.keys()].sort();
  return {
    name: 'raise_counters',
    sql: 'select account_id, seq from raise_counters(?::uuid[], ?::int[])',
    bindings: [ids, ids.map((id) => counts.get(id) ?? 0)],
    read: (rows) => new Map((rows as { account_id: string; seq: number }[]).map((row) => [row.account_id, row.seq])),
  };
}

/** SQL: the newest place in the log of an account, as this transaction has raised it. */
export const newestSeq = (account: string): string =>
  `(select seq from account_counters where account_id = ${account})`;

const COLUMN_TYPES = {
  account_id: 'uuid',
  behind: 'integer',
  type: 'text',
  subject_id: 'uuid',
  occurred_at: 'timestamptz',
  received_at: 'timestamptz',
  before: 'jsonb',
};
const TOLD = namesIn(COLUMN_TYPES);
const INSERT = {
  name: 'insert_events',
  sql: `
    insert into events (payload, ${TOLD.replace('behind', 'seq')})
    select ${textAt('start', 'length')}::json, ${TOLD.replace('behind', `${newestSeq('e.account_id')} - behind`)}
    from rows from (unnest(${parametersOf(COLUMN_TYPES)}, ?::int[], ?::int[]), ${GUESSED})
      as e (${TOLD}, start, length, nothing)`,
};

/** Writes the events to their places: the counters have been raised for them. */
export function insertEvents(events: readonly QueuedEvent[]): Statement[] {
  if (events.length === 0) return [];
  const rows = events.map((event) => ({
    account_id: event.accountId,
    behind: event.behind,
    type: event.type,
    subject_id: event.subjectId,
    occurred_at: new Date(event.occurredAt),
    received_at: new Date(event.receivedAt),
    before: event.before ?? null,
  }));
  const { bytes, starts, lengths } = joinTexts(events.map(({ payload }) => JSON.stringify(payload)));
  return [command({ ...INSERT, bindings: [bytes, ...arraysOf(COLUMN_TYPES, rows), starts, lengths] })];
}

const READ_COLUMNS = COLUMNS.split(', ')
  .map((name) => `e.${name}`)
  .join(', ');

/** Events after a cursor in the order of the log, at most `limit`; `types` narrows them by prefix (`call.`). */
export async function readEventsAfter(
  db: Db,
  accountId: string,
  after: number,
  limit: number,
  prefix = '',
): Promise<StoredEvent[]> {
  const { rows } = await db.raw<{ rows: EventRow[] }>(
    `select ${READ_COLUMNS}, e.created_at from events e
     where e.account_id = ? and e.seq > ? and starts_with(e.type, ?) order by e.seq limit ?`,
    [accountId, after, prefix, limit],
  );
  return rows.map(toEvent);
}

export interface LogBounds {
  /** The newest seq given out; 0: none yet. */
  readonly newest: number;
  /** Everything up to here may have been deleted. */
  readonly pruned: number;
}

export interface EventPage extends LogBounds {
  readonly events: readonly StoredEvent[];
}

export interface PageWish {
  readonly after: number;
  readonly limit: number;
  /** Only types that begin so. */
  readonly prefix?: string;
  /** Only what was or is this user's; null: the whole account. */
  readonly userId?: string | null;
}

/** A page of the log and the log's bounds, read by one statement, so that neither is older than the other. */
export async function readEventPage(db: Db, accountId: string, wish: PageWish): Promise<EventPage> {
  const { after, limit, prefix = '', userId = null } = wish;
  const { rows } = await db.raw<{ rows: (EventRow & { newest: number; pruned: number })[] }>(
    `select k.seq as newest, k.pruned_seq as pruned, ${READ_COLUMNS}, e.created_at
     from account_counters k
     left join lateral (
       select * from events
       where account_id = k.account_id and seq > :after and starts_with(type, :prefix)
         and (cast(:userId as text) is null or payload ->> 'user_id' = :userId or before ->> 'user_id' = :userId)
       order by seq limit :limit) e on true
     where k.account_id = :accountId order by e.seq`,
    { accountId, after, limit, prefix, userId },
  );
  const [first] = rows;
  if (!first) return { newest: 0, pruned: 0, events: [] };
  const events = first.seq === null ? [] : rows.map(toEvent);
  return { newest: first.newest, pruned: first.pruned, events };
}

function toEvent(row: EventRow): StoredEvent {
  return {
    accountId: row.account_id,
    seq: row.seq,
    type: row.type,
    subjectId: row.subject_id,
    occurredAt: row.occurred_at.getTime(),
    receivedAt: row.received_at.getTime(),
    payload: row.payload,
    before: row.before,
    committedAt: row.created_at.getTime(),
  };
}

export async function findLogBounds(db: Db, accountIds: readonly string[]): Promise<Map<string, LogBounds>> {
  const { rows } = await db.raw<{ rows: { account_id: string; seq: number; pruned_seq: number }[] }>(
    'select account_id, seq, pruned_seq from account_counters where account_id = any(?::uuid[])',
    [[...accountIds]],
  );
  return new Map(rows.map((row) => [row.account_id, { newest: row.seq, pruned: row.pruned_seq }]));
}

/**
 * Leaves room after a restore: what was told after the backup had places that would be given out again for other
 * events, and clients hold them as cursors. Answers how many accounts there are.
 */
export async function skipAhead(db: Db, places: number): Promise<number> {
  const { rows } = await db.raw<{ rows: { count: number }[] }>(
    'with skipped as (update account_counters set seq = seq + ? returning 1) select count(*) as count from skipped',
    [places],
  );
  return rows[0]?.count ?? 0;
}

/** Accounts whose oldest event is older than they keep events (`event_retention_days`, else the setting). */
export async function findAccountsToPrune(db: Db, retentionSeconds: number): Promise<AccountToPrune[]> {
  const { rows } = await db.raw<{ rows: { id: string; retention: number }[] }>(
    `select a.id, r.seconds as retention
     from accounts a
     cross join lateral (select coalesce(a.event_retention_days * 86400, ?::int) as seconds) r
     cross join lateral (select created_at from events where account_id = a.id order by seq limit 1) oldest
     where oldest.created_at < now() - make_interval(secs => r.seconds)`,
    [retentionSeconds],
  );
  return rows.map((row) => ({ accountId: row.id, retentionSeconds: row.retention }));
}

export interface AccountToPrune {
  readonly accountId: string;
  readonly retentionSeconds: number;
}

/**
 * Deletes the oldest events that are too old, at most `limit`, and tells the account's counter how far. It never goes
 * past an event that is still to be kept: what is left has no holes. Answers how many went.
 */
export async function pruneEvents(tx: Db, account: AccountToPrune, limit: number): Promise<number> {
  const { rows } = await tx.raw<{ rows: { deleted: number; upto: number | null }[] }>(
    `with head as materialized (
       select seq, created_at from events where account_id = :accountId order by seq limit :limit),
     cut as materialized (
       select coalesce(min(seq) filter (where created_at >= now() - make_interval(secs => :retentionSeconds)) - 1,
                       max(seq)) as upto from head),
     gone as (delete from events where account_id = :accountId and seq <= (select upto from cut) returning seq)
     select count(*) as deleted, max(seq) as upto from gone`,
    { accountId: account.accountId, retentionSeconds: account.retentionSeconds, limit },
  );
  const [row] = rows;
  if (!row || row.upto === null) return 0;
  await tx.raw('update account_counters set pruned_seq = greatest(pruned_seq, ?) where account_id = ?', [
    row.upto,
    account.accountId,
  ]);
  return row.deleted;
}
