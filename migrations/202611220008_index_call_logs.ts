import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index call_logs_in_progress;
    create index call_logs_in_progress on call_logs (account_id, started_at desc, id desc) where status <> 'ended';

    -- For searches and reports. A call's row changes with each of its states, and every index that it stands in with
    -- it; so these hold ended calls alone, which enter them once. The few in progress have call_logs_in_progress.
    create index call_logs_facts on call_logs (account_id, started_at desc, id desc)
      include (direction, disposition, user_id, virtual_number_id, country, duration, answered_at, ended_at,
        ring_duration, provider, carrier_id, parent_call_log_id)
      where status = 'ended';
    create index call_logs_by_caller on call_logs
      (account_id, caller_number text_pattern_ops, started_at desc, id desc)
      include (direction, disposition) where status = 'ended';
    create index call_logs_by_called on call_logs
      (account_id, called_number text_pattern_ops, started_at desc, id desc)
      include (direction, disposition) where status = 'ended';
    create index call_logs_of_user on call_logs (account_id, user_id, started_at desc, id desc)
      include (direction, disposition) where status = 'ended';
    create index call_logs_of_virtual_number on call_logs (account_id, virtual_number_id, started_at desc, id desc)
      include (direction, disposition) where status = 'ended';
    create index call_logs_of_country on call_logs (account_id, country, started_at desc, id desc)
      include (direction, disposition, duration) where status = 'ended';
    create index call_logs_of_carrier on call_logs (account_id, carrier_id, started_at desc, id desc)
      include (direction, disposition, duration) where status = 'ended';
    -- The other dispositions are so common that a page of them is found soon on the way through all calls.
    create index call_logs_unlucky on call_logs (account_id, disposition, started_at desc, id desc)
      where status = 'ended' and disposition in ('busy', 'rejected', 'canceled', 'failed', 'lost');
    create index call_logs_long on call_logs (account_id, duration, started_at desc, id desc)
      where status = 'ended' and duration >= 300;
    create index call_logs_of_parent_log on call_logs (parent_call_log_id, started_at desc, id desc)
      where parent_call_log_id is not null;

    -- The tags of the calls, in the list's order; kept by the trigger below, whoever writes the call log.
    create table call_log_tags (
      account_id uuid not null,
      tag text not null,
      started_at timestamptz not null,
      call_log_id uuid not null,
      primary key (account_id, tag, started_at, call_log_id)
    );

    create function keep_call_log_tags() returns trigger language plpgsql as $$
    begin
      if tg_op <> 'INSERT' then
        delete from call_log_tags t where t.account_id = old.account_id and t.tag = any(old.tags)
          and t.started_at = old.started_at and t.call_log_id = old.id;
      end if;
      if tg_op <> 'DELETE' then
        insert into call_log_tags (account_id, tag, started_at, call_log_id)
        select distinct new.account_id, tag, new.started_at, new.id from unnest(new.tags) as tag;
      end if;
      return null;
    end
    $$;
    create trigger call_log_tags_inserted after insert on call_logs
      for each row when (new.tags <> '{}') execute function keep_call_log_tags();
    create trigger call_log_tags_updated after update of tags, started_at, account_id on call_logs
      for each row when ((old.tags <> '{}' or new.tags <> '{}') and
        (old.tags, old.started_at, old.account_id) is distinct from (new.tags, new.started_at, new.account_id))
      execute function keep_call_log_tags();
    create trigger call_log_tags_deleted after delete on call_logs
      for each row when (old.tags <> '{}') execute function keep_call_log_tags();

    -- Who changed the tags and the note of a call, and when.
    create table call_log_changes (
      id uuid primary key,
      call_log_id uuid not null references call_logs (id) on delete cascade,
      account_id uuid not null,
      at timestamptz not null,
      by_user_id uuid,
      by_api_key_id uuid,
      changes jsonb not null
    );
    create index call_log_changes_of_call on call_log_changes (call_log_id, id);

    -- Searches read the indexes alone where the pages are known to be visible to all: that is vacuum's doing.
    alter table call_logs set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.05,
      autovacuum_analyze_scale_factor = 0.02);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table call_logs reset (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_scale_factor,
      autovacuum_analyze_scale_factor);
    drop table call_log_changes;
    drop trigger call_log_tags_inserted on call_logs;
    drop trigger call_log_tags_updated on call_logs;
    drop trigger call_log_tags_deleted on call_logs;
    drop function keep_call_log_tags();
    drop table call_log_tags;
    drop index call_logs_facts, call_logs_by_caller, call_logs_by_called, call_logs_of_user,
      call_logs_of_virtual_number, call_logs_of_country, call_logs_of_carrier, call_logs_unlucky, call_logs_long,
      call_logs_in_progress, call_logs_of_parent_log;
    create index call_logs_in_progress on call_logs (account_id, id) where status <> 'ended';
  `);
}
