import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

/** The migrations' own rows stay; of the rest nothing does. */
const KEPT = ['knex_migrations', 'knex_migrations_lock', 'installation', 'bullmq.migration'];
const OURS = `('public'::regnamespace, 'bullmq'::regnamespace)`;
const FIRST_OWN_OID = 16_384;
const ALONE_WITHIN_MS = 1000;

/** Statistics belong to it: plans are made by them. */
const STATE = `
  with own as (select oid, relname, relkind = 'r' and reltuples >= 0 as is_counted, reloptions from pg_class
               where relnamespace in ${OURS})
  select md5(string_agg(line, ' ' order by line)) as state from (
    select own::text from own
    union all select a::text from pg_attribute a join own on own.oid = attrelid
    union all select i::text from pg_index i join own on own.oid = indexrelid
    union all select t::text from pg_trigger t
    union all select c::text from pg_constraint c where oid >= ${FIRST_OWN_OID}
    union all select p::text from pg_proc p where oid >= ${FIRST_OWN_OID}
    union all select starelid::text from pg_statistic where starelid >= ${FIRST_OWN_OID}
    union all select m::text from knex_migrations m
    union all select l::text from knex_migrations_lock l
    union all select q::text from bullmq.migration q) as lines (line)`;

/**
 * A table of fewer than ten pages is planned like a new one, and new files cost more than its dead rows. As a replica
 * the session passes over foreign keys and over the rule that the audit log only grows.
 */
const EMPTY = `
  do $$
  declare own regclass; filled boolean; large text;
  begin
    set local lock_timeout = '2s';
    set local session_replication_role = replica;
    for own in select oid from pg_class where relkind = 'r' and relnamespace in ${OURS}
                 and oid <> all ('{${KEPT}}'::regclass[]) loop
      if pg_relation_size(own) >= 10 * 8192 then
        large := concat_ws(', ', large, own);
      else
        execute format('delete from %s', own);
      end if;
    end loop;
    if large is not null then execute format('truncate %s cascade', large); end if;
    perform setval(seqrelid, seqstart, false) from pg_sequence
      where pg_sequence_last_value(seqrelid) is not null
        and not exists (select from pg_depend where objid = seqrelid and refobjid = any ('{${KEPT}}'::regclass[]));
    update installation set id = gen_random_uuid();
  end $$`;

/** What tells one schema with its migrations from another, in databases that are copies of one template. */
export async function readState(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ state: string }>(STATE);
  return rows[0]?.state ?? '';
}

/**
 * Makes a used database as good as new. False where only a new one will do: the schema is not in that state any more,
 * it has statistics, or somebody is still connected.
 */
export async function emptyDatabase(url: string, state: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    if (!(await isAlone(client)) || (await readState(client)) !== state) return false;
    await client.query(EMPTY);
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError) return false;
    throw error;
  } finally {
    await client.end();
  }
}

/** Connections that were closed a moment ago may still be ending. */
async function isAlone(client: pg.Client): Promise<boolean> {
  const until = Date.now() + ALONE_WITHIN_MS;
  for (;;) {
    const { rowCount } = await client.query(
      `select from pg_stat_activity where datname = current_database()
         and backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    if (rowCount === 0) return true;
    if (Date.now() > until) return false;
    await pause(10);
  }
}
