import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- The account's ordered log. seq comes from account_counters, whose row lock is held until the commit: so the order
    -- of seq is the order of commits, and a reader that follows it misses nothing.
    create table events (
      account_id uuid not null,
      seq bigint not null,
      type text not null,
      -- call log, virtual number or port order that it is about
      subject_id uuid,
      occurred_at timestamptz not null,
      received_at timestamptz not null,
      -- The thing as the transaction left it, as the wire shows it: json, which keeps the order of the members.
      payload json not null,
      -- What visibility and filters are judged by, as it was before, where it changed.
      before jsonb,
      created_at timestamptz not null default now(),
      primary key (account_id, seq)
    );
    create index events_by_age on events using brin (created_at) with (pages_per_range = 32);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table events');
}
