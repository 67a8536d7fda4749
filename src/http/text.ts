import Joi from 'joi';

/** What PostgreSQL cannot keep: NUL in a text, half of a surrogate pair in jsonb. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** A text that can be stored; use it where a client's text goes to the database, in a body or as a filter. */
export const text = (): Joi.StringSchema =>
  Joi.string().custom((value: string, helpers) => (UNSTORABLE.test(value) ? helpers.error('string.base') : value));

/** A word to find things by: a filter takes a comma list of them, in which `none` means those without. */
export const tag = (longest: number): Joi.StringSchema =>
  text()
    .trim()
    .min(1)
    .max(longest)
    .pattern(/^(?!none$)[^,]*$/)
    // Of the rule alone: for a schema with messages of its own Joi copies all the others, here for each tag of a list.
    .message('A tag has no comma and is not called none: filters could not ask for it.');
