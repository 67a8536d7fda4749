/**
 * What the webhooks stated about one leg, joined. The join is commutative, associative and idempotent, so any order,
 * any repeat and any split into batches gives the same facts; the call log is a view of them (`call-view.ts`).
 *
 *   states     for each stated state the time that counts (earliest told; ended: latest told) and the earliest arrival
 *   end        the end report: the one whose time counts for `ended`, with the seconds it tells, and the earliest time
 *              of the answer that any end tells
 *   registers  every other member: the value of the report with the greatest rank that tells it; the session: of the
 *              first one, as for states, because a leg that moves on keeps its family
 *   lost       closed without an end
 */
import type { CallState, Direction, Disposition, HangupSource } from '../carriers/index.js';

/** How two reports about one member are ordered: has a told time, time, first arrival, delivery key, place in the webhook. */
export type ReportRank = readonly [told: 0 | 1, time: number, receivedAt: number, deliveryKey: string, index: number];

export interface Register<T> {
  readonly rank: ReportRank;
  readonly value: T;
}

export interface StateFact {
  /** The told time that counts, ms; null: none was told. */
  readonly told: number | null;
  /** The earliest arrival of a report of this state, ms. */
  readonly arrived: number;
  /** The webhook that arrived first with it, for the timeline. */
  readonly webhookId: string;
}

export interface EndReport {
  readonly rank: ReportRank;
  /** The earliest time of the answer that an end tells, ms; absent: none does. */
  readonly answeredAt?: number;
  readonly talkSeconds: number | null;
  readonly totalSeconds: number | null;
}

/** Disposition, causes and source go together: they are one report's words about the end. */
export interface Verdict {
  readonly disposition: Disposition | null;
  readonly hangupCause: string | null;
  readonly providerCause: string | null;
  readonly hangupSource: HangupSource | null;
}

/** Of a cause, in characters: carriers send any text. */
export const LONGEST_CAUSE = 500;

type Causes = Pick<Verdict, 'hangupCause' | 'providerCause'>;

/** The same with other causes; the very same where `change` changes none. */
export function withCauses<C extends Causes>(given: C, change: (cause: string) => string): C {
  const changed = (cause: string | null): string | null => {
    const other = cause === null ? null : change(cause);
    return other === null || other === cause ? cause : other.slice(0, LONGEST_CAUSE).toWellFormed();
  };
  const [hangupCause, providerCause] = [changed(given.hangupCause), changed(given.providerCause)];
  const isSame = hangupCause === given.hangupCause && providerCause === given.providerCause;
  return isSame ? given : { ...given, hangupCause, providerCause };
}

export interface Price {
  readonly amount: string;
  readonly currency: string | null;
}

export interface Registers {
  readonly direction: Direction;
  readonly presumedDirection: Direction;
  readonly from: string;
  readonly to: string;
  readonly verdict: Verdict;
  readonly talkSeconds: number;
  readonly parentCallId: string;
  readonly sessionId: string;
  readonly price: Price;
}

export interface CallFacts {
  readonly states: { readonly [S in CallState]?: StateFact };
  readonly end?: EndReport;
  readonly registers: { readonly [M in keyof Registers]?: Register<Registers[M]> };
  readonly lost?: true;
}

/** One webhook's statement about a leg, with parties already read as phone numbers where they are such. */
export interface Report {
  readonly webhookId: string;
  readonly deliveryKey: string;
  /** Arrival of the first delivery, ms. */
  readonly receivedAt: number;
  /** Place among the webhook's signals. */
  readonly index: number;
  readonly state?: CallState | undefined;
  readonly occurredAt?: number | undefined;
  readonly direction?: Direction | undefined;
  readonly presumedDirection?: Direction | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly verdict?: Verdict | undefined;
  /** When the leg was answered, as its end tells, ms. */
  readonly answeredAt?: number | undefined;
  readonly talkSeconds?: number | undefined;
  readonly totalSeconds?: number | undefined;
  readonly parentCallId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly price?: Price | undefined;
}

export const NO_FACTS: CallFacts = { states: {}, registers: {} };

const REGISTER_NAMES = [
  'direction',
  'presumedDirection',
  'from',
  'to',
  'verdict',
  'talkSeconds',
  'parentCallId',
  'sessionId',
  'price',
] as const;

export function rankOf(report: Report): ReportRank {
  const { occurredAt, receivedAt, deliveryKey, index } = report;
  return occurredAt === undefined
    ? [0, receivedAt, receivedAt, deliveryKey, index]
    : [1, occurredAt, receivedAt, deliveryKey, index];
}

export function compareRanks(a: ReportRank, b: ReportRank): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || compareTexts(a[3], b[3]) || a[4] - b[4];
}

