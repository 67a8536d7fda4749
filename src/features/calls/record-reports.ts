/**
 * A batch of reports becomes call logs and events. Under the families' locks: the facts of each leg are joined with
 * what is known of it, legs without a call log are placed, parents are found, and what changed is told. Nothing is
 * written here: the plan goes to the writers once the events have their places in the accounts' logs.
 */
import { isDeepStrictEqual } from 'node:util';
import { newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import { findHoldings, type Holding } from '../numbers/index.js';
import { type CallFacts, foldReports, NO_FACTS, type Report } from './call-facts.js';
import { legKey, type Place, type Placement, placeCall, sessionKey } from './call-placement.js';
import { buildRecord, isSameView } from './call-record.js';
import { viewCall } from './call-view.js';
import { type CallRecord, type LegName, type LegNames, loadFamilies, lockFamilies } from './calls.repository.js';
import { createFamilies, type Families } from './families.js';

/** Of the carrier that reports. */
export interface ReportingCarrier {
  readonly id: string;
  /** Null: a shared carrier. */
  readonly accountId: string | null;
  readonly provider: string;
}

/** All that a batch says of one leg. */
export interface LegReports extends LegName {
  readonly carrier: ReportingCarrier;
  readonly reports: readonly Report[];
}

/** A call log before and after the batch; `before` null: it is new. */
export interface CallChange {
  readonly before: CallRecord | null;
  readonly after: CallRecord;
  /** The batch's reports about it; none when only a parent was found. */
  readonly reports: readonly Report[];
}

export interface RecordPlan {
  readonly changes: readonly CallChange[];
  /** By leg key. */
  readonly placed: ReadonlyMap<string, CallRecord>;
  readonly unplaced: ReadonlyMap<string, Exclude<Placement, { kind: 'placed' }>>;
  /** Keys by which webhooks that waited for what is now here are found. */
  readonly arrivedKeys: readonly string[];
}

interface Leg extends LegReports {
  readonly key: string;
  readonly known: CallRecord | undefined;
  readonly facts: CallFacts;
}

export async function planReports(tx: Db, legReports: readonly LegReports[], now: number): Promise<RecordPlan> {
  const names = namesOf(legReports);
  await lockFamilies(tx, names);
  const records = await loadFamilies(tx, names);
  const families = createFamilies(records, wholeSessions(names, records));
  const legs = legReports.map((leg) => toLeg(leg, families));
  const holdings = await findHoldings(tx, numbersOf(legs.filter((leg) => !leg.known)));

  const unplaced = placeAll(legs, families, holdings, now);
  const changes = collectChanges(legs, families, now);
  const made = changes.filter((change) => change.before === null).map((change) => change.after);
  const placed = new Map<string, CallRecord>();
  for (const leg of legs) {
    const record = families.find(leg.carrierId, leg.callId);
    if (record) placed.set(leg.key, record);
  }
  return { changes, placed, unplaced, arrivedKeys: made.flatMap(keysOf) };
}

export function namesOf(legs: readonly LegReports[]): LegNames {
  const parents: LegName[] = [];
  const sessions: { carrierId: string; sessionId: string }[] = [];
  for (const { carrierId, reports } of legs) {
    for (const { parentCallId, sessionId } of reports) {
      if (parentCallId !== undefined) parents.push({ carrierId, callId: parentCallId });
      if (sessionId !== undefined) sessions.push({ carrierId, sessionId });
    }
  }
  return { legs, parents, sessions };
}

/** The sessions of the batch's own legs: those were read whole. */
export function wholeSessions(names: LegNames, records: readonly CallRecord[]): Set<string> {
  const own = new Set(names.legs.map(({ carrierId, callId }) => legKey(carrierId, callId)));
  const whole = new Set(names.sessions.map(({ carrierId, sessionId }) => sessionKey(carrierId, sessionId)));
  for (const { carrier_id, carrier_call_id, session_id } of records) {
    if (session_id !== null && own.has(legKey(carrier_id, carrier_call_id)))
      whole.add(sessionKey(carrier_id, session_id));
  }
  return whole;
}

function toLeg(leg: LegReports, families: Families): Leg {
  const known = families.find(leg.carrierId, leg.callId);
  return {
    ...leg,
    key: legKey(leg.carrierId, leg.callId),
    known,
    facts: foldReports(leg.reports, known?.facts ?? NO_FACTS),
  };
}

function numbersOf(legs: readonly Leg[]): string[] {
  const numbers = new Set<string>();
  for (const { facts } of legs) {
    for (const party of [facts.registers.from?.value, facts.registers.to?.value]) {
      if (party?.startsWith('+')) numbers.add(party);
    }
  }
  return [...numbers];
}

const keysOf = (record: CallRecord): string[] => [
  legKey(record.carrier_id, record.carrier_call_id),
  ...(record.session_id === null ? [] : [sessionKey(record.carrier_id, record.session_id)]),
];

type Unplaced = Map<string, Exclude<Placement, { kind: 'placed' }>>;

/** Joins what is known already, then makes call logs until no further leg finds its place (a parent may be in the batch). */
function placeAll(
  legs: readonly Leg[],
  families: Families,
  holdings: ReadonlyMap<string, readonly Holding[]>,
  now: number,
): Unplaced {
  for (const leg of legs) if (leg.known) families.put(updated(leg, leg.known, now));
  let open = legs.filter((leg) => !leg.known);
  const unplaced: Unplaced = new Map();
  for (let progress = true; progress; ) {
    const left: Leg[] = [];
    for (const leg of open) {
      const placement = placeLeg(leg, families, holdings);
      if (placement.kind === 'placed') families.put(made(leg, placement, now));
      else left.push(leg);
      if (placement.kind === 'placed') unplaced.delete(leg.key);
      else unplaced.set(leg.key, placement);
    }
    progress = left.length < open.length;
    open = left;
  }
  return unplaced;
}

function placeLeg(leg: Leg, families: Families, holdings: ReadonlyMap<string, readonly Holding[]>): Placement {
  const { carrierId, callId, facts } = leg;
  const view = viewCall(facts);
  const parent = families.parentOf({
    carrierId,
    callId,
    parentCallId: facts.registers.parentCallId?.value ?? null,
    sessionId: facts.registers.sessionId?.value ?? null,
  });
  return placeCall({
    carrierId,
    carrierAccountId: leg.carrier.accountId,
    callId,
    facts,
    view,
    holdings,
    parent: parent && placeOf(parent),
  });
}

const placeOf = (record: CallRecord): Place => ({
  accountId: record.account_id,
  userId: record.user_id,
  virtualNumberId: record.virtual_number_id,
  virtualNumber: record.virtual_number,
});

function made(leg: Leg, placement: Extract<Placement, { kind: 'placed' }>, now: number): CallRecord {
  const { place, direction } = placement;
  return buildRecord({
    base: {
      id: newId(),
      account_id: place.accountId,
      user_id: place.userId,
      virtual_number_id: place.virtualNumberId,
      virtual_number: place.virtualNumber,
      carrier_id: leg.carrierId,
      provider: leg.carrier.provider,
      carrier_call_id: leg.callId,
      direction,
      parent_call_log_id: null,
      tags: [],
      note: null,
      timeline: [],
      last_news_at: new Date(0),
      updated_at: new Date(now),
    },
    facts: leg.facts,
    reports: leg.reports,
  });
}

function updated(leg: Leg, known: CallRecord, now: number): CallRecord {
  if (isDeepStrictEqual(leg.facts, known.facts) && !hasLaterNews(leg, known)) return known;
  const record = buildRecord({ base: known, facts: leg.facts, reports: leg.reports });
  return isSameView(known, record) ? record : { ...record, updated_at: new Date(now) };
}

const hasLaterNews = (leg: Leg, known: CallRecord): boolean =>
  !known.facts.states.ended && leg.reports.some((report) => report.receivedAt > known.last_news_at.getTime());

/** What differs from the database, parents that are only now known included. */
export function collectChanges(legs: readonly Leg[], families: Families, now: number): CallChange[] {
  const reportsOf = new Map(legs.map((leg) => [leg.key, leg.reports]));
  const changes: CallChange[] = [];
  for (const record of families.all()) {
    const before = families.loaded(record.id) ?? null;
    const parentId = families.parentIdOf(record);
    const isMoved = parentId !== record.parent_call_log_id;
    const after = isMoved ? { ...record, parent_call_log_id: parentId, updated_at: new Date(now) } : record;
    families.put(after);
    const reports = reportsOf.get(legKey(record.carrier_id, record.carrier_call_id)) ?? [];
    if (after !== before) changes.push({ before, after, reports });
  }
  return changes;
}
