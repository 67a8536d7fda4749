import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table accounts (
      id uuid primary key,
      name text not null,
      is_active boolean not null default true,
      -- Days that call logs, events and raw webhooks are kept; null: for ever, EVENT_RETENTION, WEBHOOK_RETENTION.
      call_retention_days integer,
      event_retention_days integer,
      webhook_retention_days integer,
      created_at timestamptz not null,
      updated_at timestamptz not null
    );

    -- The account's event counter: the lock and the sequence in one. A row of its own, because it changes with every
    -- batch of events. Everything up to pruned_seq may have been deleted from the event log.
    create table account_counters (
      account_id uuid primary key references accounts (id),
      seq bigint not null default 0,
      pruned_seq bigint not null default 0
    ) with (fillfactor = 50);

    create table users (
      id uuid primary key,
      account_id uuid not null references accounts (id),
      username text not null unique,
      password_hash text not null,
      role text not null check (role in ('member', 'admin', 'operator')),
      is_active boolean not null default true,
      contact_number text,
      -- Raised when all sign-ins must stop (changed password, deactivation): sessions carry the epoch they began in.
      session_epoch integer not null default 0,
      -- The same for tokens that name no session: refused when they were issued before this moment.
      tokens_valid_from timestamptz not null default 'epoch',
      created_at timestamptz not null,
      updated_at timestamptz not null,
      unique (account_id, contact_number)
    );
    create index users_of_account on users (account_id, id);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table users, account_counters, accounts');
}
