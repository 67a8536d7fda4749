import type pg from 'pg';
import { CALL_COLUMNS } from '../../src/features/calls/call.js';
import {
  type CallFilters,
  type CallPlace,
  conditionsOf,
  joinSql,
  type NumberPattern,
  ownedBy,
  type Search,
  type Sql,
  sql,
  startedWithin,
} from '../../src/features/calls/call-filters.js';
import { searchSql } from '../../src/features/calls/call-search.js';

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** A search as the door takes it and as the database gets it. */
export interface CallQuery extends Statement {
  readonly name: string;
  /** One of the searches that are to cost the same in a small and in a large table; of the others it is not asked. */
  readonly isListed: boolean;
  /** Query string of the door. */
  readonly query: string;
  /** The same asked in the obvious way: every filter in one `where`. */
  readonly plain: Statement;
}

interface Wish {
  readonly name: string;
  readonly filters: CallFilters;
  readonly after: CallPlace | null;
  readonly isListed: boolean;
}

/** Knex writes `?`, PostgreSQL wants `$1`. */
export const numbered = (text: string): string => {
  let place = 0;
  return text.replaceAll('?', () => `$${++place}`);
};

const DAY_MS = 86_400_000;
const daysAgo = (days: number): Date => new Date(Math.floor(Date.now() / DAY_MS - days) * DAY_MS);

/**
 * The quarter of a year that the filters are asked for in; a deep page begins in its middle. In a shorter time pages
 * of the small size are not full, and half a page beside a whole one says nothing of growth.
 */
const QUARTER: CallFilters = { started_after: daysAgo(100), started_before: daysAgo(10) };
const MIDDLE: CallPlace = {
  startedAt: daysAgo(55).toISOString(),
  id: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
};
const NOBODY = '00000000-0000-7000-8000-000000000000';

/** Values that the account really has, so that searches find a page. */
async function valuesOf(client: pg.Client, accountId: string) {
  const { rows } = await client.query(
    `select virtual_number_id, virtual_number, user_id, carrier_id, caller_number from call_logs
     where account_id = $1 and direction = 'incoming' order by started_at desc limit 1`,
    [accountId],
  );
  return rows[0] as Record<'virtual_number_id' | 'virtual_number' | 'user_id' | 'carrier_id' | 'caller_number', string>;
}

const exact = (number: string): NumberPattern[] => [{ kind: 'exact', number }];

async function filtersFor(client: pg.Client, accountId: string): Promise<Readonly<Record<string, CallFilters>>> {
  const some = await valuesOf(client, accountId);
  return {
    direction: { direction: ['outgoing'] },
    status: { status: ['ended'] },
    'status, in progress': { status: ['ringing'] },
    'common disposition': { disposition: ['no_answer'] },
    'rare disposition': { disposition: ['busy'] },
    virtual_number_id: { virtual_number_id: [some.virtual_number_id] },
    user_id: { user_id: [some.user_id] },
    'user_id of nobody': { user_id: [null] },
    carrier_id: { carrier_id: [some.carrier_id] },
    provider: { provider: ['generic'] },
    'provider, never used': { provider: ['twilio'] },
    caller_number: { caller_number: exact(some.caller_number) },
    called_number: { called_number: exact(some.virtual_number) },
    number: { number: exact(some.virtual_number) },
    'number prefix': { number: [{ kind: 'prefix', prefixes: ['+493001'] }] },
    country: { country: ['AT'] },
    'country, never called': { country: ['JP'] },
    min_duration: { min_duration: 300 },
    max_duration: { max_duration: 0 },
    tag: { tag: ['vip'] },
    parent_call_log_id: { parent_call_log_id: [NOBODY] },
    'number with status': { number: exact(some.virtual_number), status: ['ended'] },
    'user_id with disposition': { user_id: [some.user_id], disposition: ['completed'] },
    'user_id with tag': { user_id: [some.user_id], tag: ['vip'] },
    'direction with disposition': { direction: ['outgoing'], disposition: ['busy', 'failed'] },
  };
}

