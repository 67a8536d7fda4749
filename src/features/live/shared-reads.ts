import type { Knex } from 'knex';
import type { Visibility } from '../../http/actor.js';
import { createGatherer } from '../../lib/gather.js';
import { type EventPage, findLogBounds, type LogBounds, readEventPage } from '../events/index.js';
import type { Board, BoardReader } from './live.queries.js';

/**
 * What connections read for themselves. When a process was started anew, hundreds of them come back at once and ask for
 * much the same: what is asked together is read together, one statement of a kind at a time, so that they take neither
 * the pool from whoever has to sign in, nor the processor for the same rows again and again. No answer is older than
 * its question.
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

export function createSharedReads(db: Knex, readBoard: BoardReader): SharedReads {
  return {
    page: createGatherer((cursors: readonly Cursor[]) => readPages(db, cursors)),
    bounds: createGatherer(async (accountIds: readonly string[]) => {
      const found = await findLogBounds(db, [...new Set(accountIds)]);
      return accountIds.map((accountId) => found.get(accountId) ?? EMPTY);
    }),
    board: createGatherer((visibilities: readonly Visibility[]) => readBoards(readBoard, visibilities)),
  };
}

/** From the lowest cursor on; whoever stands inside a page that was read for another one gets the rest of it. */
async function readPages(db: Knex, cursors: readonly Cursor[]): Promise<EventPage[]> {
  const latest = new Map<string, EventPage>();
  const answers = new Map<Cursor, EventPage>();
  for (const cursor of [...cursors].sort((a, b) => a.after - b.after)) {
    const { accountId, after } = cursor;
    const known = latest.get(accountId);
    const rest = known?.events.filter(({ seq }) => seq > after) ?? [];
    const page =
      known && rest.length > 0
        ? { ...known, events: rest }
        : await readEventPage(db, accountId, { after, limit: PAGE });
    if (rest.length === 0) latest.set(accountId, page);
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
