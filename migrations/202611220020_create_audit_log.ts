import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Every change that somebody asked for, and every sign-in. Rows are written once and stay as they are.
    create table audit_log (
      id uuid primary key,
      -- Whose log it is in; null: nobody's (a sign-in under a name that nobody has).
      account_id uuid,
      created_at timestamptz not null default now(),
      action text not null,
      outcome text not null check (outcome in ('succeeded', 'failed', 'unknown')),
      actor_type text not null check (actor_type in ('user', 'api_key', 'operator', 'system', 'anonymous')),
      actor_user_id uuid,
      actor_api_key_id uuid,
      address text,
      request_id text,
      object_type text not null,
      object_id uuid,
      -- Names of what the request gave; never the values.
      members text[] not null default '{}',
      -- The object as the API shows it, without secrets; of a change only what differs.
      before jsonb,
      after jsonb
    );
    create index audit_log_of_account on audit_log (account_id, id desc);
    create index audit_log_by_action on audit_log (account_id, action, id desc);
    create index audit_log_by_object on audit_log (object_id, id desc) where object_id is not null;

    -- A request that is about to change something: what is left here after a crash becomes an entry of unknown outcome.
    create table audit_intents (
      id uuid primary key,
      begun_at timestamptz not null default now(),
      entry jsonb not null
    );
    create index audit_intents_by_age on audit_intents (begun_at);

    -- Nobody changes what was written. Retention deletes, and erasure blanks before and after, when they say so in
    -- their own transaction: set local switchboard.audit_maintenance = 'on'.
    create function audit_log_stays() returns trigger language plpgsql as $$
    begin
      if coalesce(current_setting('switchboard.audit_maintenance', true), '') = 'on' then
        if tg_op = 'DELETE' then return old; end if;
        if tg_op = 'UPDATE' and to_jsonb(new) - 'before' - 'after' = to_jsonb(old) - 'before' - 'after' then
          return new;
        end if;
      end if;
      raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege';
    end $$;
    create trigger audit_log_stays before update or delete on audit_log
      for each row execute function audit_log_stays();
    create trigger audit_log_is_not_emptied before truncate on audit_log
      for each statement execute function audit_log_stays();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table audit_intents, audit_log');
  await knex.raw('drop function audit_log_stays');
}
