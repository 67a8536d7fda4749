import type { Knex } from 'knex';

/**
 * A webhook's row is written once: what came of it is a row of its own, and that it waits for a worker is told by the row
 * of all that one statement stored: docs/decisions/0018-webhooks-are-written-once.md. Rows that are not `new` are as before, and tell
 * everything themselves.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- The webhooks that one statement stored, until a worker has worked them off; by the least of their ids.
    create table webhook_arrivals (
      id uuid primary key,
      ids uuid[] not null
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

    -- Of new webhooks that were processed and are of one leg at most.
    create table webhook_outcomes (
      webhook_id uuid primary key,
      call_log_id uuid,
      processed_at timestamptz not null,
      event_type text
    );
    create index webhook_outcomes_of_call on webhook_outcomes (call_log_id) where call_log_id is not null;

    -- Few rows have a second version now.
    alter table inbound_webhooks set (fillfactor = 90);

    -- Webhooks as everybody sees them.
    create view seen_webhooks as
      select w.id, w.carrier_id, w.received_at, w.account_id, coalesce(o.call_log_id, w.call_log_id) as call_log_id,
        coalesce(o.processed_at, w.processed_at) as processed_at, w.next_attempt_at, w.attempts, w.deliveries,
        case when w.status <> 'new' then w.status when o.webhook_id is null then 'pending' else 'processed' end as status,
        w.status as stored_status, w.code, w.detail, coalesce(o.event_type, w.event_type) as event_type, w.wait_keys,
        w.leg_keys, w.provider, w.delivery_key, w.method, w.path, w.headers, w.body
      from inbound_webhooks w left join webhook_outcomes o on o.webhook_id = w.id;

    -- The oldest that wait for a worker and that nobody holds, first those that stand alone. One arrival after the other
    -- is fetched, for each that is fetched is locked. It is gone when what comes of its webhooks is committed.
    create function claim_pending_webhooks(most integer, before uuid) returns setof inbound_webhooks language plpgsql
      set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
      set plan_cache_mode = force_generic_plan as $$
    declare
      arrivals cursor for select * from webhook_arrivals a where a.id < before order by a.id for update skip locked;
      arrival webhook_arrivals;
      claimed uuid[] := '{}';
      alone integer;
    begin
      return query select * from claim_webhooks(most, before);
      get diagnostics alone = row_count;
      open arrivals;
      while alone + cardinality(claimed) < most loop
        fetch arrivals into arrival;
        exit when not found;
        claimed := claimed || arrival.ids;
        delete from webhook_arrivals where current of arrivals;
      end loop;
      close arrivals;
      return query select w.* from inbound_webhooks w where w.id = any(claimed) and w.status = 'new' order by w.id;
    end
    $$;

    -- All of these arrivals or none.
    create function claim_arrivals(given uuid[]) returns void language plpgsql
      set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
      set plan_cache_mode = force_generic_plan as $$
    declare
      claimed bigint;
    begin
      with locked as materialized (
        select a.id from webhook_arrivals a where a.id = any(given) for update skip locked)
      delete from webhook_arrivals a using locked where a.id = locked.id;
      get diagnostics claimed = row_count;
      if claimed <> cardinality(given) then
        raise exception 'Another worker has some of these webhooks.' using errcode = 'SB001';
      end if;
    end
    $$;

    -- Has the webhooks of arrivals that nobody holds wait alone; one that spoils the others can be told apart then.
    create function part_arrivals(given uuid[]) returns void language sql as $$
      with locked as materialized (
        select a.id from webhook_arrivals a where a.id = any(given) for update skip locked),
      parted as (delete from webhook_arrivals a using locked where a.id = locked.id returning a.ids)
      update inbound_webhooks w set status = 'pending'
      from parted cross join unnest(parted.ids) as p (id) where w.id = p.id and w.status = 'new'
    $$;

    -- Has the rows of webhooks tell themselves what came of them, for whoever is to write them.
    create function settle_outcomes(given uuid[]) returns void language sql as $$
      with locked as materialized (
        select o.webhook_id from webhook_outcomes o where o.webhook_id = any(given) order by o.webhook_id for update),
      gone as (delete from webhook_outcomes o using locked where o.webhook_id = locked.webhook_id returning o.*)
      update inbound_webhooks w set status = 'processed', call_log_id = gone.call_log_id, event_type = gone.event_type,
        processed_at = gone.processed_at
      from gone where w.id = gone.webhook_id
    $$;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    lock table inbound_webhooks in access exclusive mode;
    update inbound_webhooks w set status = 'processed', call_log_id = o.call_log_id, event_type = o.event_type,
      processed_at = o.processed_at from webhook_outcomes o where o.webhook_id = w.id;
    update inbound_webhooks set status = 'pending' where status = 'new';
    drop function claim_pending_webhooks, claim_arrivals, part_arrivals, settle_outcomes;
    drop view seen_webhooks;
    drop table webhook_arrivals, webhook_outcomes;
    alter table inbound_webhooks set (fillfactor = 50);
  `);
}
