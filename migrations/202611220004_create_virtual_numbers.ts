import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table virtual_numbers (
      id uuid primary key,
      account_id uuid not null references accounts (id),
      user_id uuid,
      carrier_id uuid,
      phone_number text not null,
      is_active boolean not null,
      label text,
      country text,
      type text,
      tags text[] not null default '{}',
      -- Raised with each change; what a client's If-Match is compared with.
      version integer not null default 1,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      released_at timestamptz,
      -- Set when the number came by a port order, and when the first call after it was seen.
      ported_at timestamptz,
      first_call_at timestamptz
    );
    create unique index virtual_numbers_phone_number_key on virtual_numbers (phone_number) where released_at is null;
    create index virtual_numbers_of_account on virtual_numbers (account_id, id) where released_at is null;
    create index virtual_numbers_of_user on virtual_numbers (account_id, user_id, id) where released_at is null;
    create index virtual_numbers_last_held on virtual_numbers (phone_number, released_at desc) where released_at is not null;

    -- Who held a number when: a row for each span of (account, user). The spans of one number never overlap, because
    -- a number is claimed by one account at a time and each change closes the span before it, in the same transaction.
    create table number_holdings (
      id uuid primary key,
      phone_number text not null,
      virtual_number_id uuid not null references virtual_numbers (id),
      account_id uuid not null,
      user_id uuid,
      -- Half open: a call that begins at held_until belongs to whoever comes next.
      held_from timestamptz not null,
      held_until timestamptz
    );
    create index number_holdings_by_number on number_holdings (phone_number, held_from);
    create index number_holdings_by_begin on number_holdings (held_from);
    create unique index number_holdings_open on number_holdings (virtual_number_id) where held_until is null;

    create table number_changes (
      id uuid primary key,
      virtual_number_id uuid not null references virtual_numbers (id),
      account_id uuid not null,
      at timestamptz not null,
      action text not null check (action in ('claimed', 'updated', 'assigned', 'released', 'ported')),
      by_user_id uuid,
      changes jsonb not null
    );
    create index number_changes_of_number on number_changes (virtual_number_id, id desc);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table number_changes, number_holdings, virtual_numbers');
}