/** Every filter alone and some together, first and deep pages within a quarter; and the plain list at any depth. */
export async function callQueries(client: pg.Client, accountId: string): Promise<CallQuery[]> {
  const inQuarter = Object.entries(await filtersFor(client, accountId)).flatMap(([name, given]): Wish[] => {
    const filters = { ...given, ...QUARTER };
    const isListed = Object.keys(given).length === 1 || LISTED_TOGETHER.includes(name);
    return [
      { name, filters, after: null, isListed },
      { name: `${name}, deep`, filters, after: MIDDLE, isListed },
    ];
  });
  const plain: Wish[] = [
    { name: 'unfiltered', filters: {}, after: null, isListed: true },
    { name: 'time range', filters: QUARTER, after: null, isListed: true },
  ];
  for (const share of [0.1, 0.5, 0.9]) {
    const after = await placeAt(client, accountId, share);
    plain.push({ name: `page at ${share * 100} %`, filters: {}, after, isListed: true });
  }
  return [...plain, ...inQuarter].map((wish) => toQuery(accountId, wish));
}

const LISTED_TOGETHER: readonly string[] = ['number with status', 'user_id with disposition'];

function toQuery(accountId: string, { name, filters, after, isListed }: Wish): CallQuery {
  const search = { visibility: { accountId, userId: null }, filters, after, limit: 51 };
  return {
    name,
    isListed,
    query: spelled(filters),
    ...toStatement(searchSql(search, CALL_COLUMNS)),
    plain: toStatement(plainSql(search)),
  };
}

const toStatement = ({ text, bindings }: Sql): Statement => ({ text: numbered(text), values: bindings });

function plainSql({ visibility, filters, after, limit }: Search): Sql {
  const behind = after ? [sql('(c.started_at, c.id) < (?::timestamptz, ?::uuid)', after.startedAt, after.id)] : [];
  const where = joinSql(
    [...ownedBy(visibility), ...conditionsOf(filters), ...startedWithin(filters), ...behind],
    ' and ',
  );
  return sql(
    `select ${CALL_COLUMNS.map((column) => `c.${column}`).join(', ')} from call_logs c where ${where.text}
     order by c.started_at desc, c.id desc limit ?`,
    ...where.bindings,
    limit,
  );
}

/** As the door's query string says it. */
function spelled(filters: CallFilters): string {
  const entry = (value: unknown): string => {
    if (value instanceof Date) return value.toISOString();
    if (typeof value !== 'object' || value === null) return String(value ?? 'none');
    const pattern = value as NumberPattern;
    return pattern.kind === 'exact' ? pattern.number : `${pattern.prefixes[0]}*`;
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) query.set(name, [value].flat().map(entry).join(','));
  return query.toString();
}

async function placeAt(client: pg.Client, accountId: string, share: number): Promise<CallPlace> {
  const { rows } = await client.query<{ started_at: Date; id: string }>(
    `select started_at, id from call_logs where account_id = $1 order by started_at desc, id desc
     offset (select floor(count(*) * $2::float8)::int from call_logs where account_id = $1) limit 1`,
    [accountId, share],
  );
  const [row] = rows;
  if (!row) throw new Error('The account has no calls.');
  return { startedAt: row.started_at.toISOString(), id: row.id };
}

export interface Cost {
  /** Planning and execution. */
  readonly ms: number;
  /** Blocks read, in memory or not. */
  readonly buffers: number;
  readonly rows: number;
}

/** What one run of a statement costs the database. */
export async function costOf(client: pg.Client, { text, values }: Statement): Promise<Cost> {
  const { rows } = await client.query(`explain (analyze, buffers, timing off, format json) ${text}`, [...values]);
  const { Plan: plan, ...times } = rows[0]['QUERY PLAN'][0];
  return {
    ms: times['Planning Time'] + times['Execution Time'],
    buffers: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'],
    rows: plan['Actual Rows'],
  };
}
