import type { Visibility } from '../../http/actor.js';
import { type IdSlice, type Page, toPage } from '../../http/pagination.js';
import type { Db } from '../../platform/db/connect.js';
import { run, type Statement } from '../../platform/db/statement.js';
import type { Holding } from './holding.js';
import type { ListedNumber, NumberAction, NumberChange, VirtualNumber } from './number.js';
import {
  LISTED_COLUMNS,
  type ListedRow,
  NUMBER_COLUMNS,
  type NumberRow,
  toListed,
  toNumber,
} from './numbers.repository.js';

/** Values of a filter; null among them: rows without a value. */
export type FilterValues<T> = readonly (T | null)[];

export interface NumberFilters {
  readonly isActive?: FilterValues<boolean>;
  readonly userId?: FilterValues<string>;
  readonly carrierId?: FilterValues<string>;
  readonly country?: FilterValues<string>;
  readonly tag?: FilterValues<string>;
  /** Regular expressions, of which the number must match one. */
  readonly search?: readonly string[];
}

/** The numbers that are seen, oldest first: ids rise with time. */
export async function listNumbers(
  db: Db,
  visibility: Visibility,
  query: { readonly filters: NumberFilters; readonly slice: IdSlice },
): Promise<Page<ListedNumber>> {
  const { filters, slice } = query;
  const wanted = conditionsOf(filters);
  const { name, conditions } = seenBehind(visibility, slice.after ?? NIL);
  const list = listOf([...conditions, ...wanted], slice.limit + 1);
  const read = (rows: readonly unknown[]): ListedNumber[] => (rows as ListedRow[]).map(toListed);
  const listed = await run(db, { ...list, ...(wanted.length === 0 && { name }), read });
  return toPage(listed, slice.limit, (number) => [number.id]);
}

/** Before every id. */
const NIL = '00000000-0000-0000-0000-000000000000';

/** What a list without filters asks, and its name as a prepared statement: planning it costs more than running it. */
function seenBehind({ accountId, userId }: Visibility, after: string): { name: string; conditions: Condition[] } {
  const held = { sql: 'account_id = ? and released_at is null and id > ?', bindings: [accountId, after] };
  if (userId === null) return { name: 'list_numbers', conditions: [held] };
  return { name: 'list_numbers_of_user', conditions: [held, { sql: 'user_id = ?', bindings: [userId] }] };
}

const listOf = (conditions: readonly Condition[], limit: number) => ({
  sql: `select ${LISTED_COLUMNS} from virtual_numbers
    where ${conditions.map(({ sql }) => sql).join(' and ')} order by id limit ?`,
  bindings: [...conditions.flatMap(({ bindings }) => bindings), limit],
});

type Binding = string | string[] | boolean[];

interface Condition {
  readonly sql: string;
  readonly bindings: readonly Binding[];
}

function conditionsOf(filters: NumberFilters): Condition[] {
  return [
    filters.isActive && anyOf('is_active', 'boolean', filters.isActive),
    filters.userId && anyOf('user_id', 'uuid', filters.userId),
    filters.carrierId && anyOf('carrier_id', 'uuid', filters.carrierId),
    filters.country && anyOf('country', 'text', filters.country),
    filters.tag && hasTag(filters.tag),
    // As one expression: of several, PostgreSQL keeps 32 compiled, and compiles all of more anew for every row.
    filters.search && { sql: 'phone_number ~ ?', bindings: [filters.search.join('|')] },
  ].filter((condition) => condition !== undefined);
}

/** `column` and `type` are written above, never taken from a request. */
function anyOf(column: string, type: string, values: FilterValues<string> | FilterValues<boolean>): Condition {
  const present = values.filter((value) => value !== null) as string[] | boolean[];
  const orNull = present.length < values.length ? ` or ${column} is null` : '';
  return { sql: `(${column} = any(?::${type}[])${orNull})`, bindings: [present] };
}

function hasTag(values: FilterValues<string>): Condition {
  const present = values.filter((value) => value !== null);
  const orNone = present.length < values.length ? " or tags = '{}'" : '';
  return { sql: `(tags && ?::text[]${orNone})`, bindings: [present] };
}

/** The account's number that is held now. */
export async function findNumber(db: Db, accountId: string, id: string): Promise<VirtualNumber | undefined> {
  const found = await findNumberEver(db, accountId, id);
  return found?.releasedAt === null ? found : undefined;
}

/** The account's number, released ones too. */
export async function findNumberEver(db: Db, accountId: string, id: string): Promise<VirtualNumber | undefined> {
  const { rows } = await db.raw<{ rows: NumberRow[] }>(
    `select ${NUMBER_COLUMNS} from virtual_numbers where account_id = ? and id = ?`,
    [accountId, id],
  );
  return rows[0] && toNumber(rows[0]);
}

/** The account's numbers of these ids that it holds now. */
export async function findNumbers(db: Db, accountId: string, ids: readonly string[]): Promise<VirtualNumber[]> {
  const { rows } = await db.raw<{ rows: NumberRow[] }>(
    `select ${NUMBER_COLUMNS} from virtual_numbers
     where account_id = ? and id = any(?::uuid[]) and released_at is null`,
    [accountId, [...ids]],
  );
  return rows.map(toNumber);
}

