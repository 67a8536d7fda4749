import Joi from 'joi';

const TIME = /^\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:?\d{2})?)?$/;

/** ISO 8601; without an offset UTC. A `+` of the offset that was not escaped arrives as a space. */
export function readTime(value: string): Date | null {
  const spelled = value.replace(/ (?=\d{2}:?\d{2}$)/, (space, at: number) => (at > 10 ? '+' : space));
  if (!TIME.test(spelled)) return null;
  const isZoned = /(?:[Zz]|[+-]\d{2}:?\d{2})$/.test(spelled.slice(10));
  const at = new Date(spelled.length > 10 && !isZoned ? `${spelled}Z` : spelled);
  // Days that do not exist (31 June) come out as others.
  return Number.isNaN(at.getTime()) || !isRealDay(spelled.slice(0, 10)) ? null : at;
}

const isRealDay = (day: string): boolean =>
  !Number.isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day);

/** A time as a filter; its value is the Date. */
export const time = (): Joi.StringSchema =>
  Joi.string()
    .max(40)
    .custom((value: string, helpers) => readTime(value) ?? helpers.error('string.isoDate'));
