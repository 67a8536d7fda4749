import { Readable } from 'node:stream';
import Joi from 'joi';
import type { Actor } from '../../http/actor.js';
import { decodeCursor, idSlice, type Page, type PageQuery, pageReply, toPage } from '../../http/pagination.js';
import { type AnyRoute, Reply, route } from '../../http/route.js';
import { readOwnTime } from '../../http/time.js';
import { AppError } from '../../lib/errors.js';
import { isId } from '../../lib/ids.js';
import { zonedTimes } from '../../lib/time-zone.js';
import type { TimelineEntry } from './call.js';
import type { CallFilters, CallPlace } from './call-filters.js';
import type { CallChange } from './call-marks.js';
import { badCursor } from './calls.errors.js';
import type { ExportFormat } from './calls.export.js';
import { asItIs, type CallField, presentCall, presentListed, type SpellTime } from './calls.present.js';
import {
  callAnswer,
  callChanges,
  callExport,
  callHistoryAnswer,
  callPage,
  oneCallPage,
  timelineAnswer,
} from './calls.schema.js';
import type { CallMarks, CallsService } from './calls.service.js';

type Id = { readonly id: string };
type None = Record<string, string>;
type ListQuery = CallFilters & PageQuery;
type ExportQuery = CallFilters & {
  readonly format: ExportFormat;
  readonly timezone?: string;
  readonly columns?: readonly CallField[];
  readonly cursor?: string;
};

const LIST = 'call_logs';
const TIMELINE = 'call_timeline';
const LEGS = 'call_legs';
const HISTORY = 'call_history';
const READ = { method: 'get', tag: 'Call logs', access: 'bearer', scope: 'calls:read' } as const;
const CONTENT_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

function placeOf(list: string, cursor: string): CallPlace {
  const [time, id] = decodeCursor(list, cursor, 2);
  const startedAt = readOwnTime(time);
  if (startedAt === null || !isId(id)) throw badCursor();
  return { startedAt, id };
}

/** Entries that arrive meanwhile may belong anywhere; what follows the last one that was answered stays right. */
function pageOfTimeline(entries: readonly TimelineEntry[], { limit, cursor }: PageQuery): Page<TimelineEntry> {
  const [last] = cursor === undefined ? [] : decodeCursor(TIMELINE, cursor, 1);
  const place = entries.findIndex(({ seq }) => seq === last);
  if (cursor !== undefined && place < 0) throw badCursor();
  return toPage(entries.slice(place + 1), limit, ({ seq }) => [seq]);
}

const presentChange = (change: CallChange) => ({
  id: change.id,
  at: change.at.toISOString(),
  by_user_id: change.by_user_id,
  by_api_key_id: change.by_api_key_id,
  changes: change.changes,
});

export function callsRoutes(service: CallsService): AnyRoute[] {
  return [listRoute(service), exportRoute(service), ...oneCallRoutes(service)];
}

const listRoute = (service: CallsService): AnyRoute =>
  route<None, ListQuery>({
    ...READ,
    path: '/api/call_logs/',
    summary: 'Search call logs, newest first',
    description: 'Members see the calls that began while the number was theirs.',
    query: callPage,
    responses: { 200: { description: 'A page of call logs.', schema: Joi.array().items(callAnswer) } },
    async handle({ actor, query, url }) {
      const { limit, cursor, ...filters } = query;
      const after = cursor === undefined ? null : placeOf(LIST, cursor);
      const page = await service.search(actor, { filters, after, limit });
      return pageReply(LIST, url, { ...page, items: page.items.map(presentListed) });
    },
  });

