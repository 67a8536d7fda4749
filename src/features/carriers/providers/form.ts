import { unescape as decodePercent } from 'node:querystring';
import type { WebhookContent, WebhookRequest } from '../provider.js';
import { memberOf, textOf } from './json.js';

export type FormPairs = ReadonlyArray<readonly [string, string]>;

/** The value of one member as text; undefined when it is absent or empty: an empty value tells nothing. */
export type Fields = (name: string) => string | undefined;

const decode = (text: string): string => decodePercent(text.replaceAll('+', ' '));

/**
 * Pairs in the order sent, empty values and repeated names kept. Not URLSearchParams, which drops a leading `?`, so that
 * two different bodies would verify alike.
 */
export function decodeForm(text: string): FormPairs {
  return text
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      return equals < 0 ? [decode(part), ''] : [decode(part.slice(0, equals)), decode(part.slice(equals + 1))];
    });
}

export const contentTypeOf = (request: WebhookRequest): string =>
  (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** The body as a form, or null: no form has a pair without a name, or begins as JSON or XML does. */
export function readForm(body: Buffer): WebhookContent | null {
  const text = body.toString('utf8');
  if (!text.includes('=') || /^\s*[{[<"]/.test(text)) return null;
  const form = decodeForm(text);
  return form.every(([name]) => name === '') ? null : { kind: 'form', form };
}

/** Reads one member of a form (a repeated name's last value counts) or of a JSON object's top level. */
export function fieldsOf(content: WebhookContent): Fields {
  if (content.kind === 'json') return (name) => textOf(memberOf(content.json, name));
  const values = new Map(content.form);
  return (name) => values.get(name) || undefined;
}

/** The query of a URL as received, decoded; empty without one. */
export function queryOf(url: string): FormPairs {
  const mark = url.indexOf('?');
  return mark < 0 ? [] : decodeForm(url.slice(mark + 1));
}
