import { isoTime } from '../../lib/iso-time.js';

/**
 * Many rows in one statement, as an array for each column: PostgreSQL reads them in half the time that it takes for a
 * JSON document of the same rows, and Node writes them as fast. What is an array or a document itself cannot be a
 * column of them (`unnest` flattens arrays, and texts of documents are full of quotes): an array goes as the text of one
 * to be cast, and documents joined as bytes, of which each row takes its part.
 *
 * @example
 * const NEW = { id: 'uuid', name: 'text' };
 * const sql = `insert into things (id, name) select id, name from ${unnested(NEW)} as t (id, name)`;
 * const bindings = arraysOf(NEW, rows);
 */
export type ColumnTypes<Name extends string = string> = Readonly<Record<Name, string>>;

/** `?::uuid[], …`: the bindings that `arraysOf` makes. */
export const parametersOf = (types: ColumnTypes): string =>
  Object.values(types)
    .map((type) => `?::${type}[]`)
    .join(', ');

/** The rows again, with their columns in the order of the types. */
export const unnested = (types: ColumnTypes): string => `unnest(${parametersOf(types)})`;

/**
 * SQL: no rows, beside those of arrays in a `rows from`. The planner counts arrays that it sees, and would plan a prepared
 * statement anew each time for their few rows, which takes longer than running it; of this it always guesses a hundred,
 * so the plan is kept.
 */
export const GUESSED = `json_array_elements('[]')`;

export const namesIn = (types: ColumnTypes): string => Object.keys(types).join(', ');

/**
 * An array for each column, in the order of the types, as PostgreSQL reads one. pg would put it together from a piece for
 * each value and sign, an eighth of all the garbage that a webhook leaves behind.
 */
export const arraysOf = <Name extends string>(
  types: ColumnTypes<Name>,
  rows: readonly Readonly<Record<NoInfer<Name>, unknown>>[],
): string[] => (Object.keys(types) as Name[]).map((name) => arrayOf(rows.map((row) => row[name])));

/** One array, as PostgreSQL reads it. */
export const arrayOf = (values: readonly unknown[]): string => `{${values.map(elementOf).join(',')}}`;

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function elementOf(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  // pg itself would write the time in the zone of the process.
  if (value instanceof Date) return isoTime(value.getTime());
  return quoted(JSON.stringify(value));
}

/** Many values as one, with where each of them begins and ends. */
export interface Joined {
  readonly bytes: Buffer;
  /** From 1, as PostgreSQL counts. */
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
}

/** Raw and one behind the other: nothing is quoted, nothing is parsed, and there is no byte that could not be sent. */
export const joinBytes = (parts: readonly Buffer[]): Joined => ({
  bytes: Buffer.concat(parts),
  ...placesOf(parts.map((part) => part.length)),
});

/** The same of documents, which are many quotes and few else. */
export const joinTexts = (texts: readonly string[]): Joined => ({
  bytes: Buffer.from(texts.join('')),
  ...placesOf(texts.map((text) => Buffer.byteLength(text))),
});

function placesOf(lengths: readonly number[]): Pick<Joined, 'starts' | 'lengths'> {
  let next = 1;
  const starts = lengths.map((length) => {
    next += length;
    return next - length;
  });
  return { starts, lengths };
}

/** SQL: the part that a row has of joined bytes, or of joined texts. Its one parameter is all the bytes. */
export const bytesAt = (start: string, length: string): string => `substr(?::bytea, ${start}, ${length})`;
export const textAt = (start: string, length: string): string => `convert_from(${bytesAt(start, length)}, 'UTF8')`;

const quoted = (text: string): string => `"${SPECIAL.test(text) ? text.replace(ALL_SPECIAL, '\\$&') : text}"`;

const SPECIAL = /["\\]/;
const ALL_SPECIAL = /["\\]/g;
