/**
 * A batch of reports becomes call logs and events. Under the families' locks: the facts of each leg are joined with
 * what is known of it, legs without a call log are placed, parents are found, and what changed is told. Nothing is
 * written here: the plan goes to the writers once the events have their places in the accounts' logs.
 */
import { isDeepStrictEqual } from 'node:util';
import { newId } from '../../lib/ids.js';
import type { Holding } from '../numbers/index.js';
import { type CallFacts, foldReports, NO_FACTS, type Report } from './call-facts.js';
import { legKey, type Place, type Placement, placeCall, sessionKey } from './call-placement.js';
import { buildRecord, isSameView } from './call-record.js';
import { viewCall } from './call-view.js';
import type { CallRecord, LegName } from './calls.repository.js';
import { createFamilies, type Families } from './families.js';
import type { Surroundings } from './look-around.js';
import { type ErasedFromWebhook, type Guard, loadGuard, type RecordingRules } from './recording-rules.js';

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
  /** By leg key: the webhooks all of whose reports about it are older than the account keeps call logs. */
  readonly expired: ReadonlyMap<string, Expired>;
  /** What the webhooks themselves must not show any longer. */
  readonly erased: readonly ErasedFromWebhook[];
}

export interface Expired {
  readonly accountId: string;
  readonly webhookIds: ReadonlySet<string>;
}

interface Leg extends LegReports {
  readonly key: string;
  readonly known: CallRecord | undefined;
  readonly facts: CallFacts;
}

export interface PlanOptions {
  readonly now: number;
  readonly rules?: RecordingRules;
}

export async function planReports(
  { records, sessions, holdings }: Surroundings,
  legReports: readonly LegReports[],
  { now, rules = {} }: PlanOptions,
): Promise<RecordPlan> {
  const gate = createGate(await loadGuard(rules));
  const families = createFamilies(records, sessions);
  const legs = legReports.map((leg) => toLeg(leg, families, gate));

  const unplaced = placeAll(legs, { families, holdings, gate, now });
  for (const leg of legs) if (unplaced.has(leg.key)) gate.passOver(leg);
  const changes = collectChanges(legs, families, now);
  const made = changes.filter((change) => change.before === null).map((change) => change.after);
  const placed = new Map<string, CallRecord>();
  for (const leg of legs) {
    const record = families.find(leg.carrierId, leg.callId);
    if (record) placed.set(leg.key, record);
  }
  const { expired, erased } = gate;
  return { changes, placed, unplaced, arrivedKeys: made.flatMap(keysOf), expired, erased };
}

/** Lets through what a leg's account may record, and remembers what it did not. */
interface Gate {
  admit(leg: LegReports, accountId: string): readonly Report[];
  /** Of a leg that has no call log: what its carrier's account has had erased goes from its webhooks all the same. */
  passOver(leg: LegReports): void;
  /** What is known of a call, without what its account has had erased. */
  keepFacts(known: CallRecord): CallFacts;
  readonly expired: Map<string, Expired>;
  readonly erased: ErasedFromWebhook[];
}

function createGate(guard: Guard): Gate {
  const expired = new Map<string, Expired>();
  const erased: ErasedFromWebhook[] = [];
  return {
    expired,
    erased,
    admit(leg, accountId) {
      const admission = guard.admit(accountId, leg.reports);
      erased.push(...admission.erased);
      if (admission.expired.length > 0) {
        const kept = new Set(admission.reports.map(({ webhookId }) => webhookId));
        const webhookIds = new Set(admission.expired.filter((id) => !kept.has(id)));
        expired.set(legKey(leg.carrierId, leg.callId), { accountId, webhookIds });
      }
      return admission.reports;
    },
    passOver({ carrier, reports }) {
      if (carrier.accountId !== null) erased.push(...guard.admit(carrier.accountId, reports).erased);
    },
    keepFacts: ({ account_id, facts }) => guard.keepFacts(account_id, facts),
  };
}

function toLeg(leg: LegReports, families: Families, gate: Gate): Leg {
  const known = families.find(leg.carrierId, leg.callId);
  const reports = known ? gate.admit(leg, known.account_id) : leg.reports;
  const before = known ? gate.keepFacts(known) : NO_FACTS;
  const { carrierId, callId, carrier } = leg;
  return {
    carrierId,
    callId,
    carrier,
    reports,
    key: legKey(carrierId, callId),
    known,
    facts: foldReports(reports, before),
  };
}

const keysOf = (record: CallRecord): string[] => [
  legKey(record.carrier_id, record.carrier_call_id),
  ...(record.session_id === null ? [] : [sessionKey(record.carrier_id, record.session_id)]),
];

interface Placing {
  readonly families: Families;
  readonly holdings: ReadonlyMap<string, readonly Holding[]>;
  readonly gate: Gate;
  readonly now: number;
}

type Unplaced = Map<string, Exclude<Placement, { kind: 'placed' }>>;

/** Joins what is known already, then makes call logs until no further leg finds its place (a parent may be in the batch). */
function placeAll(legs: readonly Leg[], { families, holdings, gate, now }: Placing): Unplaced {
  for (const leg of legs) if (leg.known) families.put(updated(leg, leg.known, now));
  let open = legs.filter((leg) => !leg.known);
  const unplaced: Unplaced = new Map();
  for (let progress = true; progress; ) {
    const left: Leg[] = [];
    for (const leg of open) {
      const placement = placeLeg(leg, families, holdings);
      if (placement.kind !== 'placed') {
        left.push(leg);
        unplaced.set(leg.key, placement);
        continue;
      }
      unplaced.delete(leg.key);
      const admitted = admittedTo(leg, placement.place.accountId, gate);
      if (admitted) families.put(made(admitted, placement, now));
    }
    progress = left.length < open.length;
    open = left;
  }
  return unplaced;
}

/** The leg with what its account may record of it; null: nothing that makes a call log. */
function admittedTo(leg: Leg, accountId: string, gate: Gate): Leg | null {
  const reports = gate.admit(leg, accountId);
  if (reports === leg.reports) return leg;
  const facts = foldReports(reports);
  return viewCall(facts) ? { ...leg, reports, facts } : null;
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
