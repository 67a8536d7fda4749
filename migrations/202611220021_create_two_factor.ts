import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table accounts add column requires_two_factor boolean not null default false;

    create table user_two_factor (
      user_id uuid primary key references users (id) on delete cascade,
      -- Sealed with ENCRYPTION_KEY.
      secret text not null,
      -- Null: the user has not shown a code of it yet.
      enabled_at timestamptz,
      -- The newest step of 30 s whose code was taken; none is taken twice.
      last_step bigint not null default 0,
      created_at timestamptz not null
    );

    -- SHA-256 of codes with 80 random bits. A used one is deleted.
    create table user_recovery_codes (
      user_id uuid not null references user_two_factor (user_id) on delete cascade,
      code_hash bytea not null,
      primary key (user_id, code_hash)
    );
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table user_recovery_codes, user_two_factor');
  await knex.raw('alter table accounts drop column requires_two_factor');
}
