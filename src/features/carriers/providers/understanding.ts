import type { Signal, Understanding } from '../provider.js';
import { memberOf, secondsOf, textOf } from './json.js';
import { parseTime } from './times.js';

/** The sentences that several adapters say of a webhook that is of no use, so that the inspector speaks one language. */

export const signals = (eventType: string, ...list: readonly Signal[]): Understanding => ({
  kind: 'signals',
  eventType,
  signals: list,
});

export function unknownEvent(eventType: string | null): Understanding {
  const detail =
    eventType === null ? 'The body names no event.' : `The event "${eventType}" says nothing about a call.`;
  return { kind: 'ignored', eventType, code: 'unknown_event', detail };
}

export function unknownStatus(status: string): Understanding {
  const detail = `The status "${status}" is not one that is known to say something about a call.`;
  return { kind: 'ignored', eventType: status, code: 'unknown_status', detail };
}

export function missingCallId(eventType: string, member: string): Understanding {
  return { kind: 'failed', eventType, code: 'missing_call_id', detail: `The body has no ${member}.` };
}

export function impossibleTime(eventType: string, member: string): Understanding {
  return { kind: 'failed', eventType, code: 'impossible_time', detail: `The time in ${member} cannot be read.` };
}

export interface ToldTimes<Name extends string> {
  readonly times: { readonly [N in Name]?: number };
  /** The first member that tells something which is no time. */
  readonly unreadable: Name | null;
}

/** Reads the named members as times; what is absent, null or empty is not told. */
export function readTimes<Name extends string>(
  source: unknown,
  names: readonly Name[],
  parse: (text: string) => number | null = parseTime,
): ToldTimes<Name> {
  const times: { [N in Name]?: number } = {};
  for (const name of names) {
    const value = memberOf(source, name) ?? '';
    if (value === '') continue;
    const time = parse(textOf(value) ?? '');
    if (time === null) return { times, unreadable: name };
    times[name] = time;
  }
  return { times, unreadable: null };
}

/** Seconds between two told times, to the millisecond; undefined when either is missing or they cross. */
export function secondsBetween(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : secondsOf((to - from) / 1000);
}
