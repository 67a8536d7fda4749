import type { WebhookContent } from '../provider.js';

/** Safe reading of unknown JSON: what has another shape than wanted is not told; nothing here throws. */

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function objectOf(value: unknown): Record<string, unknown> | undefined {
  return isObject(value) ? value : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The own member at a path; never one that is inherited, such as `constructor`. */
export function memberOf(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}

/** Text, or a number as text; undefined for the empty text and for a number whose digits are lost: two ids would be one. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A number, or a text that is a plain decimal one. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || !/^\s*[+-]?\d{1,15}(\.\d{1,15})?\s*$/.test(value)) return undefined;
  return Number(value);
}

const MOST_SECONDS = 100_000_000;

/** A length of time in seconds: not negative, and below three years (a longer one is a mistake, so it is not told). */
export function secondsOf(value: unknown): number | undefined {
  const seconds = numberOf(value);
  return seconds !== undefined && seconds >= 0 && seconds <= MOST_SECONDS ? seconds : undefined;
}

/** A price as decimal text without exponent, which JavaScript writes numbers below a millionth with. */
export function decimalOf(value: unknown): string | undefined {
  const isTiny = typeof value === 'number' && value !== 0 && Math.abs(value) < 1e-6;
  const text = isTiny ? value.toFixed(12) : textOf(value)?.trim();
  return text !== undefined && /^-?\d{1,12}(\.\d{1,12})?$/.test(text) ? text : undefined;
}

/** An ISO 4217 code in capitals. */
export function currencyOf(value: unknown): string | undefined {
  const text = textOf(value)?.trim().toUpperCase();
  return text !== undefined && /^[A-Z]{3}$/.test(text) ? text : undefined;
}

export function readJson(body: Buffer): WebhookContent | null {
  try {
    return { kind: 'json', json: JSON.parse(body.toString('utf8')) };
  } catch {
    return null;
  }
}

/** The given members without those that are undefined, as `exactOptionalPropertyTypes` wants them. */
export function told<T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): T {
  const found: Partial<Record<keyof T, unknown>> = {};
  for (const name of Object.keys(members) as (keyof T)[]) {
    if (members[name] !== undefined) found[name] = members[name];
  }
  return found as T;
}
