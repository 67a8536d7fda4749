import { newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import type { SecretBox } from '../../platform/secret-box.js';
import type { EventType, Record as RecordEvent } from '../events/index.js';
import { differences } from './order-changes.js';
import { insertComment, type PortComment } from './port-comments.repository.js';
import { listDocuments } from './port-documents.repository.js';
import type { PortOrder } from './port-order.js';
import { type Hand, insertEntry, type NewEntry } from './port-timeline.repository.js';
import { presentOrder } from './porting.present.js';
import { updateOrder } from './porting.repository.js';

/** One transaction on one order: where its changes are written, and told on the account's event log. */
export interface Journal {
  readonly tx: Db;
  readonly record: RecordEvent;
  readonly box: SecretBox;
  readonly now: number;
}

type PortEventType = Extract<EventType, `port_order.${string}`>;

/** Tells the order as the transaction leaves it; to be called after everything is written. */
export async function tell(
  { tx, record, now }: Journal,
  order: PortOrder,
  { type, more = {} }: { readonly type: PortEventType; readonly more?: Readonly<Record<string, unknown>> },
): Promise<void> {
  const documents = await listDocuments(tx, [order.id]);
  record({
    ...{ accountId: order.accountId, type, subjectId: order.id, occurredAt: now, receivedAt: now },
    payload: { ...presentOrder({ order, documents }, now), ...more },
  });
}

export const note = ({ tx, now }: Journal, order: PortOrder, entry: Omit<NewEntry, 'portOrderId' | 'at'>) =>
  insertEntry(tx, { ...entry, portOrderId: order.id, at: now });

/** Writes what was changed of an order; nothing at all when nothing was. */
export async function saveChanges(
  journal: Journal,
  change: { readonly before: PortOrder; readonly after: PortOrder; readonly hand: Hand },
): Promise<PortOrder> {
  const { before, hand } = change;
  const changes = differences(before, change.after, journal.box);
  if (Object.keys(changes).length === 0) return before;
  const after = { ...change.after, updatedAt: Math.max(journal.now, before.updatedAt) };
  await updateOrder(journal.tx, after);
  const hasMoved = before.status !== after.status;
  await note(journal, after, { action: hasMoved ? 'status_changed' : 'updated', hand, details: { changes } });
  await tell(journal, after, { type: hasMoved ? 'port_order.status_changed' : 'port_order.updated' });
  return after;
}

/** Comments do not change the order. What operators write among themselves is told to nobody. */
export async function saveComment(
  journal: Journal,
  order: PortOrder,
  given: Pick<PortComment, 'text' | 'internal' | 'hand'>,
): Promise<PortComment> {
  const { text, internal, hand } = given;
  const comment = { ...given, id: newId(), portOrderId: order.id, createdAt: journal.now };
  await insertComment(journal.tx, comment);
  await note(journal, order, { action: 'commented', hand, internal, details: { comment_id: comment.id } });
  if (internal) return comment;
  const told = { id: comment.id, text, by: hand.side, created_at: new Date(comment.createdAt).toISOString() };
  await tell(journal, order, { type: 'port_order.commented', more: { comment: told } });
  return comment;
}
