import { type Actor, visibilityOf } from '../../http/actor.js';
import { createFairShare } from '../../http/fair-share.js';
import { type IdSlice, type Page, toPage } from '../../http/pagination.js';
import { permissionDenied } from '../../lib/errors.js';
import type { Db } from '../../platform/db/connect.js';
import type { Platform } from '../../platform/platform.js';
import type { EventLog } from '../events/index.js';
import type { CallRow, TimelineEntry } from './call.js';
import type { CallFilters, CallPlace, Search } from './call-filters.js';
import { appendToTimeline, type CallChange, insertCallChange, listCallChanges, updateMarks } from './call-marks.js';
import { callNotFound } from './calls.errors.js';
import { type ExportWish, exportCalls } from './calls.export.js';
import { type ListedCall, presentCall } from './calls.present.js';
import {
  countCalls,
  findCall,
  findPlace,
  findTimeline,
  type LegsWish,
  listLegs,
  lockCall,
  searchCalls,
} from './calls.queries.js';

/** What people may write on a call log. */
export interface CallMarks {
  readonly tags?: readonly string[];
  readonly note?: string | null;
}

export interface CallsService {
  search(
    actor: Actor,
    wish: { readonly filters: CallFilters; readonly after: CallPlace | null; readonly limit: number },
  ): Promise<Page<ListedCall>>;
  get(actor: Actor, id: string): Promise<CallRow>;
  /** Every leg of the conversation that the call belongs to, oldest first. */
  legs(actor: Actor, wish: LegsWish): Promise<Page<CallRow>>;
  /** By `occurred_at`; the events as they were sent, with the times known then. */
  timeline(actor: Actor, id: string): Promise<TimelineEntry[]>;
  mark(actor: Actor, id: string, marks: CallMarks): Promise<CallRow>;
  /** Who changed tags and note, newest first. */
  history(actor: Actor, id: string, slice: IdSlice): Promise<Page<CallChange>>;
  count(actor: Actor, wish: Omit<Search, 'limit' | 'visibility'>): Promise<number>;
  export(actor: Actor, wish: Omit<ExportWish, 'visibility' | 'inTurn'>): AsyncGenerator<string>;
  place(actor: Actor, id: string): Promise<CallPlace>;
}

/** Batches of one account's exports that are looked for at once: however many they are, others feel these alone. */
const EXPORTS_AT_ONCE = 2;

export function createCallsService(
  { db, clock }: Pick<Platform, 'db' | 'clock'>,
  { eventLog }: { readonly eventLog: EventLog },
): CallsService {
  async function get(actor: Actor, id: string): Promise<CallRow> {
    return (await findCall(db, visibilityOf(actor), id)) ?? missing(db, actor, id);
  }

  const exports = createFairShare({ atOnce: EXPORTS_AT_ONCE, mostWaiting: null });

  return {
    get,
    async search(actor, { filters, after, limit }) {
      const rows = await searchCalls(db, { visibility: visibilityOf(actor), filters, after, limit: limit + 1 });
      return toPage(rows, limit, (row) => [row.started_at, row.id]);
    },
    async legs(actor, { id, after, limit }) {
      const rows = await listLegs(db, visibilityOf(actor), { id, after, limit: limit + 1 });
      if (rows.length === 0) await get(actor, id);
      return toPage(rows, limit, (row) => [row.started_at.toISOString(), row.id]);
    },
    async timeline(actor, id) {
      const entries = (await findTimeline(db, visibilityOf(actor), id)) ?? (await missing(db, actor, id));
      return entries.toSorted((a, b) => Date.parse(a.occurred_at) - Date.parse(b.occurred_at) || a.seq - b.seq);
    },
    mark: (actor, id, marks) =>
      eventLog.transaction(
        async (tx, record) => {
          const row = (await lockCall(tx, visibilityOf(actor), id)) ?? (await missing(tx, actor, id));
          const next = marked(row, marks, new Date(clock.now()));
          if (next === row) return row;
          await updateMarks(tx, next);
          await insertCallChange(tx, { actor, before: row, after: next });
          const at = next.updated_at.getTime();
          record({
            accountId: row.account_id,
            type: 'call.updated',
            subjectId: id,
            occurredAt: at,
            receivedAt: at,
            payload: presentCall(next),
            before: isSame(row.tags, next.tags) ? null : judgedBy(row),
          });
          return next;
        },
        (_tx, _row, queue) => ({ writes: appendToTimeline(id, queue) }),
      ),
    async history(actor, id, slice) {
      return listCallChanges(db, await get(actor, id), slice);
    },
    count: (actor, wish) => countCalls(db, { ...wish, visibility: visibilityOf(actor) }),
    export: (actor, wish) =>
      exportCalls(db, {
        ...{ ...wish, visibility: visibilityOf(actor) },
        inTurn: (look) => exports(actor.accountId, look),
      }),
    async place(actor, id) {
      return (await findPlace(db, visibilityOf(actor), id)) ?? missing(db, actor, id);
    },
  };
}

/** A colleague's call is closed to a member; another account's is not there. */
async function missing(db: Db, actor: Actor, id: string): Promise<never> {
  const isColleagues = actor.role === 'member' && (await findCall(db, { ...visibilityOf(actor), userId: null }, id));
  throw isColleagues ? permissionDenied() : callNotFound();
}

/** The row as the marks leave it, with the same tags when they are not changed; the same row when nothing is. */
function marked(row: CallRow, marks: CallMarks, now: Date): CallRow {
  const wanted = marks.tags === undefined ? row.tags : [...new Set(marks.tags)];
  const tags = isSame(wanted, row.tags) ? row.tags : wanted;
  const note = marks.note === undefined ? row.note : marks.note || null;
  if (tags === row.tags && note === row.note) return row;
  return { ...row, tags, note, updated_at: now };
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((tag, i) => tag === b[i]);

/** What visibility and the filters of live subscribers are judged by. */
const judgedBy = ({ direction, user_id, virtual_number_id, tags }: CallRow) => ({
  direction,
  user_id,
  virtual_number_id,
  tags,
});
