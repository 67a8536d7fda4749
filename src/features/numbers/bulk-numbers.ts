import { setImmediate as nextTurn } from 'node:timers/promises';
import type Joi from 'joi';
import { hasMoreValues, validateBody } from '../../http/validate.js';
import { AppError, type FieldErrors } from '../../lib/errors.js';
import { ROW_VALUES } from './bulk-numbers.schema.js';
import { readNumberOf } from './number-fields.js';
import { TOO_LONG } from './number-rows.js';

/** Rows of one transaction: enough to be fast, few enough to keep no lock for long. */
const CHUNK = 500;

export interface BulkResult {
  readonly row: number;
  readonly status: string;
  readonly id?: string;
  readonly phone_number?: string | undefined;
  readonly errors?: FieldErrors;
}

/** A row that has passed its schema. */
export interface GoodRow<T> {
  readonly row: number;
  readonly input: T;
}

/**
 * Judges rows in their order, a chunk at a time, and answers what came of each. A chunk is one transaction: its good
 * rows are done together, its bad ones not at all. Whoever stops reading stops the work between two chunks.
 */
export async function* runBulk<T>(
  rows: readonly unknown[],
  schema: Joi.ObjectSchema,
  work: (good: readonly GoodRow<T>[]) => Promise<BulkResult[]>,
): AsyncGenerator<BulkResult[]> {
  for (let from = 0; from < rows.length; from += CHUNK) {
    const results: BulkResult[] = [];
    const good: GoodRow<T>[] = [];
    for (const [index, value] of rows.slice(from, from + CHUNK).entries()) {
      const row = from + index + 1;
      const read = readRow(schema, value);
      if ('errors' in read) results.push({ row, status: 'invalid', ...read });
      else good.push({ row, input: read.input as T });
    }
    if (good.length > 0) results.push(...(await work(good)));
    yield results.sort((a, b) => a.row - b.row);
    await nextTurn();
  }
}

type ReadRow =
  | { readonly input: unknown }
  | { readonly errors: FieldErrors; readonly phone_number?: string | undefined };

function readRow(schema: Joi.ObjectSchema, value: unknown): ReadRow {
  if (value === TOO_LONG) return { errors: { non_field_errors: ['The line has more cells than the header.'] } };
  if (hasMoreValues(value, ROW_VALUES))
    return { errors: { non_field_errors: [`A row may have ${ROW_VALUES} values at most.`] } };
  const isBare = typeof value === 'string' || typeof value === 'number';
  const sent = isBare ? { phone_number: value } : value;
  try {
    return { input: validateBody(schema, sent, 'refuse') };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const number = readNumberOf(Object(sent));
    return { phone_number: number.ok ? number.e164 : undefined, errors: error.fields };
  }
}
