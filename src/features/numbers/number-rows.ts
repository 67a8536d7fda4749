import { parse } from 'csv-parse/sync';
import { invalidFields } from '../../lib/errors.js';
import { BULK_ROWS } from './bulk-numbers.schema.js';
import { csvError } from './numbers.errors.js';

/** What a CSV may have, and what its empty and `none` cells mean. */
export interface CsvForm {
  readonly columns: readonly string[];
  /** Of which the header must have at least one. */
  readonly keys: readonly string[];
  /** Whether `none` clears a member (an empty cell always leaves it alone). */
  readonly noneClears: boolean;
}

/** The rows of a CSV with a header, as the members that a JSON row would have. @throws 400 */
export function readCsv(text: string, form: CsvForm): unknown[] {
  const lines = splitLines(text);
  const header = (lines[0] ?? []).map((name) => name.trim().toLowerCase());
  checkHeader(header, form);
  const rows = lines.slice(1);
  if (rows.length > BULK_ROWS) throw invalidFields({ numbers: [`At most ${BULK_ROWS} entries are allowed.`] });
  return rows.map((cells) => toRow(header, cells, form));
}

/** Bytes; what is longer is no row, but a header of a million columns or a quote that never ends. */
const MOST_OF_A_LINE = 65_536;

function splitLines(text: string): string[][] {
  const [header = ''] = text.slice(text.search(/[^\s,;]/)).split(/[\r\n]/, 1);
  try {
    return parse(text, {
      bom: true,
      max_record_size: MOST_OF_A_LINE,
      // Spreadsheets of half the world write semicolons.
      delimiter: header.includes(';') && !header.includes(',') ? ';' : ',',
      relax_column_count: true,
      skip_empty_lines: true,
      // As spreadsheets write empty lines.
      skip_records_with_empty_values: true,
      trim: true,
    });
  } catch (error) {
    throw csvError(error instanceof Error ? error.message : String(error));
  }
}

function checkHeader(header: readonly string[], { columns, keys }: CsvForm): void {
  const unknown = header.filter((name) => !columns.includes(name));
  if (unknown.length > 0)
    throw invalidFields(Object.fromEntries(unknown.map((name) => [name || 'header', ['Unknown column.']])));
  if (new Set(header).size < header.length) throw invalidFields({ header: ['The same column stands here twice.'] });
  if (!keys.some((key) => header.includes(key)))
    throw invalidFields({ [keys[0] ?? 'header']: ['This column is required.'] });
}

function toRow(header: readonly string[], cells: readonly string[], form: CsvForm): unknown {
  if (cells.length > header.length) return TOO_LONG;
  const row: Record<string, unknown> = {};
  for (const [index, name] of header.entries()) {
    const cell = cells[index] ?? '';
    if (cell !== '') row[name] = readCell(name, cell, form);
  }
  return row;
}

function readCell(name: string, cell: string, { noneClears }: CsvForm): unknown {
  const isNone = noneClears && cell === 'none';
  if (name !== 'tags') return isNone && CLEARABLE.has(name) ? null : cell;
  if (isNone) return [];
  const tags = cell.split(';').filter((tag) => tag.trim() !== '');
  return tags.length > 0 ? tags : undefined;
}

const CLEARABLE = new Set(['label', 'user_id', 'carrier_id']);

/** Stands for a line that cannot be told into its columns. */
export const TOO_LONG: unique symbol = Symbol('more cells than columns');
