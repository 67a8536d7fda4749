import { unescape as decodePercent } from 'node:querystring';
import type { WebhookContent, WebhookRequest } from '../provider.js';
import { queryOf } from './form.js';
import { listOf, memberOf, readJson, textOf } from './json.js';

/**
 * Reading of a call detail record as mod_json_cdr and mod_format_cdr post it. One setting apart, the body is bare JSON
 * or a form of one member `cdr`: percent-encoded, base64 whose `+` and `/` are not escaped, or the raw text. The
 * content type is no guide: `disable-100-continue` replaces the header list, so that bare JSON arrives as a form.
 */

const startsAsJson = (text: string): boolean => /^\s*[{[]/.test(text);

const parse = (text: string): WebhookContent | null => readJson(Buffer.from(text));

/**
 * With `encode` and `encode-values` both on, the outer encoding leaves the `%XX` of the values alone, so that decoding
 * once decodes both and a quoted caller name breaks the JSON. Here a quote counts as JSON's own only beside JSON's
 * punctuation, and what cannot stand in JSON text stays encoded.
 */
function decodeMixed(encoded: string): string {
  const text = encoded.replace(/(?:%(?!22|5C|0|1)[0-9A-F]{2})+/gi, (part) => decodePercent(part));
  return text.replace(/(?<=[{[,:])%22|(?<!%5C)%22(?=[}\],:])/gi, '"');
}

function readForm(value: string): WebhookContent | null {
  if (startsAsJson(value)) return parse(value);
  if (/^\s*%(7B|5B)/i.test(value)) return parse(decodePercent(value)) ?? parse(decodeMixed(value));
  const text = Buffer.from(decodePercent(value), 'base64').toString('utf8');
  return startsAsJson(text) ? parse(text) : null;
}

export function readRecord(body: Buffer): WebhookContent | null {
  const text = body.toString('utf8');
  if (startsAsJson(text)) return parse(text);
  const member = /^\s*cdr=/.exec(text);
  return member ? readForm(text.slice(member[0].length)) : null;
}

export const recordOf = (content: WebhookContent): unknown => (content.kind === 'json' ? content.json : undefined);

/** A channel variable. By default (`encode-values`) its value is percent-encoded, once more than the record itself. */
export function variableOf(record: unknown, name: string): string | undefined {
  const value = textOf(memberOf(record, 'variables', name));
  return value !== undefined && /%[0-9A-F]{2}/i.test(value) ? decodePercent(value) : value;
}

/** The caller profiles, newest first: after a transfer the last one holds the number that was dialled first. */
export const callflowOf = (record: unknown): readonly unknown[] => listOf(memberOf(record, 'callflow'));

/** The leg's id; the query `?uuid=` has `a_` in front for A legs when mod_format_cdr's `prefix-a-leg` is on. */
export function legIdOf(record: unknown, request: WebhookRequest): string | undefined {
  const queried = new Map(queryOf(request.path)).get('uuid')?.replace(/^a_/, '');
  const profiled = textOf(memberOf(callflowOf(record)[0], 'caller_profile', 'uuid'));
  return variableOf(record, 'uuid') ?? profiled ?? (queried || undefined);
}

export function parentIdOf(record: unknown): string | undefined {
  for (const flow of callflowOf(record)) {
    const originators = memberOf(flow, 'caller_profile', 'originator', 'originator_caller_profiles');
    const uuid = textOf(memberOf(listOf(originators)[0], 'uuid'));
    if (uuid !== undefined) return uuid;
  }
  return variableOf(record, 'originating_leg_uuid') ?? variableOf(record, 'originator');
}

/** `times` of the newest profile, which takes over those of the profiles before it, beside the variables of the same. */
const TIMES = [
  ['created', 'created_time', 'start_uepoch'],
  ['progress', 'progress_time', 'progress_uepoch'],
  ['progressMedia', 'progress_media_time', 'progress_media_uepoch'],
  ['answered', 'answered_time', 'answer_uepoch'],
  ['hangup', 'hangup_time', 'end_uepoch'],
] as const;

export type RecordTime = (typeof TIMES)[number][0];

/** The told times as text in microseconds; `0` stands for never. */
export function toldTimesOf(record: unknown): { readonly [N in RecordTime]?: string } {
  const times = memberOf(callflowOf(record)[0], 'times');
  const isTold = (value: string | undefined): value is string => value !== undefined && !/^0+$/.test(value);
  return Object.fromEntries(
    TIMES.flatMap(([name, member, variable]) => {
      const value = [textOf(memberOf(times, member)), variableOf(record, variable)].find(isTold);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
