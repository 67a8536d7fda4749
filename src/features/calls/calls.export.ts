import type { Db } from '../../platform/db/connect.js';
import type { CallPlace, Search } from './call-filters.js';
import { CALL_FIELDS, type CallField, type ListedCall, presentCallWith, type SpellTime } from './calls.present.js';
import { searchCalls } from './calls.queries.js';

export const EXPORT_FORMATS = ['csv', 'ndjson'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportWish extends Omit<Search, 'limit'> {
  readonly format: ExportFormat;
  readonly columns?: readonly CallField[] | undefined;
  readonly spellTime: SpellTime;
  /** Aborted when whoever asked has left. */
  readonly signal: AbortSignal;
  /** Runs the look for a batch when it is its turn. */
  inTurn<T>(look: () => Promise<T>): Promise<T>;
}

/** Over 450,000 rows batches of 500 let the process grow by 46 MB, these by 16, at the same cost for each row. */
const BATCH = 200;

/**
 * The lines of an export, a batch at a time: the next one is fetched while the one before is sent, and nothing is held
 * but these two. No transaction stays open for as long as a slow reader takes; the place in the list is the bookmark.
 */
export async function* exportCalls(db: Db, wish: ExportWish): AsyncGenerator<string> {
  const columns = wish.columns ?? CALL_FIELDS;
  const write = wish.format === 'csv' ? csvLines : jsonLines;
  const fetch = (after: CallPlace | null): Promise<ListedCall[]> => {
    const search = { visibility: wish.visibility, filters: wish.filters, after, limit: BATCH };
    const rows = wish.inTurn(async () => (wish.signal.aborted ? [] : searchCalls(db, search)));
    // Whoever leaves does not wait for it any more.
    rows.catch(() => undefined);
    return rows;
  };
  if (wish.format === 'csv' && wish.after === null) yield csvRecord(columns);
  let pending: Promise<ListedCall[]> | null = fetch(wish.after);
  while (pending) {
    const rows: ListedCall[] = await pending;
    const last = rows.at(-1);
    const goesOn = last !== undefined && rows.length === BATCH && !wish.signal.aborted;
    pending = goesOn ? fetch({ startedAt: last.started_at, id: last.id }) : null;
    if (rows.length > 0) yield write(rows, columns, wish.spellTime);
  }
}

type WriteLines = (rows: readonly ListedCall[], columns: readonly CallField[], spell: SpellTime) => string;

/** What carriers or people wrote; everything else is made of letters, digits and signs that mean nothing anywhere. */
const WRITTEN: ReadonlySet<CallField> = new Set([
  ...(['virtual_number', 'caller_number', 'called_number', 'hangup_cause', 'provider_cause'] as const),
  ...(['carrier_call_id', 'currency', 'tags', 'note'] as const),
]);

/** By hand, as CSV below: to stringify whole objects took as long as fetching them. */
const jsonLines: WriteLines = (rows, columns, spell) => {
  const heads = columns.map((column, place) => `${place === 0 ? '{' : ','}"${column}":`);
  let lines = '';
  for (const row of rows) {
    const call = presentCallWith(row, spell);
    columns.forEach((column, place) => {
      lines += heads[place] + jsonValue(call[column], WRITTEN.has(column));
    });
    lines += '}\n';
  }
  return lines;
};

function jsonValue(value: unknown, isWritten: boolean): string {
  if (value === null) return 'null';
  if (isWritten) return JSON.stringify(value);
  return typeof value === 'string' ? `"${value}"` : String(value);
}

const csvLines: WriteLines = (rows, columns, spell) => {
  let lines = '';
  for (const row of rows) {
    const call = presentCallWith(row, spell);
    columns.forEach((column, place) => {
      if (place > 0) lines += ',';
      lines += WRITTEN.has(column) ? quoted(csvCell(call[column])) : (call[column] ?? '');
    });
    lines += '\r\n';
  }
  return lines;
};

/** RFC 4180. By hand: a library's stringifier took a third of a long export's time, this takes a fifteenth. */
const csvRecord = (cells: readonly string[]): string => `${cells.map(quoted).join(',')}\r\n`;

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

const FORMULA = /^[=+\-@\t\r]/;
const PHONE_NUMBER = /^\+[1-9][0-9]{7,14}$/;
const PLAIN_NUMBER = /^[+-]?[0-9]+(?:\.[0-9]+)?$/;

/** A cell that a spreadsheet would run as a formula is made a text. */
export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = Array.isArray(value) ? value.join(';') : String(value);
  const isFormula = FORMULA.test(text) && !PHONE_NUMBER.test(text) && !PLAIN_NUMBER.test(text);
  return isFormula ? `'${text}` : text;
}