const exportRoute = (service: CallsService): AnyRoute =>
  route<None, ExportQuery>({
    ...READ,
    path: '/api/call_logs/export/',
    summary: 'Export call logs of any number, as CSV or NDJSON',
    description:
      'The list’s filters, newest first. `X-Total-Count` announces how many rows will come (calls that arrive ' +
      'meanwhile are not among them). When the answer breaks off, ask again with the `id` of the last whole row as ' +
      '`cursor`. CSV is RFC 4180; a cell that a spreadsheet would run as a formula begins with an apostrophe.',
    query: callExport,
    responses: {
      200: {
        description: 'The rows.',
        contentType: ['text/csv', 'application/x-ndjson'],
        headers: { 'X-Total-Count': 'Rows that will come.', 'Content-Disposition': 'A file name.' },
      },
    },
    async handle({ actor, query, untilLeft }) {
      const { format, timezone, columns, cursor, ...filters } = query;
      const after = await exportPlace(service, actor, cursor);
      const total = await service.count(actor, { filters, after });
      const spellTime = timezone === undefined ? asItIs : clocksOf(timezone);
      const lines = service.export(actor, { filters, after, format, columns, spellTime, signal: untilLeft() });
      return new Reply(Readable.from(lines, { objectMode: false }), {
        headers: {
          'Content-Type': CONTENT_TYPES[format],
          'Content-Disposition': `attachment; filename="call_logs.${format}"`,
          'X-Total-Count': String(total),
        },
      });
    },
  });

function clocksOf(timeZone: string): SpellTime {
  const spell = zonedTimes(timeZone);
  return (at) => spell(Date.parse(at));
}

async function exportPlace(service: CallsService, actor: Actor, cursor?: string): Promise<CallPlace | null> {
  if (cursor === undefined) return null;
  if (!isId(cursor)) return placeOf(LIST, cursor);
  return service.place(actor, cursor).catch((error: unknown) => {
    throw error instanceof AppError && error.kind === 'not_found' ? badCursor() : error;
  });
}

const oneCallRoutes = (service: CallsService): AnyRoute[] => [
  route<Id>({
    ...READ,
    path: '/api/call_logs/:id/',
    summary: 'One call log',
    responses: { 200: { description: 'The call log.', schema: callAnswer } },
    handle: async ({ actor, params }) => presentCall(await service.get(actor, params.id)),
  }),
  route<Id, unknown, CallMarks>({
    ...READ,
    method: 'patch',
    path: '/api/call_logs/:id/',
    summary: 'Tag a call, or write a note on it',
    scope: 'calls:write',
    body: callChanges,
    responses: { 200: { description: 'The call log as it is now.', schema: callAnswer } },
    permit: async ({ actor, params }) => {
      await service.get(actor, params.id);
    },
    handle: async ({ actor, params, body }) => presentCall(await service.mark(actor, params.id, body)),
  }),
  route<Id, PageQuery>({
    ...READ,
    path: '/api/call_logs/:id/events/',
    summary: 'The timeline of a call',
    description: 'By `occurred_at`; the events as they were sent, with the times known then.',
    query: oneCallPage,
    responses: { 200: { description: 'The events.', schema: Joi.array().items(timelineAnswer) } },
    handle: async ({ actor, params, query, url }) =>
      pageReply(TIMELINE, url, pageOfTimeline(await service.timeline(actor, params.id), query)),
  }),
  route<Id, PageQuery>({
    ...READ,
    path: '/api/call_logs/:id/legs/',
    summary: 'All legs of the conversation that a call belongs to, oldest first',
    description: 'Its parent, the parent’s parent, and every leg below, as far as the asker may see them.',
    query: oneCallPage,
    responses: { 200: { description: 'The legs, the call itself among them.', schema: Joi.array().items(callAnswer) } },
    async handle({ actor, params, query: { limit, cursor }, url }) {
      const after = cursor === undefined ? null : placeOf(LEGS, cursor);
      const page = await service.legs(actor, { id: params.id, after, limit });
      return pageReply(LEGS, url, { ...page, items: page.items.map((row) => presentCall(row)) });
    },
  }),
  route<Id, PageQuery>({
    ...READ,
    path: '/api/call_logs/:id/history/',
    summary: 'Who changed the tags and the note of a call, newest first',
    query: oneCallPage,
    responses: { 200: { description: 'The changes.', schema: Joi.array().items(callHistoryAnswer) } },
    async handle({ actor, params, query, url }) {
      const page = await service.history(actor, params.id, idSlice(HISTORY, query));
      return pageReply(HISTORY, url, { ...page, items: page.items.map(presentChange) });
    },
  }),
];
