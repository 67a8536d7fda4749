import type { Knex } from 'knex';

/**
 * Webhooks that are stored with what came of them, in the transaction that makes call logs and events of them. All or
 * nothing: what is sent along with it, the commit included, must not take effect when one of them is there already.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function store_worked_off(at timestamptz, bodies bytea, starts int[], lengths int[], lists jsonb, ids uuid[],
        carriers uuid[], accounts uuid[], providers text[], keys text[], statuses text[], codes text[], details text[],
        methods text[], paths text[], arrivals timestamptz[], types text[], calls uuid[])
      returns void language plpgsql set plan_cache_mode = force_generic_plan as $$
    declare
      stored bigint;
    begin
      insert into inbound_webhooks (id, carrier_id, account_id, provider, delivery_key, status, code, detail, method,
        path, received_at, event_type, call_log_id, headers, body, wait_keys, leg_keys, processed_at)
      select w.id, w.carrier_id, w.account_id, w.provider, w.delivery_key, w.status, w.code, w.detail, w.method, w.path,
        w.received_at, w.event_type, w.call_log_id, w.headers, substr(bodies, w.start, w.length), w.wait_keys, w.leg_keys, at
      from rows from (
        unnest(ids, carriers, accounts, providers, keys, statuses, codes, details, methods, paths, arrivals, types, calls),
        jsonb_to_recordset(lists) as (headers jsonb, wait_keys text[], leg_keys text[]), unnest(starts, lengths))
        as w (id, carrier_id, account_id, provider, delivery_key, status, code, detail, method, path, received_at,
          event_type, call_log_id, headers, wait_keys, leg_keys, start, length)
      on conflict on constraint inbound_webhooks_delivery_key do nothing;
      get diagnostics stored = row_count;
      if stored <> cardinality(ids) then
        raise exception 'Some of these webhooks are here already.' using errcode = 'SB001';
      end if;
    end
    $$;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop function store_worked_off(timestamptz, bytea, int[], int[], jsonb, uuid[], uuid[], uuid[], text[], text[], text[],
      text[], text[], text[], text[], timestamptz[], text[], uuid[])
  `);
}
