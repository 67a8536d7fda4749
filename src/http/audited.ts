import { AppError } from '../lib/errors.js';
import type { Actor } from './actor.js';
import { type AuditTrail, auditNames } from './audit.js';
import { type AnyRoute, Reply, type RouteRequest } from './route.js';
import { closed, streamOf } from './stream-body.js';
import { validateQuery } from './validate.js';

type AnyRequest = RouteRequest<Record<string, string>, Record<string, unknown>, unknown>;

export interface AuditedCall {
  readonly row: AnyRoute;
  /** Every route of the path. */
  readonly siblings: readonly AnyRoute[];
  readonly request: AnyRequest;
  /** The body as it was sent. */
  readonly given: unknown;
}

/**
 * Runs the handler of a route that changes something between an announcement and its end, so that no change goes
 * unrecorded: when the process dies in between, the announcement is left and tells of it. A stream changes things while
 * it is read, so its end is that of the work.
 *
 * `before` is what the path's own GET answers to the same actor, read just before the change and without a lock: of
 * two changes at the same moment, the later may show what the earlier found.
 */
export async function audited(trail: AuditTrail, { row, siblings, request, given }: AuditedCall): Promise<unknown> {
  const isPublic = row.access === 'public';
  const tell = await trail({
    ...auditNames(row),
    actor: isPublic ? null : request.actor,
    address: request.address,
    requestId: request.requestId,
    objectId: request.params.id ?? ownId(row, request.actor),
    members: memberNames(given),
    before: await readBefore(row, siblings, request),
  });
  try {
    const outcome = await row.handle(request);
    const stream = streamOf(outcome);
    if (stream) {
      // What cannot be told leaves the announcement, as the end of the process does.
      const told = closed(stream).then((isWhole) => tell({ kind: isWhole ? 'changed' : 'unknown' }));
      told.catch(() => undefined);
      return outcome;
    }
    await tell({ kind: 'changed', after: outcome instanceof Reply ? outcome.body : outcome });
    return outcome;
  } catch (error) {
    const isRefusal = error instanceof AppError && error.kind !== 'internal';
    await tell({ kind: isRefusal ? 'nothing' : 'unknown' });
    throw error;
  }
}

/** Whether the request may change something that the frame is to record. */
export const isAudited = (row: AnyRoute, query: unknown): boolean =>
  row.method !== 'get' && row.audit !== false && (query as { dry_run?: unknown }).dry_run !== true;

/** What `me` stands for in the path. */
function ownId({ path }: AnyRoute, actor: Actor): string | null {
  if (path.startsWith('/api/users/me/')) return actor.userId;
  return path.startsWith('/api/accounts/me/') ? actor.accountId : null;
}

const MOST_MEMBERS = 50;

const memberNames = (body: unknown): string[] =>
  typeof body === 'object' && body !== null && !Array.isArray(body) ? Object.keys(body).slice(0, MOST_MEMBERS) : [];

async function readBefore(row: AnyRoute, siblings: readonly AnyRoute[], request: AnyRequest): Promise<unknown> {
  const reader = row.method === 'post' ? undefined : siblings.find((sibling) => sibling.method === 'get');
  if (!reader) return null;
  try {
    const query = reader.query ? validateQuery(reader.query, {}, 'refuse') : {};
    const shown = await reader.handle({ ...request, query, body: undefined, note: () => undefined });
    return shown instanceof Reply ? shown.body : shown;
  } catch (error) {
    // What cannot be read is not there to be changed either: the handler says so.
    if (error instanceof AppError) return null;
    throw error;
  }
}
