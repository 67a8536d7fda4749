import type { Knex } from 'knex';

/**
 * What each batch asks besides its families, planned once for each connection (from PostgreSQL 18 on): planning took
 * 0.4 ms of a lone webhook, and running it 0.15. What would be right for small tables alone is switched off, for a plan
 * that is kept must stay right when the table has grown; bitmap scans stay, for an index of keys has no other.
 */
const FOR_ANY_SIZE = 'set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function find_holdings(numbers text[]) returns setof number_holdings language sql stable ${FOR_ANY_SIZE} as $$
      select * from number_holdings where phone_number = any(numbers) order by phone_number, held_from, id
    $$;
    create function raise_counters(ids uuid[], counts integer[]) returns table (account_id uuid, seq bigint)
      language sql ${FOR_ANY_SIZE} as $$
      with locked as materialized (
        select c.account_id, g.n from unnest(ids, counts) as g (id, n)
        join account_counters c on c.account_id = g.id order by c.account_id for update of c)
      update account_counters c set seq = c.seq + locked.n from locked
      where c.account_id = locked.account_id returning c.account_id, c.seq
    $$;
    create function mark_webhooks(at timestamptz, outcomes jsonb) returns void language sql ${FOR_ANY_SIZE} as $$
      update inbound_webhooks w set status = o.status, code = o.code, detail = o.detail, event_type = o.event_type,
        call_log_id = coalesce(o.call_log_id, w.call_log_id), account_id = coalesce(o.account_id, w.account_id),
        wait_keys = o.wait_keys, leg_keys = coalesce(o.leg_keys, w.leg_keys), processed_at = at, next_attempt_at = null
      from jsonb_to_recordset(outcomes) as o (id uuid, status text, code text, detail text, event_type text,
        call_log_id uuid, account_id uuid, wait_keys text[], leg_keys text[])
      where w.id = o.id
    $$;
    create function take_up_webhooks(keys text[], codes text[], besides uuid[]) returns bigint
      language sql ${FOR_ANY_SIZE} as $$
      with found as materialized (
        select distinct w.id from unnest(keys) as key
        cross join lateral (select id from inbound_webhooks where wait_keys @> array[key] offset 0) as w),
      taken as materialized (
        select w.id from found join inbound_webhooks w on w.id = found.id
        where w.status <> 'pending' and w.code = any(codes) and w.id <> all(besides)
        order by w.id for update of w),
      updated as (
        update inbound_webhooks w set status = 'pending', processed_at = null, next_attempt_at = null
        from taken where w.id = taken.id returning 1)
      select count(*) from updated
    $$;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`drop function find_holdings; drop function raise_counters; drop function mark_webhooks;
    drop function take_up_webhooks`);
}
