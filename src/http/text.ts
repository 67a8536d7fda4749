import Joi from 'joi';

/** What PostgreSQL cannot keep: NUL in a text, half of a surrogate pair in jsonb. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** A text that can be stored; use it where a client's text goes to the database, in a body or as a filter. */
export const text = (): Joi.StringSchema =>
  Joi.string().custom((value: string, helpers) => (UNSTORABLE.test(value) ? helpers.error('string.base') : value));
