import type { Knex } from 'knex';

/**
 * The oldest pending webhooks that nobody holds, of those before an id: a worker that has the newest in memory need not
 * read them from the inbox. The function without the id stays for processes of the version before.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function claim_webhooks(most integer, before uuid) returns setof inbound_webhooks language sql
      set enable_bitmapscan = off set enable_sort = off set enable_seqscan = off as $$
      select * from inbound_webhooks
      where status = 'pending' and (next_attempt_at is null or next_attempt_at <= now()) and id < before
      order by id limit most for update skip locked
    $$
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function claim_webhooks(integer, uuid)');
}
