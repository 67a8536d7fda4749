import type Joi from 'joi';
import { type AppError, invalidFields } from '../lib/errors.js';

const MESSAGES: Readonly<Record<string, string>> = {
  'any.required': 'This field is required.',
  'any.only': 'Must be one of: {#valids}.',
  'any.unknown': 'Unknown field.',
  'object.unknown': 'Unknown field.',
  'object.base': 'Must be an object.',
  'array.base': 'Must be a list.',
  'array.max': 'At most {#limit} entries are allowed.',
  'array.min': 'At least {#limit} entries are needed.',
  'array.unique': 'The same entry stands here twice.',
  'string.base': 'Not a valid string.',
  'string.empty': 'This field may not be blank.',
  'string.max': 'Ensure this field has no more than {#limit} characters.',
  'string.min': 'Ensure this field has at least {#limit} characters.',
  'string.guid': 'Not a valid id.',
  'string.uri': 'Not a valid URL.',
  'string.uriCustomScheme': 'Not a valid URL.',
  'string.pattern.base': 'Not in the expected form.',
  'string.isoDate': 'Not a valid time (ISO 8601).',
  'boolean.base': 'Must be a valid boolean.',
  'number.base': 'A valid number is required.',
  'number.integer': 'A whole number is required.',
  'number.unsafe': 'A whole number is required.',
  'number.min': 'Ensure this value is at least {#limit}.',
  'number.max': 'Ensure this value is at most {#limit}.',
  'date.base': 'Not a valid time (ISO 8601).',
  'date.format': 'Not a valid time (ISO 8601).',
};

const OPTIONS: Joi.ValidationOptions = { abortEarly: false, errors: { wrap: { label: false, array: false } } };

/** A schema with the house's options. Kept, because Joi would compile all the sentences anew for each value (35 µs). */
type Prepare = (schema: Joi.Schema) => Joi.Schema;

function createPrepare(options: Joi.ValidationOptions): Prepare {
  const prepared = new WeakMap<Joi.Schema, Joi.Schema>();
  return (schema) => {
    const ready = prepared.get(schema) ?? schema.prefs({ ...OPTIONS, ...options });
    prepared.set(schema, ready);
    return ready;
  };
}

const createPrepares = (messages: Readonly<Record<string, string>>) => ({
  ignore: createPair({ messages, stripUnknown: true }),
  refuse: createPair({ messages, allowUnknown: false }),
});

/** To tell all that is wrong, or the first of it. */
interface Pair {
  readonly all: Prepare;
  readonly first: Prepare;
}

const createPair = (options: Joi.ValidationOptions): Pair => ({
  all: createPrepare(options),
  first: createPrepare({ ...options, abortEarly: true }),
});

const BODIES = createPrepares(MESSAGES);
const QUERIES = createPrepares({ ...MESSAGES, 'object.unknown': 'Unknown filter.' });

/** Joi's findings as the wire's `{member: [sentences]}`; what concerns the whole goes under `non_field_errors`. */
export function fieldErrors(error: Joi.ValidationError): Record<string, string[]> {
  // By a map: a member may be called `constructor`.
  const fields = new Map<string, string[]>();
  for (const detail of error.details) {
    const name = detail.path.length > 0 ? String(detail.path[0]) : 'non_field_errors';
    const sentence = detail.context?.value === null ? 'This field may not be null.' : detail.message;
    const sentences = fields.get(name) ?? [];
    if (!sentences.includes(sentence)) fields.set(name, [...sentences, sentence]);
  }
  return Object.fromEntries(fields);
}

const listsOfSchemas = new WeakMap<Joi.ObjectSchema, ReadonlySet<string>>();

/** Names of the members that are lists. */
export function listMembers(schema: Joi.ObjectSchema): ReadonlySet<string> {
  const known = listsOfSchemas.get(schema);
  if (known) return known;
  const members = Object.entries<{ readonly type?: string }>(schema.describe().keys ?? {});
  const lists = new Set(members.filter(([, { type }]) => type === 'array').map(([name]) => name));
  listsOfSchemas.set(schema, lists);
  return lists;
}

function nonObject(value: unknown): AppError | null {
  if (value === null) return invalidFields({ non_field_errors: ['No data provided'] });
  if (typeof value === 'object' && !Array.isArray(value)) return null;
  return invalidFields({ non_field_errors: [`Invalid data. Expected a dictionary, but got ${pythonType(value)}.`] });
}

// The seed's sentence names Python's types.
function pythonType(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  return Number.isInteger(value) ? 'int' : 'float';
}

/** @throws 400 with one list of sentences for each wrong member */
export function validateBody(schema: Joi.ObjectSchema, value: unknown, unknown: 'ignore' | 'refuse'): unknown {
  const given = value === undefined ? {} : value;
  const wrong = nonObject(given);
  if (wrong) throw wrong;
  return validateWith({ schema, unknown, prepares: BODIES[unknown] }, given);
}

/** Query values are texts; numbers and booleans in them are converted. @throws 400 under the filter's name */
export function validateQuery(schema: Joi.ObjectSchema, value: unknown, unknown: 'ignore' | 'refuse'): unknown {
  return validateWith({ schema, unknown, prepares: QUERIES[unknown] }, value);
}

interface Validation {
  readonly schema: Joi.Schema;
  readonly unknown: 'ignore' | 'refuse';
  readonly prepares: Pair;
}

function validateWith({ schema, unknown, prepares }: Validation, value: unknown): unknown {
  showProto(value);
  // For a member with sentences of its own Joi copies all the others: 94 µs for the filters of calls, without any 7.
  const silent = schema.validate(value, unknown === 'ignore' ? { stripUnknown: true } : undefined);
  if (!silent.error) return silent.value;
  const prepare = hasMoreValues(value, MOST_EXPLAINED) ? prepares.first : prepares.all;
  const { error = silent.error } = prepare(schema).validate(value);
  throw invalidFields(fieldErrors(error));
}

/**
 * Joi copies objects by assigning, which makes an own `__proto__` the copy's prototype instead of a member that is
 * unknown. A copy without a prototype keeps it as a member, and Joi's copies take over what the original has.
 */
function showProto(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Object.hasOwn(value, '__proto__')) Object.setPrototypeOf(value, null);
  for (const member of Object.values(value)) showProto(member);
}

/** Of what has more values the first fault is told alone: a hundred thousand of them held up everybody for a second. */
const MOST_EXPLAINED = 1000;

/** Those inside others count too. */
export function hasMoreValues(value: unknown, most: number): boolean {
  let left = most;
  const fits = (one: unknown): boolean =>
    --left >= 0 && (typeof one !== 'object' || one === null || Object.values(one).every(fits));
  return !fits(value);
}
