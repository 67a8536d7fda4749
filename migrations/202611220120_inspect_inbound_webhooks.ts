import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- The legs ('leg:<carrier>:<call id>') of a webhook that speaks of several; of one leg, call_log_id tells.
    alter table inbound_webhooks add column leg_keys text[];
    create index inbound_webhooks_of_legs on inbound_webhooks using gin (leg_keys) where leg_keys is not null;

    -- What did not become a part of a call: few rows, and those that people look for.
    create index inbound_webhooks_unused on inbound_webhooks (account_id, received_at desc, id desc)
      where status in ('waiting', 'ignored', 'failed');

    -- Replays by filter that are still going on: from the newest webhook to the oldest, as fast as they are worked off.
    create table webhook_replays (
      id uuid primary key,
      account_id uuid not null,
      with_nobodys boolean not null,
      filters jsonb not null,
      -- The webhooks older than this one are still to be queued.
      before_at timestamptz not null,
      before_id uuid not null
    );

    -- How long webhooks were on the way (told time to arrival), counted by hour in buckets that grow by a tenth.
    create table carrier_delays (
      carrier_id uuid not null,
      hour timestamptz not null,
      bucket smallint not null,
      count bigint not null,
      primary key (carrier_id, hour, bucket)
    ) with (fillfactor = 50);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table carrier_delays, webhook_replays;
    drop index inbound_webhooks_unused, inbound_webhooks_of_legs;
    alter table inbound_webhooks drop column leg_keys;
  `);
}
