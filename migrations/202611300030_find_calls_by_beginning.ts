import type { Knex } from 'knex';

/**
 * A page of the ended calls with a number that begins so, newest first, for any spread of them: see
 * docs/decisions/0009-search-by-the-beginning-of-a-number.md. Its plans are kept for each connection, whatever the
 * values, so what would be right for small tables alone is switched off, and each step is bound to its index by the
 * order that it asks for.
 *
 * `party`: caller_number, called_number or number (either). `ends[i]`: the first text behind all that begin with
 * `beginnings[i]`. `directions`: null: any. Calls of `since ≤ started_at` and before the place (`until`, `until_id`).
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function find_calls_by_beginning(account uuid, party text, beginnings text[], ends text[], directions text[],
        since timestamptz, until timestamptz, until_id uuid, most integer)
      returns table (id uuid, started_at timestamptz) language plpgsql stable rows 50
      set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
      set max_parallel_workers_per_gather = 0 set plan_cache_mode = force_generic_plan as $$
    #variable_conflict use_column
    declare
      -- So many are sorted sooner than a walk through all calls might find a page of them.
      few constant integer := 500;
      slice constant integer := 10 * most;
      -- The walk goes on while one call in so many is found.
      rare constant integer := 40;
      matching bigint;
      ids uuid[];
      starts timestamptz[];
      seen integer := 0;
      taken integer := 0;
      step integer;
      slice_end timestamptz;
      slice_end_id uuid;
    begin
      select count(*), array_agg(m.id) filter (where m.fits), array_agg(m.started_at) filter (where m.fits)
        into matching, ids, starts
        from (
          select m.id, m.started_at, (directions is null or m.direction = any(directions))
            and m.started_at >= since and (m.started_at, m.id) < (until, until_id) as fits
          from (
            select x.* from unnest(beginnings, ends) as b (beginning, past) cross join lateral (
              select c.id, c.started_at, c.direction from call_logs c
              where c.status = 'ended' and c.account_id = account
                and c.caller_number ~>=~ b.beginning and c.caller_number ~<~ b.past
              order by c.caller_number using ~<~ limit few + 1) x where party <> 'called_number'
            union all
            select x.* from unnest(beginnings, ends) as b (beginning, past) cross join lateral (
              select c.id, c.started_at, c.direction from call_logs c
              where c.status = 'ended' and c.account_id = account
                and c.called_number ~>=~ b.beginning and c.called_number ~<~ b.past
              order by c.called_number using ~<~ limit few + 1) x where party <> 'caller_number'
            limit few + 1) m) m;
      if matching <= few then
        return query select distinct u.id, u.started_at from unnest(ids, starts) as u (id, started_at)
          order by u.started_at desc, u.id desc limit most;
        return;
      end if;

      -- Many: a page of them is soon found among the newest calls, slice by slice.
      loop
        select c.started_at, c.id into slice_end, slice_end_id from call_logs c
          where c.account_id = account and c.started_at >= since and (c.started_at, c.id) < (until, until_id)
          order by c.started_at desc, c.id desc offset slice - 1 limit 1;
        return query
          select w.id, w.started_at from (
            select c.id, c.started_at, c.status, c.direction, c.caller_number, c.called_number from call_logs c
            where c.account_id = account and c.started_at >= since and (c.started_at, c.id) < (until, until_id)
            order by c.started_at desc, c.id desc limit slice) w
          where w.status = 'ended' and (directions is null or w.direction = any(directions))
            and (party <> 'called_number' and w.caller_number ^@ any(beginnings)
              or party <> 'caller_number' and w.called_number ^@ any(beginnings))
          limit most - taken;
        get diagnostics step = row_count;
        taken := taken + step;
        seen := seen + slice;
        if taken >= most or slice_end is null then
          return;
        end if;
        until := slice_end;
        until_id := slice_end_id;
        exit when taken * rare < seen or seen >= most * rare;
      end loop;

      -- Many, but not lately: the rest of the page out of all of them that are older than what was walked through.
      return query
        select distinct m.id, m.started_at from (
          select x.* from unnest(beginnings, ends) as b (beginning, past) cross join lateral (
            select o.id, o.started_at from (
              select c.id, c.started_at from call_logs c
              where c.status = 'ended' and c.account_id = account
                and c.caller_number ~>=~ b.beginning and c.caller_number ~<~ b.past
                and (directions is null or c.direction = any(directions))
                and c.started_at >= since and (c.started_at, c.id) < (until, until_id)
              order by c.caller_number using ~<~) o
            order by o.started_at desc, o.id desc limit most) x where party <> 'called_number'
          union all
          select x.* from unnest(beginnings, ends) as b (beginning, past) cross join lateral (
            select o.id, o.started_at from (
              select c.id, c.started_at from call_logs c
              where c.status = 'ended' and c.account_id = account
                and c.called_number ~>=~ b.beginning and c.called_number ~<~ b.past
                and (directions is null or c.direction = any(directions))
                and c.started_at >= since and (c.started_at, c.id) < (until, until_id)
              order by c.called_number using ~<~) o
            order by o.started_at desc, o.id desc limit most) x where party <> 'caller_number') m
        order by m.started_at desc, m.id desc limit most - taken;
    end
    $$;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function find_calls_by_beginning');
}
