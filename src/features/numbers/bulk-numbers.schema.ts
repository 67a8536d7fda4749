import Joi from 'joi';
import { toJsonSchema } from '../../http/json-schema.js';
import { country, numberId, phoneNumber, truth } from './number-fields.js';
import { changeMembers } from './numbers.schema.js';

export const BULK_ROWS = 10_000;

/** How many values a row may have; with every member and 50 tags it has 59. */
export const ROW_VALUES = 64;
/** How many members the rows may have on average; there are 8. */
export const ROW_MEMBERS = 16;

/**
 * Rows are judged one by one, so here each may be anything; the document says what it should be. Joi judges the entries
 * of a list before its length, so it is not told of any.
 */
export const bulkBody = (row: Joi.ObjectSchema, description: string) => {
  const shape = { anyOf: [toJsonSchema(row), { type: ['string', 'integer'], description: 'A bare phone number.' }] };
  const rows = Joi.array()
    .max(BULK_ROWS)
    .meta({ schema: { items: shape } });
  return Joi.object({ numbers: rows.required().description(description) });
};

export const bulkQuery = Joi.object({
  dry_run: truth.default(false).description('`true`: judge every row and change nothing.'),
});

const target = { id: numberId, phone_number: phoneNumber, country };
const ONE_TARGET = 'Give the id or the phone_number of a number.';

const withTarget = (members: Joi.PartialSchemaMap) =>
  Joi.object({ ...target, ...members })
    .xor('id', 'phone_number')
    .messages({ 'object.missing': ONE_TARGET, 'object.xor': ONE_TARGET });

export interface Target {
  readonly id?: string;
  readonly phone_number?: string;
}

export const changeRow = withTarget(changeMembers);
export const releaseRow = withTarget({});

const results = (statuses: readonly string[]) =>
  Joi.array()
    .items(
      Joi.object({
        row: Joi.number().integer().min(1).description('1 is the first number, or the first line after the header.'),
        status: Joi.string().valid(...statuses),
        id: Joi.string().guid().description('Absent on a dry run of adding, and where there is none.'),
        phone_number: Joi.string().description('E.164, where it could be read.'),
        errors: Joi.object().pattern(Joi.string(), Joi.array().items(Joi.string())),
      }),
    )
    .description('One for each row, in their order.');

const count = Joi.number().integer().min(0);

export const bulkCreateAnswer = Joi.object({
  created: count.description('Rows that were made (on a dry run: would be).'),
  refused: count,
  results: results(['created', 'invalid', 'duplicate']),
});
export const bulkChangeAnswer = Joi.object({
  changed: count,
  unchanged: count,
  refused: count,
  results: results(['changed', 'unchanged', 'invalid', 'not_found']),
});
export const bulkReleaseAnswer = Joi.object({
  released: count,
  refused: count,
  results: results(['released', 'invalid', 'not_found']),
});