// By code unit, not by locale: two machines must agree.
function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function factsOf(report: Report): CallFacts {
  const rank = rankOf(report);
  const registers: Record<string, Register<unknown>> = {};
  for (const name of REGISTER_NAMES) {
    const value = report[name];
    if (value !== undefined) registers[name] = { rank, value };
  }
  if (report.state === undefined) return { states: {}, registers };
  const state: StateFact = { told: report.occurredAt ?? null, arrived: report.receivedAt, webhookId: report.webhookId };
  const states = { [report.state]: state };
  if (report.state !== 'ended') return { states, registers };
  const end = { rank, talkSeconds: report.talkSeconds ?? null, totalSeconds: report.totalSeconds ?? null };
  const { answeredAt } = report;
  return { states, registers, end: answeredAt === undefined ? end : { ...end, answeredAt } };
}

export function joinFacts(a: CallFacts, b: CallFacts): CallFacts {
  const states: Partial<Record<CallState, StateFact>> = { ...a.states };
  for (const state of Object.keys(b.states) as CallState[]) {
    const known = states[state];
    const added = b.states[state];
    if (added) states[state] = known ? joinState(state, known, added) : added;
  }
  const registers: Record<string, Register<unknown>> = { ...a.registers };
  for (const name of REGISTER_NAMES) {
    const known = a.registers[name];
    const added = b.registers[name];
    if (added && (!known || counts(name, added.rank, known.rank))) registers[name] = added;
  }
  const end = a.end && b.end ? laterEnd(a.end, b.end) : (a.end ?? b.end);
  const facts: { -readonly [K in keyof CallFacts]: CallFacts[K] } = { states, registers };
  if (end) facts.end = end;
  if (a.lost || b.lost) facts.lost = true;
  return facts;
}

function counts(name: keyof Registers, added: ReportRank, known: ReportRank): boolean {
  if (name === 'sessionId' && added[0] === known[0]) return compareRanks(added, known) < 0;
  return compareRanks(added, known) > 0;
}

function joinState(state: CallState, a: StateFact, b: StateFact): StateFact {
  const first = a.arrived - b.arrived || compareTexts(a.webhookId, b.webhookId);
  const { arrived, webhookId } = first <= 0 ? a : b;
  if (a.told === null || b.told === null) return { told: a.told ?? b.told, arrived, webhookId };
  const told = state === 'ended' ? Math.max(a.told, b.told) : Math.min(a.told, b.told);
  return { told, arrived, webhookId };
}

/** Of told ends the latest counts, without a told one the first to arrive; of the answers they tell the earliest. */
function laterEnd(a: EndReport, b: EndReport): EndReport {
  const [lesser, greater] = compareRanks(a.rank, b.rank) < 0 ? [a, b] : [b, a];
  const end = greater.rank[0] === 1 ? greater : lesser;
  const answers = [a, b].flatMap(({ answeredAt }) => answeredAt ?? []);
  return answers.length === 0 ? end : { ...end, answeredAt: Math.min(...answers) };
}

/** The facts with other delivery keys in their ranks; the same facts where `change` changes none. */
export function withDeliveryKeys(facts: CallFacts, change: (key: string) => string): CallFacts {
  const told = [...(facts.end ? [facts.end] : []), ...Object.values(facts.registers)].map(({ rank }) => rank[3]);
  const keys = new Map([...new Set(told)].map((key) => [key, change(key)]));
  if ([...keys].every(([key, changed]) => key === changed)) return facts;
  const renamed = <T extends { readonly rank: ReportRank }>(stated: T): T => {
    const [isTold, time, receivedAt, key, index] = stated.rank;
    return { ...stated, rank: [isTold, time, receivedAt, keys.get(key) ?? key, index] };
  };
  const registers = Object.entries(facts.registers).map(([name, register]) => [name, renamed(register)]);
  return {
    ...facts,
    ...(facts.end && { end: renamed(facts.end) }),
    registers: Object.fromEntries(registers) as CallFacts['registers'],
  };
}

/** Joins a leg's reports; their order is of no account. */
export function foldReports(reports: readonly Report[], known: CallFacts = NO_FACTS): CallFacts {
  const join = (facts: CallFacts, report: Report): CallFacts =>
    facts === NO_FACTS ? factsOf(report) : joinFacts(facts, factsOf(report));
  return reports.reduce(join, known);
}

/** The states that `after` states and `before` does not, in the order in which calls go through them. */
export function newlyStated(before: CallFacts, after: CallFacts): CallState[] {
  return CALL_STATES.filter((state) => after.states[state] && !before.states[state]);
}

export const CALL_STATES = ['initiated', 'ringing', 'answered', 'ended'] as const satisfies readonly CallState[];
