/**
 * The call log as a view of the facts: a pure function, so that the same facts are the same record.
 *
 * A told time is never changed. An arrival is only an upper bound (a webhook comes after what it tells of), so it is
 * cut to the earliest time of the states after it. Durations of told times that cross stop at 0.
 */
import {
  type CallState,
  type Direction,
  type Disposition,
  dispositionOfCause,
  type HangupSource,
} from '../carriers/index.js';
import { CALL_STATES, type CallFacts } from './call-facts.js';

export interface CallView {
  readonly status: CallState;
  readonly disposition: Disposition | 'lost' | null;
  readonly initiatedAt: number | null;
  readonly ringingAt: number | null;
  readonly answeredAt: number | null;
  readonly endedAt: number | null;
  readonly startedAt: number;
  readonly duration: number;
  readonly ringDuration: number | null;
  readonly hangupCause: string | null;
  readonly hangupSource: HangupSource | null;
  readonly providerCause: string | null;
  readonly direction: Direction | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly price: string | null;
  readonly currency: string | null;
  readonly parentCallId: string | null;
  readonly sessionId: string | null;
}

/** Null while no state is stated: facts alone (a price, a note) are not a call yet. */
export function viewCall(facts: CallFacts): CallView | null {
  const stated = CALL_STATES.findLast((state) => facts.states[state]);
  if (!stated) return null;
  const times = timesOf(facts);
  const isLost = facts.lost === true && !facts.states.ended;
  const endedAt = isLost ? latest([times.initiated, times.ringing, times.answered]) : times.ended;
  const { registers } = facts;
  const verdict = registers.verdict?.value;
  return {
    status: isLost ? 'ended' : stated,
    disposition: isLost ? 'lost' : dispositionOf(times, registers),
    initiatedAt: times.initiated,
    ringingAt: times.ringing,
    answeredAt: times.answered,
    endedAt,
    startedAt: startOf(facts, times) ?? 0,
    duration: talkOf(times.answered, endedAt, registers.talkSeconds?.value),
    ringDuration: secondsBetween(times.ringing, times.answered ?? endedAt),
    hangupCause: verdict?.hangupCause ?? null,
    hangupSource: verdict?.hangupSource ?? null,
    providerCause: verdict?.providerCause ?? null,
    direction: registers.direction?.value ?? null,
    from: registers.from?.value ?? null,
    to: registers.to?.value ?? null,
    price: registers.price?.value.amount ?? null,
    currency: registers.price?.value.currency ?? null,
    parentCallId: registers.parentCallId?.value ?? null,
    sessionId: registers.sessionId?.value ?? null,
  };
}

type Times = { readonly [S in CallState]: number | null };

/** From the end backwards, because an arrival is cut to what came after it. */
function timesOf(facts: CallFacts): Times {
  const { states } = facts;
  const ended = states.ended ? (states.ended.told ?? states.ended.arrived) : null;
  const answered = states.answered?.told ?? facts.end?.answeredAt ?? cut(boundOfAnswer(facts), [ended]);
  const ringing = states.ringing?.told ?? cut(states.ringing?.arrived ?? null, [answered, ended]);
  const initiated = states.initiated?.told ?? cut(states.initiated?.arrived ?? null, [ringing, answered, ended]);
  return { initiated, ringing, answered, ended };
}

/** Without a told answer: the end report's own time less its talk, else the arrival of the answer. */
function boundOfAnswer({ states, end }: CallFacts): number | null {
  if (end?.talkSeconds) return end.rank[1] - end.talkSeconds * 1000;
  return states.answered?.arrived ?? null;
}

function cut(time: number | null, later: readonly (number | null)[]): number | null {
  return time === null ? null : Math.min(time, ...later.filter((other) => other !== null));
}

function startOf({ end }: CallFacts, times: Times): number | null {
  const whole = end && end.totalSeconds !== null ? end.rank[1] - end.totalSeconds * 1000 : null;
  const known = [times.initiated, times.ringing, times.answered, times.ended, whole].filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function latest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** Whole seconds, half up, never below 0; null where either end is missing. */
function secondsBetween(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.max(0, Math.round((to - from) / 1000));
}

function talkOf(answeredAt: number | null, endedAt: number | null, told: number | undefined): number {
  if (answeredAt === null || endedAt === null) return 0;
  return told === undefined ? (secondsBetween(answeredAt, endedAt) ?? 0) : Math.round(told);
}

/** An answered leg is completed whatever the carrier says; an unanswered one never is. */
function dispositionOf(times: Times, { verdict, direction }: CallFacts['registers']): Disposition | null {
  if (times.ended === null) return null;
  if (times.answered !== null) return 'completed';
  const { disposition: told, hangupCause } = verdict?.value ?? {};
  if (told && told !== 'completed') return told;
  // An end without a fault, left open by a report that tells no direction: of an incoming leg the caller left.
  if (!told && hangupCause === 'normal_clearing') return direction?.value === 'incoming' ? 'canceled' : 'failed';
  const byName = hangupCause ? dispositionOfCause(hangupCause) : null;
  return byName && byName !== 'completed' ? byName : 'no_answer';
}

/** When a state was, as far as is known: the `occurred_at` of its event. */
export const timeOfState = (view: CallView, state: CallState): number | null =>
  ({ initiated: view.initiatedAt, ringing: view.ringingAt, answered: view.answeredAt, ended: view.endedAt })[state];
