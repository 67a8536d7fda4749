/** Call logs by the million, made by SQL: a year of 1,000 accounts, some with a share of their own, the others with fewer and fewer. */
import type pg from 'pg';

export interface RowsWish {
  readonly count: number;
  /** The accounts that are measured, and how many percent of the calls they make. */
  readonly accounts: readonly { readonly id: string; readonly percent: number }[];
}

/** Facts and timeline as a call of three webhooks has them; their size is what counts. */
const FACTS = JSON.stringify({
  end: { rank: [1, 1790000000000, 1790000000500, 'delivery-key-00000000-2', 0], talkSeconds: 42, totalSeconds: null },
  states: Object.fromEntries(
    ['ringing', 'answered', 'ended'].map((state) => [
      state,
      { told: 1790000000000, arrived: 1790000000500, webhookId: '019a0000-0000-7000-8000-000000000000' },
    ]),
  ),
  registers: Object.fromEntries(
    ['to', 'from', 'direction', 'verdict', 'talkSeconds'].map((name) => [
      name,
      { rank: [1, 1790000000000, 1790000000500, 'delivery-key-00000000-1', 0], value: '+4930123456' },
    ]),
  ),
});

const TIMELINE = JSON.stringify(
  ['call.ringing', 'call.answered', 'call.ended'].map((type, place) => ({
    ...{ seq: 1000 + place, type, occurred_at: 1790000000000, received_at: 1790000000500 },
    inbound_webhook_id: '019a0000-0000-7000-8000-000000000000',
  })),
);

const uuidOf = (text: string): string => `md5(${text})::uuid`;

/** `n` runs over time; `r` and `q` are evenly spread, the same in every run. */
const INSERT = `
  insert into call_logs (id, account_id, virtual_number_id, virtual_number, user_id, carrier_id, provider, carrier_call_id,
    direction, caller_number, called_number, country, status, disposition, started_at, ringing_at, answered_at, ended_at,
    duration, ring_duration, hangup_cause, tags, last_news_at, updated_at, facts, timeline)
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
      || substr(md5(n::text), 4, 15))::uuid,
    coalesce(($2::uuid[])[account + 1], ${uuidOf("'account' || account")}),
    ${uuidOf("'number' || account || '-' || own / 100 % 20")}, number, ${uuidOf("'user' || account || '-' || own / 100 % 5")},
    ${uuidOf("'carrier' || account || '-' || own % 3")}, 'generic', 'bench-' || n, direction,
    case when direction = 'incoming' then other else number end, case when direction = 'incoming' then number else other end,
    (array['DE', 'US', 'GB', 'FR', 'AT', 'CH', 'IT'])[1 + q % 7], 'ended', disposition, at, at + interval '1 second',
    case when disposition = 'completed' then at + interval '9 seconds' end, at + (10 + talk) * interval '1 second',
    talk, 8, 'normal_clearing', case when q % 20 = 0 then '{vip}'::text[] else '{}' end, at, at, $4::jsonb, $5::jsonb
  from (
    select n, q, at, account, own, talk0 * (disposition = 'completed')::int as talk, disposition,
      case when q % 10 < 7 then 'incoming' else 'outgoing' end as direction,
      '+1999' || lpad((account * 20 + own / 100 % 20)::text, 7, '0') as number, '+4930' || lpad((q % 100000)::text, 6, '0') as other
    from (
      select n, q, own, talk0, now() - (($1::bigint - n) * 31536000.0 / $1) * interval '1 second' as at,
        -- The first of the cumulated shares that is above; behind them all, one of the others.
        coalesce((select min(place) - 1 from unnest($6::int[]) with ordinality as s (share, place) where own % 100 < share),
          cardinality($6::int[]) + floor((1000 - cardinality($6::int[])) * power((r % 100000) / 100000.0, 2)))::int as account,
        (array['completed', 'completed', 'completed', 'completed', 'completed', 'completed', 'completed', 'no_answer',
          'no_answer', 'no_answer', 'no_answer', 'canceled', 'canceled', 'failed', 'rejected', 'busy'])[1 + own / 7919 % 16] as disposition
      from (
        select n, abs(hashint8(n)::bigint) as r, abs(hashint8(n + 1000000000)::bigint) as q,
          abs(hashint8(n + 2000000000)::bigint) as own, (abs(hashint8(n + 3000000000)::bigint) % 400)::int as talk0
        from generate_series($3::bigint, least($3::bigint + ${250_000} - 1, $1::bigint)) n) a) b) c`;

const CHUNK = 250_000;

/** Indexes that stand for no constraint are left out while the rows are written, and made after. */
export async function makeCallRows(client: pg.Client, { count, accounts }: RowsWish): Promise<void> {
  let percent = 0;
  const ids = accounts.map(({ id }) => id);
  const shares = accounts.map((account) => (percent += account.percent));
  await client.query(`set synchronous_commit = off; set maintenance_work_mem = '512MB'`);
  await setAutovacuum(client, 'set (autovacuum_enabled = off)');
  const { rows } = await client.query<{ name: string; text: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as text from pg_index
     where indrelid = 'call_logs'::regclass and not indisprimary
       and not exists (select 1 from pg_constraint where conindid = indexrelid)`,
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  for (let from = 1; from <= count; from += CHUNK) {
    await client.query(INSERT, [count, ids, from, FACTS, TIMELINE, shares]);
  }
  for (const { text } of rows) await client.query(text);
  for (const table of TABLES) await vacuumWhole(client, table);
  await setAutovacuum(client, 'reset (autovacuum_enabled)');
  await client.query('checkpoint');
}

const TABLES = ['call_logs', 'call_log_tags'] as const;

/** It would work against the loading, and its snapshots would keep pages from being marked as visible to all. */
async function setAutovacuum(client: pg.Client, what: string): Promise<void> {
  for (const table of TABLES) await client.query(`alter table ${table} ${what}`);
}

/** Until its pages are known to be visible to all: whoever else has a snapshot at the moment keeps vacuum from it. */
async function vacuumWhole(client: pg.Client, table: string): Promise<void> {
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    await client.query(`vacuum (analyze, disable_page_skipping ${attempt > 1}) ${table}`);
    const { rows } = await client.query<{ whole: boolean }>(
      'select relallvisible >= 0.99 * relpages as whole from pg_class where oid = $1::regclass',
      [table],
    );
    if (rows[0]?.whole) return;
    await client.query('select pg_sleep(0.3)');
  }
  throw new Error(`Vacuum could not finish ${table}: some transaction on this database stays open.`);
}
