import Joi from 'joi';
import type { Knex } from 'knex';
import { type Actor, hasScope, type Scope, visibilityOf } from '../../http/actor.js';
import { type AnyRoute, Reply, type RouteRequest, route } from '../../http/route.js';
import type { Clock } from '../../lib/clock.js';
import { AppError } from '../../lib/errors.js';
import type { StoredEvent } from './event.js';
import { cursorExpired } from './events.errors.js';
import { presentEvent, presentRemoval } from './events.present.js';
import { type EventPage, readEventPage } from './events.repository.js';
import { anyEventWith, callEventWith, callRemoval, type LogQuery, logQuery } from './events.schema.js';

type LogRequest = RouteRequest<Record<string, string>, LogQuery, unknown>;

const DESCRIPTION =
  'Ascending by `seq`. The next page is in `Link: <…>; rel="next"`; when it is missing, the last `seq` (or, on an ' +
  'empty page, the same `after`) is where to go on later. A cursor after which events have been deleted, or that is ' +
  'newer than the newest event, is answered 410 `cursor_expired` with `oldest_seq`; `after=0` never is.';

const PAGE = { description: 'Events, ascending.', headers: { Link: 'The next page.' } };
const GONE = { description: 'The cursor is too old or not of this log (`cursor_expired`, with `oldest_seq`).' };

export interface EventRouteDeps {
  readonly db: Knex;
  readonly clock: Clock;
  /** What a call log looks like, for the document; default: an object. */
  readonly callSchema?: Joi.ObjectSchema | undefined;
}

export function createEventRoutes(deps: EventRouteDeps): readonly AnyRoute[] {
  const callEvent = callEventWith(deps.callSchema);
  const anyEvent = anyEventWith(deps.callSchema);
  return [
    route<Record<string, string>, LogQuery>({
      method: 'get',
      path: '/api/call_events/',
      summary: 'Call events after a cursor',
      description: `The events of \`/live\`, with the same cursor and the same visibility. ${DESCRIPTION}`,
      tag: 'Live',
      access: 'bearer',
      scope: 'calls:read',
      query: logQuery,
      responses: {
        200: { ...PAGE, schema: Joi.array().items(callEvent, callRemoval) },
        410: GONE,
      },
      handle: (request) => readCalls(deps, request),
    }),
    route<Record<string, string>, LogQuery>({
      method: 'get',
      path: '/api/events/',
      summary: "Everything on the account's event log",
      description: `Calls, numbers and port orders. An API key needs \`calls:read\`, \`numbers:read\` and \`port_orders:read\`. ${DESCRIPTION}`,
      tag: 'Events',
      access: 'bearer',
      role: 'admin',
      scope: 'calls:read',
      query: logQuery,
      responses: { 200: { ...PAGE, schema: Joi.array().items(anyEvent) }, 410: GONE },
      permit: ({ actor }) => needScopes(actor, ['numbers:read', 'port_orders:read']),
      handle: (request) => readAll(deps, request),
    }),
  ];
}

function needScopes(actor: Actor, scopes: readonly Scope[]): void {
  const missing = scopes.find((scope) => !hasScope(actor, scope));
  if (missing) throw new AppError('forbidden', 'insufficient_scope', `This API key lacks the scope ${missing}.`);
}

async function readCalls(deps: EventRouteDeps, { actor, query, url }: LogRequest): Promise<Reply> {
  const { accountId, userId } = visibilityOf(actor);
  const wish = { after: query.after, limit: query.limit + 1, prefix: 'call.', userId };
  const page = checkCursor(await readEventPage(deps.db, accountId, wish), query.after);
  const sentAt = new Date(deps.clock.now()).toISOString();
  const isTheirs = (event: StoredEvent): boolean => userId === null || event.payload.user_id === userId;
  return reply(page, { query, url }, (event) =>
    isTheirs(event) ? presentEvent(event, sentAt) : presentRemoval(event),
  );
}

async function readAll(deps: EventRouteDeps, { actor, query, url }: LogRequest): Promise<Reply> {
  const wish = { after: query.after, limit: query.limit + 1 };
  const page = checkCursor(await readEventPage(deps.db, actor.accountId, wish), query.after);
  const sentAt = new Date(deps.clock.now()).toISOString();
  return reply(page, { query, url }, (event) => presentEvent(event, sentAt));
}

function checkCursor(page: EventPage, after: number): EventPage {
  if (after > page.newest || (after > 0 && after < page.pruned)) throw cursorExpired(page.pruned + 1);
  return page;
}

function reply(
  page: EventPage,
  { query, url }: Pick<LogRequest, 'query' | 'url'>,
  present: (event: StoredEvent) => unknown,
): Reply {
  const events = page.events.slice(0, query.limit);
  const last = events.at(-1);
  const body = events.map(present);
  if (page.events.length <= query.limit || !last) return new Reply(body);
  const next = new URLSearchParams(url.search);
  next.set('after', String(last.seq));
  return new Reply(body, { headers: { Link: `<${url.pathname}?${next}>; rel="next"` } });
}
