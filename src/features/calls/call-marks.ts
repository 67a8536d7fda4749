import type { Actor } from '../../http/actor.js';
import { type IdSlice, type Page, toPage } from '../../http/pagination.js';
import { newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import { command, type Statement } from '../../platform/db/statement.js';
import type { QueuedEvent } from '../events/index.js';
import type { CallRow } from './call.js';
import { timelineEntries } from './call-events.js';
import { behindOf, placedTimeline, timelineText } from './calls.repository.js';

/** A change of a call's tags or note, with who and when. */
export interface CallChange {
  readonly id: string;
  readonly at: Date;
  readonly by_user_id: string | null;
  readonly by_api_key_id: string | null;
  readonly changes: Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;
}

export async function updateMarks(tx: Db, row: CallRow): Promise<void> {
  await tx.raw('update call_logs set tags = ?::text[], note = ?, updated_at = ? where id = ?', [
    [...row.tags],
    row.note,
    row.updated_at.toISOString(),
    row.id,
  ]);
}

export async function insertCallChange(
  tx: Db,
  change: { readonly actor: Actor; readonly before: CallRow; readonly after: CallRow },
): Promise<void> {
  const { actor, before, after } = change;
  const members = (['tags', 'note'] as const).filter((name) => before[name] !== after[name]);
  await tx('call_log_changes').insert({
    id: newId(),
    call_log_id: after.id,
    account_id: after.account_id,
    at: after.updated_at,
    by_user_id: actor.userId,
    by_api_key_id: actor.apiKeyId,
    changes: JSON.stringify(Object.fromEntries(members.map((name) => [name, { from: before[name], to: after[name] }]))),
  });
}

/** Newest first. */
export async function listCallChanges(db: Db, call: CallRow, slice: IdSlice): Promise<Page<CallChange>> {
  const after = slice.after === null ? { sql: '', bindings: [] } : { sql: 'and id < ?', bindings: [slice.after] };
  const { rows } = await db.raw<{ rows: CallChange[] }>(
    `select id, at, by_user_id, by_api_key_id, changes from call_log_changes
     where call_log_id = ? and account_id = ? ${after.sql} order by id desc limit ?`,
    [call.id, call.account_id, ...after.bindings, slice.limit + 1],
  );
  return toPage(rows, slice.limit, (change) => [change.id]);
}

/** The events as they will be sent; for those that no webhook stated. */
export function appendToTimeline(callId: string, queue: readonly QueuedEvent[]): Statement[] {
  const told = timelineEntries(queue, []).get(callId);
  if (!told) return [];
  const added = placedTimeline('?::text', '?', 'c.account_id');
  const sql = `update call_logs c set timeline = c.timeline::jsonb || ${added}::jsonb where c.id = ?`;
  return [command({ sql, bindings: [timelineText([], told), behindOf(told), callId] })];
}
