import type { Db } from '../../platform/db/connect.js';
import { arraysOf, namesIn, unnested } from '../../platform/db/row-arrays.js';
import { command, type Statement } from '../../platform/db/statement.js';
import { newestSeq } from '../events/index.js';
import { CALL_COLUMNS, type CallRow, type TimelineEntry, type ToldEntry } from './call.js';
import type { CallFacts } from './call-facts.js';

/** A call log with all that the writing side keeps of it. */
export interface CallRecord extends CallRow {
  readonly session_id: string | null;
  readonly parent_carrier_call_id: string | null;
  /** Of the other party. */
  readonly country: string | null;
  readonly last_news_at: Date;
  readonly facts: CallFacts;
  readonly timeline: readonly TimelineEntry[];
}

/** A leg by the name that its carrier gives it. */
export interface LegName {
  readonly carrierId: string;
  readonly callId: string;
}

/** The legs that a batch speaks of, and the families (parents, sessions) that its reports name. */
export interface LegNames {
  readonly legs: readonly LegName[];
  readonly parents: readonly LegName[];
  readonly sessions: readonly { readonly carrierId: string; readonly sessionId: string }[];
}

const RECORD_COLUMNS = [
  ...CALL_COLUMNS,
  'session_id',
  'parent_carrier_call_id',
  'country',
  'last_news_at',
  'facts',
  'timeline',
] as const satisfies readonly (keyof CallRecord)[];

const carriersOf = (names: readonly { carrierId: string }[]): string[] => names.map((name) => name.carrierId);
const callsOf = (names: readonly LegName[]): string[] => names.map((name) => name.callId);

const LOCK = { name: 'lock_families', sql: 'select lock_families(?::uuid[], ?::text[], ?::uuid[], ?::text[])' };
const LOAD = {
  name: 'load_families',
  sql: `select ${RECORD_COLUMNS.join(', ')}
    from load_families(?::uuid[], ?::text[], ?::uuid[], ?::text[], ?::uuid[], ?::text[])`,
};

/**
 * One writer at a time for each leg and each family, held until the commit. By advisory lock, because a leg that has
 * no row yet cannot be locked otherwise; taken in the order of the keys, so that two batches never wait in a circle.
 */
export function lockFamilies({ legs, parents, sessions }: LegNames): Statement<void> {
  const named = [...legs, ...parents];
  const told = sessions.map((session) => session.sessionId);
  return command({ ...LOCK, bindings: [carriersOf(named), callsOf(named), carriersOf(sessions), told] });
}

/** The legs' call logs with their parents, children and sessions, locked in the order of their ids. */
export function loadFamilies({ legs, parents, sessions }: LegNames): Statement<CallRecord[]> {
  const named = [carriersOf(legs), callsOf(legs)];
  const inSessions = [carriersOf(sessions), sessions.map((session) => session.sessionId)];
  const bindings = [...named, ...inSessions, carriersOf(parents), callsOf(parents)];
  return { ...LOAD, bindings, read: (rows) => rows as CallRecord[] };
}

/** What a webhook never changes of a call log that exists: its holder, and what people wrote on it. */
const KEPT = new Set<string>(['id', 'account_id', 'virtual_number_id', 'virtual_number', 'user_id', 'tags', 'note']);
const COLUMN_TYPES = {
  id: 'uuid',
  account_id: 'uuid',
  virtual_number_id: 'uuid',
  virtual_number: 'text',
  user_id: 'uuid',
  direction: 'text',
  caller_number: 'text',
  called_number: 'text',
  status: 'text',
  disposition: 'text',
  started_at: 'timestamptz',
  ringing_at: 'timestamptz',
  answered_at: 'timestamptz',
  ended_at: 'timestamptz',
  duration: 'integer',
  ring_duration: 'integer',
  hangup_cause: 'text',
  hangup_source: 'text',
  provider_cause: 'text',
  provider: 'text',
  carrier_id: 'uuid',
  carrier_call_id: 'text',
  parent_call_log_id: 'uuid',
  price: 'numeric',
  currency: 'text',
  note: 'text',
  updated_at: 'timestamptz',
  session_id: 'text',
  parent_carrier_call_id: 'text',
  country: 'text',
  last_news_at: 'timestamptz',
} as const satisfies Partial<Record<keyof CallRecord, string>>;
/** Of each record as a member of a document. */
const DOCUMENT_TYPES = {
  tags: 'text[]',
  facts: 'jsonb',
  timeline: 'jsonb',
} as const satisfies Record<Exclude<keyof CallRecord, keyof typeof COLUMN_TYPES>, string>;

/** SQL: told entries with their seq, once the account's counter is raised. */
export const placedEntries = (told: string, account: string): string =>
  `(select jsonb_agg((entry - 'behind') || jsonb_build_object('seq', ${newestSeq(account)} - (entry ->> 'behind')::bigint))
    from jsonb_array_elements(${told}) as entry)`;

const COLUMNS = namesIn(COLUMN_TYPES);
const DOCUMENT = Object.entries({ ...DOCUMENT_TYPES, told: 'jsonb' })
  .map(([name, type]) => `${name} ${type}`)
  .join(', ');
const UPSERT = {
  name: 'upsert_call_logs',
  sql: `
  insert into call_logs (${COLUMNS}, tags, facts, timeline)
  select ${COLUMNS}, tags, facts,
    case when told is null then timeline else timeline || ${placedEntries('told', 'r.account_id')} end
  from rows from (${unnested(COLUMN_TYPES)}, jsonb_to_recordset(?::jsonb) as (${DOCUMENT}))
    as r (${COLUMNS}, tags, facts, timeline, told)
  order by id
  on conflict (carrier_id, carrier_call_id) do update set
  ${RECORD_COLUMNS.filter((name) => !KEPT.has(name))
    .map((name) => `${name} = excluded.${name}`)
    .join(', ')}`,
};

const NOTHING_TOLD: ReadonlyMap<string, readonly ToldEntry[]> = new Map();

/**
 * Writes call logs whose families are locked, new ones and changed ones, in one statement. `told`: by call log id, what
 * its timeline gets besides, of events of the same transaction.
 */
export function writeCalls(records: readonly CallRecord[], told = NOTHING_TOLD): Statement[] {
  if (records.length === 0) return [];
  const documents = records.map(({ id, tags, facts, timeline }) => {
    return { tags, facts, timeline, told: told.get(id) ?? null };
  });
  return [command({ ...UPSERT, bindings: [...arraysOf(COLUMN_TYPES, records), JSON.stringify(documents)] })];
}

/** Calls without an end whose last webhook arrived before `deadline`, locked; those that a batch holds are left to it. */
export async function lockSilentCalls(tx: Db, deadline: number, limit: number): Promise<CallRecord[]> {
  const { rows } = await tx.raw<{ rows: CallRecord[] }>(
    `select ${RECORD_COLUMNS.join(', ')} from call_logs where id in (
       select id from call_logs where status <> 'ended' and last_news_at <= ? order by last_news_at limit ?)
       and status <> 'ended' and last_news_at <= ?
     order by id for update skip locked`,
    [new Date(deadline), limit, new Date(deadline)],
  );
  return rows;
}
