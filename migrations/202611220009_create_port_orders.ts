import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table port_orders (
      id uuid primary key,
      account_id uuid not null references accounts (id),
      status text not null check (status in ('draft', 'submitted', 'in_process', 'foc_confirmed', 'exception',
        'cancel_pending', 'ported', 'canceled')),
      phone_numbers text[] not null,
      losing_carrier text,
      subscriber_name text,
      subscriber_address text,
      -- Sealed JSON {account_number, pin}; null: neither is known.
      subscriber_secrets text,
      requested_for date,
      -- The day that the losing carrier promised.
      foc_date date,
      -- When it was told that the promised day has passed.
      foc_overdue_at timestamptz,
      -- {code, message}, while the order is in exception.
      exception jsonb,
      cancel_reason text,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      submitted_at timestamptz,
      ported_at timestamptz,
      canceled_at timestamptz
    );
    create index port_orders_of_account on port_orders (account_id, id desc);
    create index port_orders_drafts on port_orders (updated_at) where status = 'draft';
    create index port_orders_confirmed on port_orders (foc_date) where status = 'foc_confirmed' and foc_overdue_at is null;

    create table port_documents (
      id uuid primary key,
      port_order_id uuid not null references port_orders (id),
      kind text not null check (kind in ('loa', 'invoice')),
      file_name text not null,
      content_type text not null,
      size integer not null,
      sha256 text not null,
      created_at timestamptz not null
    );
    create index port_documents_of_order on port_documents (port_order_id, id);

    -- Apart from the rest, so that no list ever reads it. PDF, PNG and JPEG are compressed already.
    create table port_document_contents (
      document_id uuid primary key references port_documents (id) on delete cascade,
      content bytea not null
    );
    alter table port_document_contents alter column content set storage external;

    create table port_comments (
      id uuid primary key,
      port_order_id uuid not null references port_orders (id),
      text text not null,
      -- Between operators: never shown to the account.
      internal boolean not null,
      by_side text not null check (by_side in ('account', 'operator')),
      by_account_id uuid not null,
      by_user_id uuid,
      created_at timestamptz not null
    );
    create index port_comments_of_order on port_comments (port_order_id, id desc);

    create table port_timeline (
      id uuid primary key,
      port_order_id uuid not null references port_orders (id),
      at timestamptz not null,
      action text not null,
      internal boolean not null default false,
      by_side text not null check (by_side in ('account', 'operator', 'system')),
      by_account_id uuid,
      by_user_id uuid,
      details jsonb not null
    );
    create index port_timeline_of_order on port_timeline (port_order_id, id desc);

    -- What an order brought. A call log may be erased one day; that a first call came stays known here.
    create table ported_numbers (
      virtual_number_id uuid primary key references virtual_numbers (id),
      port_order_id uuid not null references port_orders (id),
      account_id uuid not null,
      phone_number text not null,
      ported_at timestamptz not null,
      first_call_at timestamptz
    );
    create index ported_numbers_of_order on ported_numbers (port_order_id);
    create index ported_numbers_silent on ported_numbers (account_id, virtual_number_id) where first_call_at is null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table ported_numbers, port_timeline, port_comments, port_document_contents, port_documents, port_orders
  `);
}
