/**
 * What a leg's call log must be, by what the webhooks that were answered said of it: the rules of the call log written
 * down once more, independently of the switchboard's own. An arrival is known only as a span (from when the webhook was
 * first sent until it was answered), so times that rest on arrivals are spans, too, and where the order of arrivals
 * decides and is not known, every possible value is right.
 */
import type { Claim, Disposition, End, State } from './senders/sender.js';
import type { Direction } from './stories.js';

/** Earliest and latest, ms. */
export type Span = readonly [least: number, most: number];

export interface Report {
  readonly claim: Claim;
  readonly arrived: Span;
  /** Its webhook, and its place therein: of one webhook's claims with equal times the last counts. */
  readonly webhook: string;
  readonly index: number;
}

/** One possible record. */
export interface ExpectedTimes {
  readonly started: Span | null;
  readonly ringing: Span | null;
  readonly answered: Span | null;
  readonly ended: Span | null;
  readonly duration: readonly Span[];
  readonly ringDuration: Span | null;
}

export interface ExpectedLeg {
  readonly id: string;
  readonly stated: readonly State[];
  readonly status: State;
  /** One for each report that may be the end report. */
  readonly times: readonly [ExpectedTimes, ...ExpectedTimes[]];
  readonly dispositions: readonly (Disposition | null)[];
  readonly members: ExpectedMembers;
  readonly sessions: readonly (string | null)[];
}

/** The values that are right. */
export interface ExpectedMembers {
  readonly direction: readonly (string | null)[];
  readonly from: readonly (string | null)[];
  readonly to: readonly (string | null)[];
  readonly parent: readonly (string | null)[];
  /** `cause/provider cause/source`, which go together. */
  readonly why: readonly string[];
  /** `price currency`. */
  readonly price: readonly string[];
}

const STATES: readonly State[] = ['initiated', 'ringing', 'answered', 'ended'];

export const whyOf = (cause: unknown, provider: unknown, source: unknown): string =>
  [cause, provider, source].map((word) => word ?? 'none').join(' / ');

/** Decimal places of no weight are left out. */
export const priceOf = (price: unknown, currency: unknown): string =>
  price === null || price === undefined ? 'none' : `${Number(price)} ${currency ?? 'without currency'}`;

/** Null: no state is stated, so there is no call log. */
export function expectLeg(id: string, reports: readonly Report[]): ExpectedLeg | null {
  const stated = STATES.filter((state) => reports.some(({ claim }) => claim.state === state));
  const status = stated.at(-1);
  if (!status) return null;
  const talks = standing(reports, ({ talkSeconds }) => talkSeconds);
  const ends = endReports(reports);
  const times = (ends.length > 0 ? ends : [null]).map((end) => timesOf(reports, end, talks));
  const verdicts = standing(reports, (claim) => (hasVerdict(claim) ? claim : undefined));
  const directions = standing(reports, ({ direction }) => direction);
  const [first = timesOf(reports, null, talks), ...others] = times;
  return {
    ...{ id, stated, status, times: [first, ...others] },
    dispositions: status !== 'ended' ? [null] : dispositionsOf(times, verdicts, directions),
    sessions: standing(reports, ({ session }) => session),
    members: {
      direction: directions,
      from: standing(reports, ({ from }) => from),
      to: standing(reports, ({ to }) => to),
      parent: standing(reports, ({ parent }) => parent),
      why: verdicts.map((claim) => whyOf(claim?.cause, claim?.providerCause, claim?.source)),
      price: standing(reports, ({ price, currency }) =>
        price === undefined ? undefined : priceOf(price, currency),
      ).map((price) => price ?? 'none'),
    },
  };
}

const hasVerdict = ({ disposition, cause, providerCause, source }: Claim): boolean =>
  [disposition, cause, providerCause, source].some((word) => word !== undefined);

/** Whether `a` certainly counts before `b`: told before untold, then later before earlier. */
function outranks(a: Report, b: Report): boolean {
  const [toldA, toldB] = [a.claim.at, b.claim.at];
  if ((toldA === undefined) !== (toldB === undefined)) return toldA !== undefined;
  if (toldA !== undefined && toldB !== undefined && toldA !== toldB) return toldA > toldB;
  if (a.webhook === b.webhook) return a.index > b.index;
  return a.arrived[0] > b.arrived[1];
}

/** The values that nothing certainly outranks; `[null]`: none is told. */
function standing<T>(reports: readonly Report[], read: (claim: Claim) => T | undefined): (T | null)[] {
  const telling = reports.filter(({ claim }) => read(claim) !== undefined);
  if (telling.length === 0) return [null];
  const left = telling.filter((report) => !telling.some((other) => outranks(other, report)));
  return [...new Set(left.map(({ claim }) => read(claim) ?? null))];
}