/** Ids of the numbers that the account holds, by number. */
export async function findHeldIds(db: Db, accountId: string, numbers: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await db.raw<{ rows: { id: string; phone_number: string }[] }>(
    `select id, phone_number from virtual_numbers
     where phone_number = any(?::text[]) and account_id = ? and released_at is null`,
    [[...numbers], accountId],
  );
  return new Map(rows.map((row) => [row.phone_number, row.id]));
}

/** Who holds the numbers: account by number, of those that somebody holds. */
export async function findHolders(db: Db, numbers: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await db.raw<{ rows: { account_id: string; phone_number: string }[] }>(
    'select phone_number, account_id from virtual_numbers where phone_number = any(?::text[]) and released_at is null',
    [[...numbers]],
  );
  return new Map(rows.map((row) => [row.phone_number, row.account_id]));
}

interface ChangeRow {
  id: string;
  virtual_number_id: string;
  account_id: string;
  at: Date;
  action: NumberAction;
  by_user_id: string | null;
  by_api_key_id: string | null;
  changes: NumberChange['changes'];
}

/** What the account did with the phone number, newest first, the times it held it before included. */
export async function listChanges(db: Db, number: VirtualNumber, slice: IdSlice): Promise<Page<NumberChange>> {
  const after = slice.after === null ? { sql: '', bindings: [] } : { sql: 'and c.id < ?', bindings: [slice.after] };
  const { rows } = await db.raw<{ rows: ChangeRow[] }>(
    `select c.id, c.virtual_number_id, c.account_id, c.at, c.action, c.by_user_id, c.by_api_key_id, c.changes
     from virtual_numbers v join number_changes c on c.virtual_number_id = v.id
     where v.account_id = ? and v.phone_number = ? ${after.sql} order by c.id desc limit ?`,
    [number.accountId, number.phoneNumber, ...after.bindings, slice.limit + 1],
  );
  const changes = rows.map((row) => ({
    id: row.id,
    virtualNumberId: row.virtual_number_id,
    accountId: row.account_id,
    at: row.at.getTime(),
    action: row.action,
    byUserId: row.by_user_id,
    byApiKeyId: row.by_api_key_id,
    changes: row.changes,
  }));
  return toPage(changes, slice.limit, (change) => [change.id]);
}

/** Every span of each of the numbers, ascending; a number that nobody ever held is not in the map. */
export const findHoldings = (numbers: readonly string[]): Statement<Map<string, Holding[]>> => ({
  name: 'find_holdings',
  sql: `select phone_number, account_id, user_id, virtual_number_id, held_from, held_until
    from find_holdings(?::text[])`,
  bindings: [[...numbers]],
  read: (rows) => toHoldings(rows as HoldingRow[]),
});

function toHoldings(rows: readonly HoldingRow[]): Map<string, Holding[]> {
  const holdings = new Map<string, Holding[]>();
  for (const row of rows) {
    const spans = holdings.get(row.phone_number) ?? [];
    if (spans.length === 0) holdings.set(row.phone_number, spans);
    spans.push({
      accountId: row.account_id,
      userId: row.user_id,
      virtualNumberId: row.virtual_number_id,
      from: row.held_from.getTime(),
      until: row.held_until?.getTime() ?? null,
    });
  }
  return holdings;
}

interface HoldingRow {
  phone_number: string;
  account_id: string;
  user_id: string | null;
  virtual_number_id: string;
  held_from: Date;
  held_until: Date | null;
}

/** What stands in the way of claiming a number. */
export interface ClaimState {
  readonly isHeld: boolean;
  /** Whoever released it last; null: nobody ever held it. */
  readonly lastAccountId: string | null;
  readonly releasedAt: number;
}

export async function findClaimStates(db: Db, numbers: readonly string[]): Promise<Map<string, ClaimState>> {
  const { rows } = await db.raw<{ rows: ClaimStateRow[] }>(
    `select g.phone_number, last.account_id, last.released_at,
       exists (select 1 from virtual_numbers v where v.phone_number = g.phone_number and v.released_at is null) as is_held
     from unnest(?::text[]) as g (phone_number)
     left join lateral (
       select v.account_id, v.released_at from virtual_numbers v
       where v.phone_number = g.phone_number and v.released_at is not null order by v.released_at desc limit 1
     ) last on true`,
    [[...numbers]],
  );
  const toState = (row: ClaimStateRow): ClaimState => ({
    isHeld: row.is_held,
    lastAccountId: row.account_id,
    releasedAt: row.released_at?.getTime() ?? 0,
  });
  return new Map(rows.map((row) => [row.phone_number, toState(row)]));
}

interface ClaimStateRow {
  phone_number: string;
  account_id: string | null;
  released_at: Date | null;
  is_held: boolean;
}

/** Numbers of which a holding began at `since` or later. */
export async function findNumbersHeldSince(db: Db, since: Date): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { phone_number: string }[] }>(
    'select distinct phone_number from number_holdings where held_from >= ?',
    [since],
  );
  return rows.map((row) => row.phone_number);
}
