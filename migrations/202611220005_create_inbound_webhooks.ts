import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Accepted webhooks, raw: the inbox is the queue. Processing a row and its effects commit together.
    create table inbound_webhooks (
      id uuid primary key,
      carrier_id uuid not null,
      -- The account of the call, else of the carrier; null: nobody's yet, on a shared carrier.
      account_id uuid,
      provider text not null,
      delivery_key text not null,
      status text not null default 'pending',
      code text,
      detail text,
      event_type text,
      call_log_id uuid,
      -- What it waits for or would be taken up by: 'leg:…', 'session:…', 'number:+…' (waiting and ignored rows only).
      wait_keys text[],
      method text not null,
      path text not null,
      headers jsonb not null,
      body bytea not null,
      deliveries integer not null default 1,
      attempts integer not null default 0,
      next_attempt_at timestamptz,
      received_at timestamptz not null,
      processed_at timestamptz,
      constraint inbound_webhooks_delivery_key unique (carrier_id, delivery_key)
    ) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
    create index inbound_webhooks_pending on inbound_webhooks (id) where status = 'pending';
    create index inbound_webhooks_taken_up on inbound_webhooks using gin (wait_keys) where wait_keys is not null;
    create index inbound_webhooks_waiting on inbound_webhooks (processed_at) where status = 'waiting';
    create index inbound_webhooks_of_account on inbound_webhooks (account_id, received_at desc, id desc);
    create index inbound_webhooks_of_carrier on inbound_webhooks (carrier_id, received_at desc, id desc);
    create index inbound_webhooks_of_call on inbound_webhooks (call_log_id) where call_log_id is not null;

    -- The oldest pending webhooks that nobody holds, locked. A function for its settings: the planner knows the backlog
    -- from statistics that lag behind, and would rather sort all of it than walk the index as far as it needs.
    create function claim_webhooks(most integer) returns setof inbound_webhooks language sql
      set enable_bitmapscan = off set enable_sort = off set enable_seqscan = off as $$
      select * from inbound_webhooks
      where status = 'pending' and (next_attempt_at is null or next_attempt_at <= now())
      order by id limit most for update skip locked
    $$;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function claim_webhooks; drop table inbound_webhooks');
}
