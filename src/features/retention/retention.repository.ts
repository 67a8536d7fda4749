import type { Db } from '../../platform/db/connect.js';

/** Days by account, of the accounts that keep call logs for a time. */
export async function findCallRetentions(db: Db): Promise<Map<string, number>> {
  const { rows } = await db.raw<{ rows: { id: string; days: number }[] }>(
    'select id, call_retention_days as days from accounts where call_retention_days is not null',
  );
  return new Map(rows.map(({ id, days }) => [id, days]));
}

/**
 * Deletes the account's oldest calls of which nothing happened since `before`, at most `limit`; their timelines go with
 * them. Readers wait for nothing, and a call that a batch of webhooks holds is left for the next time. Answers how many.
 */
export async function deleteOldCalls(
  db: Db,
  question: { readonly accountId: string; readonly before: Date; readonly limit: number },
): Promise<number> {
  const { rows } = await db.raw<{ rows: { count: number }[] }>(
    `with old as (
       select c.id from call_logs c
       where c.account_id = :accountId and c.status = 'ended' and c.started_at < :before
         and (c.ended_at is null or c.ended_at < :before)
       order by c.started_at limit :limit for update skip locked),
     gone as (delete from call_logs c using old where c.id = old.id returning 1)
     select count(*) as count from gone`,
    question,
  );
  return rows[0]?.count ?? 0;
}
