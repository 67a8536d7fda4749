import type { IncomingMessage, ServerResponse } from 'node:http';
import Router from '@koa/router';
import type { Context } from 'koa';
import { AppError, notFound, permissionDenied } from '../lib/errors.js';
import { listsEtag } from '../lib/etag.js';
import { isId } from '../lib/ids.js';
import { type Actor, hasRole, hasScope } from './actor.js';
import type { AuditTrail } from './audit.js';
import { audited, isAudited } from './audited.js';
import { announcedBytes, bodyKind, isForm, readBody } from './body.js';
import type { FairShare } from './fair-share.js';
import { type AnyRoute, Reply } from './route.js';
import { describeSeedEndpoint } from './seed-options.js';
import { closed, streamOf } from './stream-body.js';
import { listMembers, validateBody, validateQuery } from './validate.js';

export interface DispatchDeps {
  authenticate(ctx: Context): Promise<Actor>;
  /** Takes the request's cost from the caller's share; throws 429. Sets the rate-limit headers. */
  limit(ctx: Context, route: AnyRoute | undefined, actor: Actor | null): Promise<void>;
  /** Is told of changes; absent: nobody is. */
  readonly audit?: AuditTrail;
  /** Whose turn it is among the accounts; absent: everybody's. */
  readonly share?: FairShare;
}

const DEFAULT_BODY_LIMIT = 1_048_576;
const DEFAULT_MOST_VALUES = 2000;
const DEFAULT_MOST_MEMBERS = 1000;
const NO_LISTS: ReadonlySet<string> = new Set();
const NOBODY = Object.freeze({
  kind: 'user',
  accountId: '',
  userId: null,
  apiKeyId: null,
  role: 'member',
  scopes: new Set(),
  sessionId: null,
  expiresAt: null,
}) as Actor;

/**
 * Mounts the route table. Routes of one path share one handler, so that the order of the contract holds: unknown path
 * 404, token 401, method 405, permission 403/404, type 415, size 413, body 400.
 */
export function mountRoutes(routes: readonly AnyRoute[], deps: DispatchDeps): Router {
  const router = new Router({ sensitive: true });
  const byPath = groupByPath(routes);
  const paths = [...byPath.keys()].sort((a, b) => parts(a) - parts(b));
  for (const path of paths) {
    const rows = byPath.get(path) ?? [];
    // Written without the last slash, a path of this router is matched with and without it; not the other way round.
    router.all(path.replace(/(.)\/$/, '$1'), (ctx) => serve(ctx as unknown as Context, path, rows, deps));
  }
  return router;
}

const parts = (path: string): number => (path.match(/:/g) ?? []).length;

function groupByPath(routes: readonly AnyRoute[]): Map<string, AnyRoute[]> {
  const groups = new Map<string, AnyRoute[]>();
  for (const row of routes) groups.set(row.path, [...(groups.get(row.path) ?? []), row]);
  return groups;
}

async function serve(ctx: Context, path: string, rows: readonly AnyRoute[], deps: DispatchDeps): Promise<void> {
  ctx.state.route = path;
  const method = ctx.method === 'HEAD' ? 'get' : ctx.method.toLowerCase();
  const found = rows.find((row) => row.method === method);
  const isPublic = found ? found.access === 'public' : rows.every((row) => row.access === 'public');
  const actor = isPublic ? null : await authenticate(ctx, found, deps);
  ctx.state.actor = actor;
  await deps.limit(ctx, found, actor);
  if (!found) {
    answerWithoutRoute(ctx, path, rows);
    return;
  }
  if (actor) checkPermission(actor, found);
  const params = ctx.params as Record<string, string>;
  if (!Object.entries(params).every(([name, value]) => isParam(name, value))) throw notFound();
  await found.permit?.({ actor: actor ?? NOBODY, params });
  const work = () => answer(ctx, { row: found, siblings: rows, actor: actor ?? NOBODY, params }, deps);
  // Beside the lane of the work: whoever sends slowly holds up none of their requests but other large ones.
  const takesTurns = deps.share && actor && isLarge(ctx.req, found);
  await (takesTurns ? deps.share(`large bodies of ${actor.accountId}`, work) : work());
}

/** Of more bytes than most routes take; they are read when it is the account's turn, or they would be held without bound. */
const isLarge = (request: IncomingMessage, { bodyLimit = DEFAULT_BODY_LIMIT }: AnyRoute): boolean =>
  bodyLimit > DEFAULT_BODY_LIMIT && announcedBytes(request) > DEFAULT_BODY_LIMIT;

async function authenticate(ctx: Context, row: AnyRoute | undefined, deps: DispatchDeps): Promise<Actor> {
  try {
    return await deps.authenticate(ctx);
  } catch (error) {
    // Guessing costs the address its share.
    await deps.limit(ctx, row, null);
    throw error;
  }
}

