import type { Context, Middleware, Next } from 'koa';
import { type Actor, hasRole } from '../../http/actor.js';
import { AppError, notFound, permissionDenied } from '../../lib/errors.js';
import type { Queue } from '../../platform/queue/queue.js';
import { openQueueBoard, type QueueBoard } from './queue-board.js';

const BASE = '/queue';

/** The board's own files and answers alone; it sets styles in its elements. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const askForToken = (detail: string): AppError =>
  new AppError('unauthenticated', 'not_authenticated', detail, {
    headers: { 'WWW-Authenticate': 'Basic realm="switchboard queue", charset="UTF-8"' },
  });

export interface QueueDoorDeps {
  authenticate(ctx: Context): Promise<Actor>;
  /** Takes the request from the share of the caller, or of the address that guessed; throws 429. */
  limit(ctx: Context, route: undefined, actor: Actor | null): Promise<void>;
}

/**
 * `/queue/`, for operators. A browser has no other way to show a token on every request of a page than Basic: the
 * password is an access token, so that whatever guards sign-ins (limits, two-factor, revocation) guards this as well.
 */
export function queueDoor(queue: Queue, deps: QueueDoorDeps): Middleware {
  let board: { readonly of: unknown; readonly opened: Promise<QueueBoard> } | null = null;

  function present(): Promise<QueueBoard> {
    const of = queue.dashboard();
    if (board?.of !== of) board = { of, opened: openQueueBoard(BASE, of) };
    return board.opened;
  }

  return async (ctx: Context, next: Next) => {
    if (ctx.path !== BASE && !ctx.path.startsWith(`${BASE}/`)) return next();
    ctx.state.route = '/queue/';
    ctx.state.actor = await admit(ctx, deps);
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') throw readOnly(ctx.method);
    if (ctx.path === BASE) return ctx.redirect(`${BASE}/`);
    const shown = await (await present()).show(ctx.path.slice(BASE.length), { ...ctx.query });
    if (!shown) throw notFound();
    ctx.status = shown.status;
    ctx.type = shown.type;
    ctx.body = shown.body;
    ctx.set({ 'Content-Security-Policy': POLICY, 'Cache-Control': 'private, no-store' });
  };
}

const readOnly = (method: string): AppError =>
  new AppError('method_not_allowed', 'method_not_allowed', `Method "${method}" not allowed.`, {
    headers: { Allow: 'GET, HEAD' },
  });

async function admit(ctx: Context, { authenticate, limit }: QueueDoorDeps): Promise<Actor> {
  const token = tokenOf(ctx.get('authorization'));
  if (token === null)
    throw askForToken('The password is the access token of an operator; the user name does not matter.');
  ctx.req.headers.authorization = `Bearer ${token}`;
  let actor: Actor;
  try {
    actor = await authenticate(ctx);
  } catch (error) {
    await limit(ctx, undefined, null);
    if (error instanceof AppError && error.kind === 'unauthenticated') throw askForToken(error.message);
    throw error;
  }
  await limit(ctx, undefined, actor);
  if (actor.kind === 'api_key' || !hasRole(actor, 'operator')) throw permissionDenied();
  return actor;
}

function tokenOf(header: string): string | null {
  const bearer = /^Bearer (\S+)$/.exec(header)?.[1];
  if (bearer) return bearer;
  const basic = /^Basic (\S+)$/i.exec(header)?.[1];
  if (!basic) return null;
  const text = Buffer.from(basic, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1).trim() || null;
}
