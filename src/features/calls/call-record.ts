import { countryOf } from '../../lib/e164.js';
import type { Direction } from '../carriers/index.js';
import { CALL_COLUMNS, type CallRow } from './call.js';
import type { CallFacts, Report } from './call-facts.js';
import { type CallView, viewCall } from './call-view.js';
import type { CallRecord } from './calls.repository.js';

/** What a record has besides the view of its facts. */
export type RecordBase = Pick<
  CallRecord,
  | 'id'
  | 'account_id'
  | 'user_id'
  | 'virtual_number_id'
  | 'virtual_number'
  | 'carrier_id'
  | 'provider'
  | 'carrier_call_id'
  | 'direction'
  | 'parent_call_log_id'
  | 'tags'
  | 'note'
  | 'timeline'
  | 'last_news_at'
  | 'updated_at'
>;

const date = (time: number | null): Date | null => (time === null ? null : new Date(time));

/** An erased number's pseudonym tells its country, so that reports stay what they were. */
const ERASED = /^erased-([a-z]{2})-/;
const countryOfParty = (party: string | null): string | null =>
  party === null ? null : (ERASED.exec(party)?.[1]?.toUpperCase() ?? countryOf(party));

/** Not told: by the side on which the virtual number stands now; on both or on none, as when the call log was made. */
function directionOf({ virtual_number: own, direction }: RecordBase, { from, to }: CallView): Direction {
  if (own === null || from === to) return direction;
  if (to === own) return 'incoming';
  return from === own ? 'outgoing' : direction;
}

/**
 * The record that the facts make. Its members are named one by one: an object that grows from a spread is several times
 * as dear, and one is made for every webhook.
 */
export function buildRecord(parts: { base: RecordBase; facts: CallFacts; reports: readonly Report[] }): CallRecord {
  const { base, facts, reports } = parts;
  const view = viewCall(facts);
  if (!view) throw new Error('A call log needs a stated state.');
  const direction = view.direction ?? directionOf(base, view);
  const { from, to } = view;
  return {
    id: base.id,
    account_id: base.account_id,
    virtual_number_id: base.virtual_number_id,
    virtual_number: base.virtual_number,
    user_id: base.user_id,
    carrier_id: base.carrier_id,
    provider: base.provider,
    carrier_call_id: base.carrier_call_id,
    parent_call_log_id: base.parent_call_log_id,
    direction,
    caller_number: from,
    called_number: to,
    country: countryOfOther(base, direction === 'incoming' ? from : to),
    status: view.status,
    disposition: view.disposition,
    started_at: new Date(view.startedAt),
    ringing_at: date(view.ringingAt),
    answered_at: date(view.answeredAt),
    ended_at: date(view.endedAt),
    duration: view.duration,
    ring_duration: view.ringDuration,
    hangup_cause: view.hangupCause,
    hangup_source: view.hangupSource,
    provider_cause: view.providerCause,
    price: view.price,
    currency: view.currency,
    session_id: view.sessionId,
    parent_carrier_call_id: view.parentCallId,
    tags: base.tags,
    note: base.note,
    last_news_at: lastNews(base, facts, reports),
    updated_at: base.updated_at,
    facts,
    timeline: base.timeline,
  };
}

/** Metadata are asked once for a call: the other party hardly ever changes. */
function countryOfOther(base: RecordBase, party: string | null): string | null {
  const known = base as Partial<CallRecord>;
  const before = known.direction === 'incoming' ? known.caller_number : known.called_number;
  return known.country !== undefined && before === party ? known.country : countryOfParty(party);
}

/** Left alone once the end is reported: nothing asks for it then, and a late price need not touch an index. */
function lastNews(base: RecordBase, facts: CallFacts, reports: readonly Report[]): Date {
  const last = base.last_news_at.getTime();
  if (facts.states.ended && last > 0) return base.last_news_at;
  return new Date(reports.reduce((latest, { receivedAt }) => Math.max(latest, receivedAt), last));
}

/** Whether two records of one call look the same on the wire, `updated_at` aside. By column: it is asked of every change. */
export function isSameView(a: CallRecord, b: CallRecord): boolean {
  return CALL_COLUMNS.every((name) => name === 'updated_at' || isSameValue(a[name], b[name]));
}

function isSameValue(a: CallRow[keyof CallRow], b: CallRow[keyof CallRow]): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((entry, i) => entry === b[i]);
  return a === b;
}
