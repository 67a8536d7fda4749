import type { Knex } from 'knex';
import type { Visibility } from '../../http/actor.js';
import { createGatherer } from '../../lib/gather.js';
import { createLimit } from '../../lib/limit.js';
import { type EventPage, findLogBounds, type LogBounds, readEventPage } from '../events/index.js';
import type { Board, BoardReader } from './live.queries.js';

/**
 * What connections read for themselves. When a process was started anew, hundreds of them come back at once and ask for
 * much the same: what one account's ask together is read together, one statement of a kind at a time for the account and
 * four for all, so that they take neither the pool from whoever has to sign in, nor the processor for the same rows again
 * and again, and an account waits for nobody else's. No answer is older than its question.
 */
export interface SharedReads {
  /** Events after a cursor, with the bounds of the log at that moment. */
  page(cursor: Cursor): Promise<EventPage>;
  bounds(accountId: string): Promise<LogBounds>;
  board(visibility: Visibility): Promise<Board>;
}

export interface Cursor {
  readonly accountId: string;
  readonly after: number;
}

const PAGE = 200;
const EMPTY: LogBounds = { newest: 0, pruned: 0 };

const MOST_AT_ONCE = 4;

export function createSharedReads(db: Knex, readBoard: BoardReader): SharedReads {
  const limit = createLimit(MOST_AT_ONCE);
  const readPage = ({ accountId, after }: Cursor) =>
    limit.run(() => readEventPage(db, accountId, { after, limit: PAGE }));
  const readOneBoard = (visibility: Visibility) => limit.run(() => readBoard(visibility));
  return {
    page: createAccountGatherer((cursors: readonly Cursor[]) => readPages(readPage, cursors)),
    bounds: createGatherer(async (accountIds: readonly string[]) => {
      const found = await findLogBounds(db, [...new Set(accountIds)]);
      return accountIds.map((accountId) => found.get(accountId) ?? EMPTY);
    }),
    board: createAccountGatherer((visibilities: readonly Visibility[]) => readBoards(readOneBoard, visibilities)),
  };
}

/** A gatherer for each account, for as long as it has questions. */
function createAccountGatherer<K extends { readonly accountId: string }, V>(
  load: (keys: readonly K[]) => Promise<readonly V[]>,
): (key: K) => Promise<V> {
  const accounts = new Map<string, { readonly ask: (key: K) => Promise<V>; open: number }>();
  return async (key) => {
    const account = accounts.get(key.accountId) ?? { ask: createGatherer(load), open: 0 };
    accounts.set(key.accountId, account);
    account.open += 1;
    try {
      return await account.ask(key);
    } finally {
      account.open -= 1;
      if (account.open === 0) accounts.delete(key.accountId);
    }
  };
}

/**
 * Of one account, from the lowest cursor on; whoever stands inside a page that was read for another one gets the rest of
 * it.
 */
async function readPages(
  readPage: (cursor: Cursor) => Promise<EventPage>,
  cursors: readonly Cursor[],
): Promise<EventPage[]> {
  let latest: EventPage | undefined;
  const answers = new Map<Cursor, EventPage>();
  for (const cursor of [...cursors].sort((a, b) => a.after - b.after)) {
    const rest: EventPage['events'] = latest?.events.filter(({ seq }) => seq > cursor.after) ?? [];
    const page: EventPage = latest && rest.length > 0 ? { ...latest, events: rest } : await readPage(cursor);
    if (rest.length === 0) latest = page;
    answers.set(cursor, page);
  }
  return cursors.map((cursor) => answers.get(cursor) as EventPage);
}

async function readBoards(readBoard: BoardReader, visibilities: readonly Visibility[]): Promise<Board[]> {
  const boards = new Map<string, Board>();
  for (const visibility of visibilities) {
    const key = keyOf(visibility);
    if (!boards.has(key)) boards.set(key, await readBoard(visibility));
  }
  return visibilities.map((visibility) => boards.get(keyOf(visibility)) as Board);
}

const keyOf = ({ accountId, userId }: Visibility): string => `${accountId} ${userId}`;
