import type { Db } from '../../platform/db/connect.js';
import type { NewEvent, StoredEvent } from './event.js';

interface EventRow {
  account_id: string;
  seq: number;
  type: StoredEvent['type'];
  subject_id: string;
  occurred_at: Date;
  received_at: Date;
  payload: Record<string, unknown>;
  before: Record<string, unknown> | null;
}

const COLUMNS = 'account_id, seq, type, subject_id, occurred_at, received_at, payload, before';

/**
 * Gives the events their places and writes them: the accounts' counters are raised in the order of the account ids (so
 * that two writers never wait for each other in a circle) and stay locked until the commit. Must be the transaction's
 * last statements. Answers the first seq of each account.
 */
export async function appendEvents(tx: Db, events: readonly NewEvent[]): Promise<StoredEvent[]> {
  if (events.length === 0) return [];
  const counts = new Map<string, number>();
  for (const { accountId } of events) counts.set(accountId, (counts.get(accountId) ?? 0) + 1);
  const last = await raiseCounters(tx, counts);
  const next = new Map([...counts].map(([id, count]) => [id, (last.get(id) ?? 0) - count]));
  const stored = events.map((event) => {
    const seq = (next.get(event.accountId) ?? 0) + 1;
    next.set(event.accountId, seq);
    return { ...event, seq };
  });
  await insertEvents(tx, stored);
  return stored;
}

async function raiseCounters(tx: Db, counts: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const ids = [...counts.keys()].sort();
  const { rows } = await tx.raw<{ rows: { account_id: string; seq: number }[] }>(
    `with locked as materialized (
       select c.account_id, g.n from unnest(?::uuid[], ?::int[]) as g (id, n)
       join account_counters c on c.account_id = g.id order by c.account_id for update of c)
     update account_counters c set seq = c.seq + locked.n from locked
     where c.account_id = locked.account_id returning c.account_id, c.seq`,
    [ids, ids.map((id) => counts.get(id) ?? 0)],
  );
  return new Map(rows.map((row) => [row.account_id, row.seq]));
}

async function insertEvents(tx: Db, events: readonly StoredEvent[]): Promise<void> {
  const rows = events.map((event) => ({
    account_id: event.accountId,
    seq: event.seq,
    type: event.type,
    subject_id: event.subjectId,
    occurred_at: new Date(event.occurredAt).toISOString(),
    received_at: new Date(event.receivedAt).toISOString(),
    payload: event.payload,
    before: event.before ?? null,
  }));
  await tx.raw(
    `insert into events (${COLUMNS})
     select ${COLUMNS} from jsonb_to_recordset(?::jsonb) as e (account_id uuid, seq bigint, type text, subject_id uuid,
       occurred_at timestamptz, received_at timestamptz, payload jsonb, before jsonb)`,
    [JSON.stringify(rows)],
  );
}

/** Events after a cursor in the order of the log, at most `limit`; `types` narrows them by prefix (`call.`). */
export async function readEventsAfter(
  db: Db,
  accountId: string,
  after: number,
  limit: number,
  prefix = '',
): Promise<StoredEvent[]> {
  const { rows } = await db.raw<{ rows: EventRow[] }>(
    `select ${COLUMNS} from events where account_id = ? and seq > ? and starts_with(type, ?) order by seq limit ?`,
    [accountId, after, prefix, limit],
  );
  return rows.map(toEvent);
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
  };
}

export interface LogBounds {
  /** The newest seq given out; 0: none yet. */
  readonly newest: number;
  /** Everything up to here may have been deleted. */
  readonly pruned: number;
}

export async function findLogBounds(db: Db, accountIds: readonly string[]): Promise<Map<string, LogBounds>> {
  const { rows } = await db.raw<{ rows: { account_id: string; seq: number; pruned_seq: number }[] }>(
    'select account_id, seq, pruned_seq from account_counters where account_id = any(?::uuid[])',
    [[...accountIds]],
  );
  return new Map(rows.map((row) => [row.account_id, { newest: row.seq, pruned: row.pruned_seq }]));
}
