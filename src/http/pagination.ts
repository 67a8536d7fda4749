import Joi from 'joi';
import { invalidFields } from '../lib/errors.js';
import { isId } from '../lib/ids.js';
import { Reply } from './route.js';

export interface PageQuery {
  readonly limit: number;
  /** Opaque; decoded by the list that made it. */
  readonly cursor?: string;
}

/** `limit` and `cursor` of a list. */
export const pageQuery = (most = 500, fallback = 50) => ({
  limit: Joi.number().integer().min(1).max(most).default(fallback).description('Rows of a page.'),
  cursor: Joi.string().max(500).description('From the `Link` header of the page before.'),
});

export interface Page<T> {
  readonly items: readonly T[];
  /** Sort key of the last row when more follow, else null. */
  readonly next: readonly (string | number)[] | null;
}

/** An opaque, versioned cursor that only the list of that name takes back. */
export function encodeCursor(list: string, key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([1, list, ...key])).toString('base64url');
}

/** @throws 400 under `cursor` when it is not one of this list's. */
export function decodeCursor(list: string, cursor: string, length: number): (string | number)[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parsed) && parsed[0] === 1 && parsed[1] === list && parsed.length === length + 2)
      return parsed.slice(2);
  } catch {
    // falls through to the one sentence for every cursor that is not ours
  }
  throw invalidFields({ cursor: ['Not a valid cursor.'] });
}

/** The same for a list that is sorted by id alone: the last id of the page before; null without a cursor. */
export function decodeIdCursor(list: string, cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const [id] = decodeCursor(list, cursor, 1);
  if (isId(id)) return id;
  throw invalidFields({ cursor: ['Not a valid cursor.'] });
}

/** The page asked for, of a list that is sorted by id alone. */
export interface IdSlice {
  readonly limit: number;
  /** Id of the last row of the page before; null: the first page. */
  readonly after: string | null;
}

/** @throws 400 under `cursor` when it is not one of this list's */
export const idSlice = (list: string, { limit, cursor }: PageQuery): IdSlice => ({
  limit,
  after: decodeIdCursor(list, cursor),
});

/** Takes `limit + 1` rows and tells whether more follow. */
export function toPage<Row>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => readonly (string | number)[],
): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? keyOf(last) : null };
}

/** The bare array with `Link: <…>; rel="next"` (a path and query on the same host). */
export function pageReply(list: string, url: URL, page: Page<unknown>): Reply {
  if (page.next === null) return new Reply(page.items);
  const query = new URLSearchParams(url.search);
  query.set('cursor', encodeCursor(list, page.next));
  return new Reply(page.items, { headers: { Link: `<${url.pathname}?${query}>; rel="next"` } });
}
