import { type IdSlice, type Page, toPage } from '../../http/pagination.js';
import { newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import type { Side } from './port-order.js';

export const TIMELINE_ACTIONS = [
  'created',
  'updated',
  'status_changed',
  'document_added',
  'document_removed',
  'commented',
  'foc_overdue',
  'first_call_seen',
] as const;
export type TimelineAction = (typeof TIMELINE_ACTIONS)[number];

/** Whoever did it; `accountId` and `userId` are null when nobody did. */
export interface Hand {
  readonly side: Side;
  readonly accountId: string | null;
  /** Null: an API key, or nobody. */
  readonly userId: string | null;
}

export const SYSTEM: Hand = { side: 'system', accountId: null, userId: null };

export interface NewEntry {
  readonly portOrderId: string;
  readonly at: number;
  readonly action: TimelineAction;
  readonly hand: Hand;
  /** Of operators, for operators. */
  readonly internal?: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

export type TimelineEntry = Required<NewEntry> & { readonly id: string };

interface TimelineRow {
  id: string;
  port_order_id: string;
  at: Date;
  action: TimelineAction;
  internal: boolean;
  by_side: Side;
  by_account_id: string | null;
  by_user_id: string | null;
  details: Readonly<Record<string, unknown>>;
}

export async function insertEntry(tx: Db, entry: NewEntry): Promise<void> {
  await tx('port_timeline').insert({
    id: newId(),
    port_order_id: entry.portOrderId,
    at: new Date(entry.at),
    action: entry.action,
    internal: entry.internal ?? false,
    by_side: entry.hand.side,
    by_account_id: entry.hand.accountId,
    by_user_id: entry.hand.userId,
    details: JSON.stringify(entry.details),
  });
}

/** Newest first. Whose order it is was looked at before. */
export async function listEntries(
  db: Db,
  portOrderId: string,
  query: { readonly withInternal: boolean; readonly slice: IdSlice },
): Promise<Page<TimelineEntry>> {
  const { withInternal, slice } = query;
  const { rows } = await db.raw<{ rows: TimelineRow[] }>(
    `select id, port_order_id, at, action, internal, by_side, by_account_id, by_user_id, details from port_timeline
     where port_order_id = ? and (? or not internal) and (?::uuid is null or id < ?::uuid) order by id desc limit ?`,
    [portOrderId, withInternal, slice.after, slice.after, slice.limit + 1],
  );
  const entries = rows.map((row) => ({
    id: row.id,
    portOrderId: row.port_order_id,
    at: row.at.getTime(),
    action: row.action,
    internal: row.internal,
    hand: { side: row.by_side, accountId: row.by_account_id, userId: row.by_user_id },
    details: row.details,
  }));
  return toPage(entries, slice.limit, (entry) => [entry.id]);
}
