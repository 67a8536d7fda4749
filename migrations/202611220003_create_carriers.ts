import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- An account's line to a provider; a shared one (operator's) has no account and serves every account's numbers.
    create table carriers (
      id uuid primary key,
      account_id uuid references accounts (id),
      provider text not null,
      name text not null,
      -- Sealed JSON {name: [values]}; what is set is told by credential_names, plain settings stand in settings.
      credentials text not null,
      credential_names text[] not null,
      settings jsonb not null default '{}',
      is_active boolean not null default true,
      voice_url text,
      country text,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      deleted_at timestamptz
    );
    create index carriers_of_account on carriers (account_id, id);

    -- What was last heard on the line and how often what came; written seldom (gathered in the process), read by people.
    create table carrier_activity (
      carrier_id uuid primary key references carriers (id),
      last_event_at timestamptz,
      last_accepted jsonb,
      last_refused jsonb,
      accepted_count bigint not null default 0,
      refused_count bigint not null default 0
    ) with (fillfactor = 50);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table carrier_activity, carriers');
}
