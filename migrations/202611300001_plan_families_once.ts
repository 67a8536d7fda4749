import type { Knex } from 'knex';

/**
 * Planning what locks and loads the families of a batch took 2.5 ms of a lone webhook. As functions they are
 * planned once for each connection (from PostgreSQL 18 on), and with what would be right for small tables alone switched
 * off: a plan that is kept must stay right when the table has grown.
 */
const FOR_ANY_SIZE = `set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
  set enable_mergejoin = off set enable_material = off`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function lock_families(carriers uuid[], calls text[], session_carriers uuid[], session_ids text[])
      returns bigint language sql ${FOR_ANY_SIZE} as $$
      with legs as materialized (select * from unnest(carriers, calls) as l (carrier_id, call_id)),
      sessions as materialized (
        select * from unnest(session_carriers, session_ids) as s (carrier_id, session_id)
        union
        select l.carrier_id, c.session_id from legs l
        cross join lateral (
          select session_id from call_logs where carrier_id = l.carrier_id and carrier_call_id = l.call_id offset 0) as c
        where c.session_id is not null),
      keys as materialized (
        select hashtextextended('leg:' || carrier_id || ':' || call_id, 0) as key from legs
        union select hashtextextended('session:' || carrier_id || ':' || session_id, 0) from sessions
        order by 1)
      select count(*) from (select pg_advisory_xact_lock(key) from keys offset 0) as locked
    $$;
    create function load_families(carriers uuid[], calls text[], session_carriers uuid[], session_ids text[],
        parent_carriers uuid[], parent_calls text[])
      returns setof call_logs language sql ${FOR_ANY_SIZE} as $$
      with legs as materialized (select * from unnest(carriers, calls) as l (carrier_id, call_id)),
      own as materialized (
        select c.id, c.carrier_id, c.session_id from call_logs c
        join legs l on c.carrier_id = l.carrier_id and c.carrier_call_id = l.call_id),
      sessions as materialized (
        select carrier_id, session_id from own where session_id is not null
        union select * from unnest(session_carriers, session_ids) as s (carrier_id, session_id)),
      wanted as materialized (
        select id from own
        union select c.id from call_logs c join sessions s on c.carrier_id = s.carrier_id and c.session_id = s.session_id
        union select c.id from call_logs c
          join legs l on c.carrier_id = l.carrier_id and c.parent_carrier_call_id = l.call_id
        union select c.id from call_logs c
          join unnest(parent_carriers, parent_calls) as p (carrier_id, call_id)
            on c.carrier_id = p.carrier_id and c.carrier_call_id = p.call_id)
      select * from call_logs where id in (select id from wanted) order by id for update
    $$;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function lock_families; drop function load_families');
}
