import Joi from 'joi';

const TIME = /^\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:?\d{2})?)?$/;

/** What PostgreSQL takes of the years that `Date` spells as ISO 8601 does, ms: of year 1 to 9999 in UTC. */
const FIRST = Date.parse('0001-01-01T00:00:00.000Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/** A moment before or after all that can be asked for is its beginning or its end. */
export const withinYears = (ms: number): number => Math.min(Math.max(ms, FIRST), LAST);

/** ISO 8601; without an offset UTC. A `+` of the offset that was not escaped arrives as a space. */
export function readTime(value: string): Date | null {
  const spelled = value.replace(/ (?=\d{2}:?\d{2}$)/, (space, at: number) => (at > 10 ? '+' : space));
  if (!TIME.test(spelled)) return null;
  const isZoned = /(?:[Zz]|[+-]\d{2}:?\d{2})$/.test(spelled.slice(10));
  const at = new Date(spelled.length > 10 && !isZoned ? `${spelled}Z` : spelled);
  // Days that do not exist (31 June) come out as others.
  return at.getTime() === withinYears(at.getTime()) && isRealDay(spelled.slice(0, 10)) ? at : null;
}

const isRealDay = (day: string): boolean =>
  !Number.isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day);

/** A time as we spell it ourselves, such as a cursor has one; null: it is none. */
export function readOwnTime(value: unknown): string | null {
  const at = typeof value === 'string' ? readTime(value) : null;
  return at && at.toISOString() === value ? value : null;
}

/** A time as a filter; its value is the Date. */
export const time = (): Joi.StringSchema =>
  Joi.string()
    .max(40)
    .custom((value: string, helpers) => readTime(value) ?? helpers.error('string.isoDate'));
