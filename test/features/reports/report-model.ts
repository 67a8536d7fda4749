/** What a report should say, found the slow and plain way: each call looked at by itself, local times asked of Intl. */
import type { CallSeedRow } from '../calls/call-rows.js';

export const FIGURES = [
  'calls',
  'incoming',
  'outgoing',
  'answered',
  'missed',
  'no_answer',
  'busy',
  'rejected',
  'canceled',
  'failed',
  'lost',
  'answer_rate',
  'talk_seconds',
  'average_talk_seconds',
  'average_ring_seconds',
  'p95_ring_seconds',
  'short_calls',
  'max_concurrent',
] as const;

const places = (value: number, count: number): number => Number(`${Math.round(Number(`${value}e${count}`))}e-${count}`);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : places(sum(values) / values.length, 1);

export function modelFigures(calls: readonly CallSeedRow[], now: Date): Record<string, number | null> {
  const count = (is: (call: CallSeedRow) => boolean): number => calls.filter(is).length;
  const answered = calls.filter((call) => call.answered_at !== null);
  const ended = calls.filter((call) => call.status === 'ended');
  const rings = calls
    .flatMap((call) => (call.ring_duration === null ? [] : [call.ring_duration]))
    .sort((a, b) => a - b);
  const end = (call: CallSeedRow): Date => call.ended_at ?? now;
  return {
    calls: calls.length,
    incoming: count((call) => call.direction === 'incoming'),
    outgoing: count((call) => call.direction === 'outgoing'),
    answered: answered.length,
    missed: count((call) => call.direction === 'incoming' && call.status === 'ended' && call.answered_at === null),
    ...Object.fromEntries(
      ['no_answer', 'busy', 'rejected', 'canceled', 'failed', 'lost'].map((name) => [
        name,
        count((call) => call.disposition === name),
      ]),
    ),
    answer_rate: ended.length === 0 ? null : places(answered.length / ended.length, 4),
    talk_seconds: sum(calls.map((call) => call.duration)),
    average_talk_seconds: mean(answered.map((call) => call.duration)),
    average_ring_seconds: mean(rings),
    p95_ring_seconds: rings.length === 0 ? null : (rings[Math.ceil(rings.length * 0.95) - 1] ?? null),
    short_calls: answered.filter((call) => call.duration < 10).length,
    max_concurrent: Math.max(
      0,
      ...calls.map(
        (moment) =>
          calls.filter((call) => call.started_at <= moment.started_at && moment.started_at < end(call)).length,
      ),
    ),
  };
}

const formats = new Map<string, Intl.DateTimeFormat>();
const WORDS = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit' } as const;

function wallClock(at: Date, timeZone: string): { readonly day: string; readonly hour: string } {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', timeZoneName: 'longOffset', ...WORDS });
  formats.set(timeZone, format);
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const day = `${part.year}-${part.month}-${part.day}`;
  const offset = part.timeZoneName === 'GMT' ? '+00:00' : String(part.timeZoneName).slice(3);
  return { day, hour: `${day}T${part.hour}:00:00${offset}` };
}

/** The value of a call's group. */
export function modelValue(call: CallSeedRow, group: string, timeZone: string): string | null {
  const { day, hour } = wallClock(call.started_at, timeZone);
  if (group === 'hour') return hour;
  if (group === 'day') return day;
  if (group === 'month') return day.slice(0, 7);
  if (group === 'week') {
    const date = new Date(`${day}T00:00:00Z`);
    date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
    return date.toISOString().slice(0, 10);
  }
  return call[memberOf(group) as keyof CallSeedRow] as string | null;
}

export const memberOf = (group: string): string =>
  ({ virtual_number: 'virtual_number_id', user: 'user_id', carrier: 'carrier_id' })[group] ?? group;

/** Calls by the values of the groups. */
export function modelRows(
  calls: readonly CallSeedRow[],
  groups: readonly string[],
  timeZone: string,
): Map<string, CallSeedRow[]> {
  const rows = new Map<string, CallSeedRow[]>();
  for (const call of calls) {
    const key = JSON.stringify(groups.map((group) => modelValue(call, group, timeZone)));
    rows.set(key, [...(rows.get(key) ?? []), call]);
  }
  return rows;
}
