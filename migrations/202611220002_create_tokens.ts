import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- A sign-in and everything refreshed from it. Its id is the 'sid' of its tokens.
    create table token_families (
      id uuid primary key,
      user_id uuid not null references users (id) on delete cascade,
      -- The user's epoch at the sign-in; the family lives while the two agree.
      session_epoch integer not null,
      created_at timestamptz not null,
      -- No successor lives longer; 30 days after the sign-in.
      expires_at timestamptz not null,
      -- When the last token issued so far ends; then the family is of no use any more.
      alive_until timestamptz not null,
      revoked_at timestamptz,
      revoked_reason text check (revoked_reason in ('signed_out', 'forked'))
    );
    create index token_families_of_user on token_families (user_id);
    create index token_families_by_end on token_families (alive_until);

    -- A node is what counts as one refresh token: siblings issued within REFRESH_REUSE_WINDOW share one. The id is the
    -- first half of its tokens' jti.
    create table token_nodes (
      family_id uuid not null references token_families (id) on delete cascade,
      id text not null,
      parent_id text,
      first_issued_at timestamptz not null,
      presented_at timestamptz,
      primary key (family_id, id)
    );

    create table api_keys (
      id uuid primary key,
      account_id uuid not null references accounts (id),
      name text not null,
      key_hash bytea not null unique,
      prefix text not null,
      scopes text[] not null,
      created_by_user_id uuid,
      created_at timestamptz not null,
      expires_at timestamptz,
      last_used_at timestamptz,
      revoked_at timestamptz
    );
    create index api_keys_of_account on api_keys (account_id, id);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table api_keys, token_nodes, token_families');
}