/** Of told ends the latest counts; else the first to arrive, as far as that is known. */
function endReports(reports: readonly Report[]): Report[] {
  const ends = reports.filter(({ claim }) => claim.state === 'ended');
  if (ends.some(({ claim }) => claim.at !== undefined)) {
    return ends.filter((end) => !ends.some((other) => outranks(other, end)));
  }
  return ends.filter((end) => !ends.some((other) => other.arrived[1] < end.arrived[0]));
}

const exactly = (time: number): Span => [time, time];
const minus = ([least, most]: Span, ms: number): Span => [least - ms, most - ms];

/** The earliest of what there is. */
function earliest(spans: readonly (Span | null)[]): Span | null {
  const known = spans.filter((span) => span !== null);
  if (known.length === 0) return null;
  return [Math.min(...known.map(([least]) => least)), Math.min(...known.map(([, most]) => most))];
}

interface Heard {
  readonly told: Span | null;
  readonly arrived: Span | null;
}

function heardOf(reports: readonly Report[], state: State): Heard {
  const of = reports.filter(({ claim }) => claim.state === state);
  const told = of.flatMap(({ claim }) => (claim.at === undefined ? [] : [claim.at]));
  const counts = state === 'ended' ? Math.max(...told) : Math.min(...told);
  return { told: told.length > 0 ? exactly(counts) : null, arrived: earliest(of.map(({ arrived }) => arrived)) };
}

/** An arrival is cut to what came after it. */
function cut(bound: Span | null, after: readonly (Span | null)[]): Span | null {
  return bound && earliest([bound, ...after]);
}

function timesOf(reports: readonly Report[], end: Report | null, talks: readonly (number | null)[]): ExpectedTimes {
  const heard = (state: State): Heard => heardOf(reports, state);
  const ended = end ? (heard('ended').told ?? heard('ended').arrived) : null;
  const own = end && (end.claim.at === undefined ? end.arrived : exactly(end.claim.at));
  const talk = end?.claim.talkSeconds ?? 0;
  const bound = own && talk > 0 ? minus(own, talk * 1000) : heard('answered').arrived;
  const told = reports.flatMap(({ claim }) => (claim.answeredAt === undefined ? [] : [exactly(claim.answeredAt)]));
  const answered = heard('answered').told ?? earliest(told) ?? cut(bound, [ended]);
  const ringing = heard('ringing').told ?? cut(heard('ringing').arrived, [answered, ended]);
  const initiated = heard('initiated').told ?? cut(heard('initiated').arrived, [ringing, answered, ended]);
  const total = end?.claim.totalSeconds;
  const whole = own && total !== undefined ? minus(own, total * 1000) : null;
  const started = earliest([initiated, ringing, answered, ended, whole]);
  const ringDuration = secondsBetween(ringing, answered ?? ended);
  return { started, ringing, answered, ended, ringDuration, duration: durationsOf(answered, ended, talks) };
}

function durationsOf(answered: Span | null, ended: Span | null, talks: readonly (number | null)[]): Span[] {
  if (!answered || !ended) return [[0, 0]];
  return talks.map((talk) => (talk === null ? (secondsBetween(answered, ended) ?? [0, 0]) : exactly(Math.round(talk))));
}

/** Whole seconds, half up, never below 0. */
function secondsBetween(from: Span | null, to: Span | null): Span | null {
  if (!from || !to) return null;
  const rounded = (ms: number): number => Math.max(0, Math.floor(ms / 1000 + 0.5));
  return [rounded(to[0] - from[1]), rounded(to[1] - from[0])];
}

function dispositionsOf(
  times: readonly ExpectedTimes[],
  verdicts: readonly (Claim | null)[],
  directions: readonly (Direction | null)[],
): Disposition[] {
  const unansweredOnes = verdicts.flatMap((verdict) => directions.map((direction) => unanswered(verdict, direction)));
  return times.flatMap(({ answered }) => (answered ? ['completed' as const] : unansweredOnes));
}

/** What an unanswered leg came to: as told, but never `completed`; then by the cause's name. */
function unanswered(verdict: Claim | null, direction: Direction | null): Disposition {
  if (verdict?.disposition !== undefined && verdict.disposition !== 'completed') return verdict.disposition;
  if (verdict?.disposition === undefined && verdict?.cause === 'normal_clearing') {
    return direction === 'incoming' ? 'canceled' : 'failed';
  }
  return BY_CAUSE[verdict?.cause ?? ''] ?? 'no_answer';
}

const BY_CAUSE: Readonly<Record<string, NonNullable<End['disposition']>>> = {
  user_busy: 'busy',
  call_rejected: 'rejected',
  originator_cancel: 'canceled',
  answered_elsewhere: 'canceled',
  unallocated_number: 'failed',
  no_route: 'failed',
  network_error: 'failed',
  congestion: 'failed',
  forbidden: 'failed',
  application_error: 'failed',
  insufficient_funds: 'failed',
};
