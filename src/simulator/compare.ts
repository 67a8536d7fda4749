/** A call log beside what it must be. */
import type { Json } from './api.js';
import { type ExpectedTimes, priceOf, type Span, whyOf } from './expected.js';
import type { ExpectedLog } from './families.js';

export interface Known {
  readonly provider: string;
  readonly carrierId: string | undefined;
  /** The carrier's id of a call log's leg. */
  legOf(callLogId: string): string | undefined;
}

/** One sentence for each member that is wrong. */
export function compareLog(log: Json, expected: ExpectedLog, known: Known): string[] {
  const { leg, direction, virtualNumber, parent } = expected;
  const { members } = leg;
  const isLost = log.disposition === 'lost' && !leg.stated.includes('ended');
  const times = leg.times.map((times) => (isLost ? closeAsLost(times) : times));
  const parentId = log.parent_call_log_id;
  const actualParent = typeof parentId === 'string' ? (known.legOf(parentId) ?? parentId) : null;
  return [
    ...oneOf('status', log.status, [isLost ? 'ended' : leg.status]),
    ...oneOf('disposition', log.disposition, isLost ? ['lost'] : leg.dispositions),
    ...oneOf('direction', log.direction, members.direction[0] === null ? [direction] : members.direction),
    ...oneOf('caller_number', log.caller_number, members.from),
    ...oneOf('called_number', log.called_number, members.to),
    ...oneOf('virtual_number', log.virtual_number, [virtualNumber]),
    ...oneOf('why it ended', whyOf(log.hangup_cause, log.provider_cause, log.hangup_source), members.why),
    ...oneOf('price', priceOf(log.price, log.currency), members.price),
    ...oneOf('parent', actualParent, [parent]),
    ...oneOf('provider', log.provider, [known.provider]),
    ...oneOf('carrier_id', log.carrier_id, [known.carrierId]),
    ...oneOf('timestamp', log.timestamp, [log.started_at]),
    ...fewest(times.map((one) => compareTimes(log, one))),
  ];
}

/** Closed without an end, it ends with the latest that is known of it. */
function closeAsLost(times: ExpectedTimes): ExpectedTimes {
  const spans = [times.started, times.ringing, times.answered].filter((span) => span !== null);
  const ended: Span = [Math.max(...spans.map(([least]) => least)), Math.max(...spans.map(([, most]) => most))];
  const { ringing, answered } = times;
  const seconds = (from: Span | null): Span | null =>
    from && [Math.round((ended[0] - from[1]) / 1000), Math.round((ended[1] - from[0]) / 1000)];
  const ringDuration = answered ? times.ringDuration : seconds(ringing);
  return { ...times, ended, ringDuration, duration: [seconds(answered) ?? [0, 0]] };
}

function compareTimes(log: Json, times: ExpectedTimes): string[] {
  const durations = times.duration.map((span) => within('duration', log.duration, span, String));
  return [
    ...timeWithin('started_at', log.started_at, times.started),
    ...timeWithin('ringing_at', log.ringing_at, times.ringing),
    ...timeWithin('answered_at', log.answered_at, times.answered),
    ...timeWithin('ended_at', log.ended_at, times.ended),
    ...within('ring_duration', log.ring_duration, times.ringDuration, String),
    ...fewest(durations),
  ];
}

const fewest = (lists: readonly string[][]): string[] =>
  lists.reduce((best, list) => (list.length < best.length ? list : best), lists[0] ?? []);

const say = (value: unknown): string => (value === null || value === undefined ? 'null' : String(value));

function oneOf(name: string, value: unknown, right: readonly unknown[]): string[] {
  if (right.some((one) => (one ?? null) === (value ?? null))) return [];
  return [`${name} is ${say(value)} instead of ${right.map(say).join(' or ')}`];
}

const iso = (ms: number): string => new Date(ms).toISOString();

function timeWithin(name: string, value: unknown, span: Span | null): string[] {
  const time = typeof value === 'string' ? Date.parse(value) : null;
  return within(name, time, span, iso);
}

function within(name: string, value: unknown, span: Span | null, spell: (value: number) => string): string[] {
  const actual = typeof value === 'number' ? value : null;
  if (span === null) return actual === null ? [] : [`${name} is ${spell(actual)} instead of null`];
  const [least, most] = span;
  if (actual !== null && actual >= least && actual <= most) return [];
  const right = least === most ? spell(least) : `something from ${spell(least)} to ${spell(most)}`;
  return [`${name} is ${actual === null ? 'null' : spell(actual)} instead of ${right}`];
}
