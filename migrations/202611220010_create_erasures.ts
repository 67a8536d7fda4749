import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Looked for by every process that records calls, once a second.
    create index accounts_with_call_retention on accounts (id) include (call_retention_days)
      where call_retention_days is not null;

    -- The key of an account's pseudonyms, sealed; made with its first erasure.
    create table erasure_keys (
      account_id uuid primary key references accounts (id),
      sealed_key text not null
    );

    -- Parties that were made unreadable. The number itself is here only until that is done, and sealed.
    create table erasures (
      id uuid primary key,
      account_id uuid not null references accounts (id),
      -- What stands in the number's place: a keyed hash of it.
      pseudonym text not null,
      -- Keyed hashes of its spellings, by which it is recognised when it comes again.
      marks text[] not null,
      sealed_number text,
      status text not null,
      -- Of the work: which step, and behind which row it goes on.
      step text not null,
      place jsonb,
      changed jsonb not null,
      by_user_id uuid,
      by_api_key_id uuid,
      created_at timestamptz not null,
      finished_at timestamptz,
      constraint erasures_pseudonym unique (account_id, pseudonym)
    );
    create index erasures_of_account on erasures (account_id, id desc);
    create index erasures_to_do on erasures (created_at) where status <> 'done';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table erasures, erasure_keys;
    drop index accounts_with_call_retention;
  `);
}
