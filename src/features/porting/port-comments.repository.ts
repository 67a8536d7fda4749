import { type IdSlice, type Page, toPage } from '../../http/pagination.js';
import type { Db } from '../../platform/db/connect.js';
import type { Hand } from './port-timeline.repository.js';

export interface PortComment {
  readonly id: string;
  readonly portOrderId: string;
  readonly text: string;
  readonly internal: boolean;
  readonly hand: Hand;
  readonly createdAt: number;
}

interface CommentRow {
  id: string;
  port_order_id: string;
  text: string;
  internal: boolean;
  by_side: 'account' | 'operator';
  by_account_id: string;
  by_user_id: string | null;
  created_at: Date;
}

export async function insertComment(tx: Db, comment: PortComment): Promise<void> {
  await tx('port_comments').insert({
    id: comment.id,
    port_order_id: comment.portOrderId,
    text: comment.text,
    internal: comment.internal,
    by_side: comment.hand.side,
    by_account_id: comment.hand.accountId,
    by_user_id: comment.hand.userId,
    created_at: new Date(comment.createdAt),
  });
}

/** Newest first. Whose order it is was looked at before. */
export async function listComments(
  db: Db,
  portOrderId: string,
  query: { readonly withInternal: boolean; readonly slice: IdSlice },
): Promise<Page<PortComment>> {
  const { withInternal, slice } = query;
  const { rows } = await db.raw<{ rows: CommentRow[] }>(
    `select id, port_order_id, text, internal, by_side, by_account_id, by_user_id, created_at from port_comments
     where port_order_id = ? and (? or not internal) and (?::uuid is null or id < ?::uuid) order by id desc limit ?`,
    [portOrderId, withInternal, slice.after, slice.after, slice.limit + 1],
  );
  const comments = rows.map((row) => ({
    id: row.id,
    portOrderId: row.port_order_id,
    text: row.text,
    internal: row.internal,
    hand: { side: row.by_side, accountId: row.by_account_id, userId: row.by_user_id },
    createdAt: row.created_at.getTime(),
  }));
  return toPage(comments, slice.limit, (comment) => [comment.id]);
}
