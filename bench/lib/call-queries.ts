import type pg from 'pg';
import { CALL_COLUMNS } from '../../src/features/calls/call.js';
import type { CallFilters } from '../../src/features/calls/call-filters.js';
import { searchSql } from '../../src/features/calls/call-search.js';

/** A search as the door takes it and as the database gets it. */
export interface CallQuery {
  readonly name: string;
  /** Query string of the door. */
  readonly query: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

interface Wish {
  readonly name: string;
  readonly query: string;
  readonly filters: CallFilters;
}

/** Knex writes `?`, PostgreSQL wants `$1`. */
export const numbered = (text: string): string => {
  let place = 0;
  return text.replaceAll('?', () => `$${++place}`);
};

const DAY_MS = 86_400_000;

/** Values that the account really has, so that every search finds a page. */
async function valuesOf(client: pg.Client, accountId: string) {
  const { rows } = await client.query(
    `select virtual_number_id, virtual_number, user_id, carrier_id, caller_number from call_logs
     where account_id = $1 and direction = 'incoming' order by started_at desc limit 1`,
    [accountId],
  );
  return rows[0] as Record<'virtual_number_id' | 'virtual_number' | 'user_id' | 'carrier_id' | 'caller_number', string>;
}

export async function callQueries(client: pg.Client, accountId: string): Promise<CallQuery[]> {
  const some = await valuesOf(client, accountId);
  const [from, to] = [new Date(Date.now() - 100 * DAY_MS), new Date(Date.now() - 70 * DAY_MS)];
  const exact = (number: string) => [{ kind: 'exact', number } as const];
  const wishes: Wish[] = [
    { name: 'unfiltered', query: '', filters: {} },
    { name: 'direction', query: 'direction=outgoing', filters: { direction: ['outgoing'] } },
    { name: 'status', query: 'status=ended', filters: { status: ['ended'] } },
    { name: 'common disposition', query: 'disposition=no_answer', filters: { disposition: ['no_answer'] } },
    { name: 'rare disposition', query: 'disposition=busy', filters: { disposition: ['busy'] } },
    ...(['virtual_number_id', 'user_id', 'carrier_id'] as const).map((name) => ({
      ...{ name, query: `${name}=${some[name]}`, filters: { [name]: [some[name]] } as CallFilters },
    })),
    {
      name: 'caller_number',
      query: `caller_number=${encodeURIComponent(some.caller_number)}`,
      filters: { caller_number: exact(some.caller_number) },
    },
    {
      name: 'number',
      query: `number=${encodeURIComponent(some.virtual_number)}`,
      filters: { number: exact(some.virtual_number) },
    },
    {
      name: 'number prefix',
      query: 'number=%2B49301*',
      filters: { number: [{ kind: 'prefix', prefixes: ['+49301'] }] },
    },
    { name: 'country', query: 'country=AT', filters: { country: ['AT'] } },
    {
      name: 'time range',
      query: `started_after=${from.toISOString()}&started_before=${to.toISOString()}`,
      filters: { started_after: from, started_before: to },
    },
    { name: 'min_duration', query: 'min_duration=300', filters: { min_duration: 300 } },
    { name: 'tag', query: 'tag=vip', filters: { tag: ['vip'] } },
    {
      name: 'direction and disposition',
      query: 'direction=outgoing&disposition=busy,failed',
      filters: { direction: ['outgoing'], disposition: ['busy', 'failed'] },
    },
  ];
  const queries = wishes.map((wish) => toQuery(accountId, wish, null));
  const deep: CallQuery[] = [];
  for (const share of [0.1, 0.5, 0.9]) {
    const wish = { name: `page at ${share * 100} %`, query: '', filters: {} };
    deep.push(toQuery(accountId, wish, await placeAt(client, accountId, share)));
  }
  return [...queries, ...deep];
}

function toQuery(
  accountId: string,
  { name, query, filters }: Wish,
  after: { startedAt: string; id: string } | null,
): CallQuery {
  const visibility = { accountId, userId: null };
  const { text, bindings } = searchSql({ visibility, filters, after, limit: 51 }, CALL_COLUMNS);
  return { name, query, text: numbered(text), values: bindings };
}

async function placeAt(client: pg.Client, accountId: string, share: number) {
  const { rows } = await client.query<{ started_at: Date; id: string }>(
    `select started_at, id from call_logs where account_id = $1 order by started_at desc, id desc
     offset (select floor(count(*) * $2::float8)::int from call_logs where account_id = $1) limit 1`,
    [accountId, share],
  );
  const [row] = rows;
  if (!row) throw new Error('The account has no calls.');
  return { startedAt: row.started_at.toISOString(), id: row.id };
}

/** Blocks that one run of the statement reads, in memory or not. */
export async function buffersOf(
  client: pg.Client,
  { text, values }: Pick<CallQuery, 'text' | 'values'>,
): Promise<number> {
  const { rows } = await client.query(`explain (analyze, buffers, format json) ${text}`, [...values]);
  const plan = rows[0]?.['QUERY PLAN'][0].Plan;
  return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
}
