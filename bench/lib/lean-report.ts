/**
 * The leanest SQL that computes a report by day: counts, shares and the nearest-rank percentile in one pass over the
 * account's calls, the most at one moment by a running sum over begins and ends.
 */
export const LEAN_REPORT = `
  with calls as materialized (
    select date_trunc('day', started_at at time zone 'Europe/Berlin') as day, direction, disposition, status, duration,
      ring_duration, answered_at, started_at, coalesce(ended_at, now()) as until
    from call_logs
    where account_id = $1 and started_at >= ($2::date)::timestamp at time zone 'Europe/Berlin'
      and started_at < ($3::date)::timestamp at time zone 'Europe/Berlin'),
  moments as (
    select day, started_at as at, 1 as step from calls where until > started_at
    union all select day, until, -1 from calls where until > started_at),
  together as (
    select day, max(running) as max_concurrent
    from (select day, sum(step) over (partition by day order by at, step) as running from moments) m group by day)
  select c.day, count(*) as calls, count(*) filter (where direction = 'incoming') as incoming,
    count(answered_at) as answered,
    count(*) filter (where direction = 'incoming' and status = 'ended' and answered_at is null) as missed,
    count(*) filter (where disposition = 'no_answer') as no_answer, count(*) filter (where disposition = 'busy') as busy,
    count(*) filter (where disposition = 'rejected') as rejected, count(*) filter (where disposition = 'canceled') as canceled,
    count(*) filter (where disposition = 'failed') as failed, count(*) filter (where disposition = 'lost') as lost,
    sum(duration) as talk_seconds, avg(ring_duration) as average_ring,
    percentile_disc(0.95) within group (order by ring_duration) as p95_ring,
    count(*) filter (where answered_at is not null and duration < 10) as short_calls, max(t.max_concurrent) as max_concurrent
  from calls c left join together t on t.day = c.day group by c.day order by c.day`;