/** @throws 405 */
function answerWithoutRoute(ctx: Context, path: string, rows: readonly AnyRoute[]): void {
  const described = ctx.method === 'OPTIONS' ? describeSeedEndpoint(path) : undefined;
  if (!described) throw methodNotAllowed(ctx.method, allowed(path, rows));
  ctx.set('Allow', allowed(path, rows));
  ctx.type = 'application/json';
  ctx.body = JSON.stringify(described);
}

const isParam = (name: string, value: string): boolean => (name === 'id' || name.endsWith('_id') ? isId(value) : true);

const METHODS: Readonly<Record<string, string>> = { get: 'GET, HEAD' };

/** What a 405 says is possible here. */
function allowed(path: string, rows: readonly AnyRoute[]): string {
  const methods = rows.map(({ method }) => METHODS[method] ?? method.toUpperCase());
  return [...methods, ...(describeSeedEndpoint(path) ? ['OPTIONS'] : [])].join(', ');
}

function methodNotAllowed(method: string, allow: string): AppError {
  return new AppError('method_not_allowed', 'method_not_allowed', `Method "${method}" not allowed.`, {
    headers: { Allow: allow },
  });
}

function checkPermission(actor: Actor, row: AnyRoute): void {
  if (actor.kind === 'api_key') checkScope(actor, row);
  if (!hasRole(actor, row.role ?? 'member')) throw permissionDenied();
}

function checkScope(actor: Actor, row: AnyRoute): void {
  if (row.scope && hasScope(actor, row.scope)) return;
  const detail = row.scope ? `This API key lacks the scope ${row.scope}.` : 'API keys cannot be used here.';
  throw new AppError('forbidden', 'insufficient_scope', detail);
}

interface Found {
  readonly row: AnyRoute;
  /** Every route of the path. */
  readonly siblings: readonly AnyRoute[];
  readonly actor: Actor;
  readonly params: Record<string, string>;
}

async function answer(ctx: Context, { row, siblings, actor, params }: Found, deps: DispatchDeps): Promise<void> {
  const { audit, share } = deps;
  const kind = row.body || row.accepts ? bodyKind(ctx.req, row.accepts ?? ['json']) : null;
  const lists = row.body && isForm(kind) ? listMembers(row.body) : NO_LISTS;
  const read = await readBody(ctx.req, kind, {
    limit: row.bodyLimit ?? DEFAULT_BODY_LIMIT,
    mostValues: row.mostValues ?? DEFAULT_MOST_VALUES,
    mostMembers: row.mostMembers ?? DEFAULT_MOST_MEMBERS,
    lists,
  });
  const query = row.query ? validateQuery(row.query, { ...ctx.query }, row.unknownQuery ?? 'refuse') : {};
  const isObject = kind !== 'csv' && row.body !== undefined;
  const body = isObject && row.body ? validateBody(row.body, read.value, row.unknownBody ?? 'refuse') : read.value;
  const request = {
    actor,
    params,
    query: query as Record<string, unknown>,
    body,
    files: read.files,
    address: ctx.ip,
    requestId: ctx.state.requestId,
    headers: ctx.headers,
    url: new URL(ctx.originalUrl, 'http://switchboard'),
    untilLeft: () => untilLeft(ctx.res),
    note: (facts: Readonly<Record<string, unknown>>) => void Object.assign(ctx.state.facts, facts),
  };
  const isTold = audit !== undefined && isAudited(row, query);
  const work = () => (isTold ? audited(audit, { row, siblings, request, given: read.value }) : row.handle(request));
  const outcome = await (share && row.access === 'bearer' ? inLane(share, actor.accountId, { row, work }) : work());
  write(ctx, row, outcome instanceof Reply ? outcome : new Reply(outcome));
}

interface LaneWork {
  readonly row: AnyRoute;
  work(): unknown;
}

/** A stream that changes something keeps its place until it is done with; one that only reads has a lane of its own. */
function inLane(share: FairShare, whose: string, { row, work }: LaneWork): Promise<unknown> {
  if (row.method === 'get') return share(whose, work);
  return new Promise((resolve, reject) => {
    const whole = share(whose, async () => {
      const outcome = await work();
      const stream = streamOf(outcome);
      const done = stream && closed(stream);
      resolve(outcome);
      await done;
    });
    whole.catch(reject);
  });
}

function untilLeft(response: ServerResponse): AbortSignal {
  const left = new AbortController();
  if (response.destroyed) left.abort();
  else response.once('close', () => response.writableFinished || left.abort());
  return left.signal;
}

function write(ctx: Context, row: AnyRoute, reply: Reply): void {
  const { body } = reply;
  ctx.status = reply.status ?? row.status ?? (body === undefined ? 204 : 200);
  if (body !== undefined) {
    const isRaw = typeof body === 'string' || Buffer.isBuffer(body) || streamOf(body) !== null;
    ctx.body = isRaw ? body : JSON.stringify(body);
    if (!isRaw) ctx.type = 'application/json';
  }
  ctx.set(reply.headers);
  const { ETag } = reply.headers;
  const known = row.method === 'get' ? ctx.get('If-None-Match') : '';
  if (ETag && known && listsEtag(known, ETag)) ctx.status = 304;
}
