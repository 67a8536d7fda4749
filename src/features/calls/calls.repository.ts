import type { Db } from '../../platform/db/connect.js';
import { arrayOf, arraysOf, GUESSED, joinTexts, namesIn, parametersOf, textAt } from '../../platform/db/row-arrays.js';
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
} as const satisfies Record<Exclude<keyof CallRecord, 'tags' | 'facts' | 'timeline'>, string>;

/** SQL: the timeline that `timelineText` and `behindOf` tell, with the seqs, once the account's counter is raised. */
export const placedTimeline = (text: string, behind: string, account: string): string =>
  `format(${text}, variadic array(select ${newestSeq(account)} - b from unnest(${behind}::bigint[]) as b))::json`;

const COLUMNS = namesIn(COLUMN_TYPES);
/** Arrays as texts to be cast, and where the documents of a row begin and end. */
const BESIDE_TYPES = {
  tags: 'text',
  behind: 'text',
  facts_start: 'integer',
  facts_length: 'integer',
  timeline_start: 'integer',
  timeline_length: 'integer',
};
const UPSERT = {
  name: 'upsert_call_logs',
  sql: `
  insert into call_logs (${COLUMNS}, tags, facts, timeline)
  select ${COLUMNS}, tags::text[], ${textAt('facts_start', 'facts_length')}::json,
    ${placedTimeline(textAt('timeline_start', 'timeline_length'), 'behind', 'r.account_id')}
  from rows from (unnest(${parametersOf(COLUMN_TYPES)}, ${parametersOf(BESIDE_TYPES)}), ${GUESSED})
    as r (${COLUMNS}, ${namesIn(BESIDE_TYPES)}, nothing)
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
export function writeCalls(given: readonly CallRecord[], told = NOTHING_TOLD): Statement[] {
  if (given.length === 0) return [];
  // Neighbours in most of the indexes one after the other: their pages are at hand then.
  const records = given.toSorted(byAccountAndTime);
  const facts = joinTexts(records.map((record) => JSON.stringify(record.facts)));
  const timelines = joinTexts(records.map(({ id, timeline }) => timelineText(timeline, told.get(id) ?? [])));
  const beside = records.map(({ id, tags }, place) => ({
    tags: arrayOf(tags),
    behind: behindOf(told.get(id) ?? []),
    facts_start: facts.starts[place],
    facts_length: facts.lengths[place],
    timeline_start: timelines.starts[place],
    timeline_length: timelines.lengths[place],
  }));
  const columns = [...arraysOf(COLUMN_TYPES, records), ...arraysOf(BESIDE_TYPES, beside)];
  return [command({ ...UPSERT, bindings: [facts.bytes, timelines.bytes, ...columns] })];
}

const byAccountAndTime = (a: CallRecord, b: CallRecord): number =>
  a.account_id === b.account_id
    ? a.started_at.getTime() - b.started_at.getTime()
    : a.account_id < b.account_id
      ? -1
      : 1;

/** The timeline's document as `format` of PostgreSQL takes it: with a place for the seq of each entry that is told. */
export function timelineText(timeline: readonly TimelineEntry[], told: readonly ToldEntry[]): string {
  const kept = timeline.map((entry) => escaped(JSON.stringify(entry)));
  const added = told.map((entry) => `{"seq":%s,${escaped(JSON.stringify(entryOf(entry)).slice(1))}`);
  return `[${[...kept, ...added].join(',')}]`;
}

/** What their places stand for: how many events of the account come behind each told entry. */
export const behindOf = (told: readonly ToldEntry[]): string => arrayOf(told.map(({ behind }) => behind));

const entryOf = (told: ToldEntry): Omit<TimelineEntry, 'seq'> => ({
  type: told.type,
  occurred_at: told.occurred_at,
  received_at: told.received_at,
  inbound_webhook_id: told.inbound_webhook_id,
});

const escaped = (text: string): string => (text.includes('%') ? text.replaceAll('%', '%%') : text);

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
