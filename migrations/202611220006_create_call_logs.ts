import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- One row for each leg. 'facts' is what the webhooks stated, joined; every other column of the record is a view of it.
    create table call_logs (
      id uuid primary key,
      account_id uuid not null,
      virtual_number_id uuid,
      virtual_number text,
      user_id uuid,
      carrier_id uuid not null,
      provider text not null,
      carrier_call_id text not null,
      session_id text,
      parent_carrier_call_id text,
      parent_call_log_id uuid,
      direction text not null,
      caller_number text not null,
      called_number text not null,
      -- Of the other party: the caller of an incoming, the called of an outgoing call.
      country text,
      status text not null,
      disposition text,
      started_at timestamptz not null,
      ringing_at timestamptz,
      answered_at timestamptz,
      ended_at timestamptz,
      duration integer not null,
      ring_duration integer,
      hangup_cause text,
      hangup_source text,
      provider_cause text,
      price numeric,
      currency text,
      tags text[] not null default '{}',
      note text,
      last_news_at timestamptz not null,
      updated_at timestamptz not null,
      facts jsonb not null,
      -- [{seq, type, occurred_at, received_at, inbound_webhook_id}]: lives as long as the call log.
      timeline jsonb not null default '[]',
      constraint call_logs_leg unique (carrier_id, carrier_call_id)
    ) with (fillfactor = 70);
    create index call_logs_page on call_logs (account_id, started_at desc, id desc);
    create index call_logs_in_progress on call_logs (account_id, id) where status <> 'ended';
    create index call_logs_without_end on call_logs (last_news_at) where status <> 'ended';
    create index call_logs_of_parent on call_logs (carrier_id, parent_carrier_call_id) where parent_carrier_call_id is not null;
    create index call_logs_of_session on call_logs (carrier_id, session_id) where session_id is not null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table call_logs');
}
