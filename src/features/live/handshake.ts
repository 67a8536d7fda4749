import type { Socket } from 'socket.io';
import { type Actor, hasScope } from '../../http/actor.js';
import { AppError } from '../../lib/errors.js';
import { isTransient } from '../../platform/db/errors.js';
import type { Logger } from '../../platform/log.js';
import type { ConnectionLimits } from './connection-limits.js';
import { insufficientScope, tooManyConnections, unavailable } from './live.errors.js';
import { checkMessage, type Handshake, handshakeAuth, subscribeMessage } from './live.schema.js';
import type { Admission } from './session.js';

/** A token or API key as its actor. @throws AppError `not_authenticated`, `token_not_valid` */
export type TokenResolver = (token: unknown) => Promise<Actor>;

export interface HandshakeDeps {
  readonly resolveToken: TokenResolver;
  readonly limits: ConnectionLimits;
  readonly log: Logger;
}

/** Who connects and what they want. @throws AppError, which becomes the `connect_error` */
export async function admit(deps: HandshakeDeps, socket: Socket): Promise<Admission> {
  const { auth } = socket.handshake as { auth: Record<string, unknown> };
  const { token } = auth;
  // Kept as long as the connection otherwise, and shown wherever a socket is.
  delete auth.token;
  const actor = await authenticate(deps.resolveToken, token);
  const { after, subscribe } = checkMessage<Handshake>(handshakeAuth, { ...auth, token });
  const filter = subscribe ? checkMessage(subscribeMessage, subscribe) : {};
  const release = deps.limits.takeActor(actor);
  if (!release) throw tooManyConnections();
  socket.conn.once('close', release);
  if (socket.conn.readyState === 'closed') release();
  return { actor, after: after ?? null, filter };
}

/** @throws AppError `not_authenticated`, `token_not_valid`, `insufficient_scope` */
export async function authenticate(resolveToken: TokenResolver, token: unknown): Promise<Actor> {
  const actor = await resolveToken(token);
  if (!hasScope(actor, 'calls:read')) throw insufficientScope();
  return actor;
}

/** What a client is told of a failure; what is no AppError is told to the log alone. */
export function toAppError(error: unknown, log: Logger): AppError {
  if (error instanceof AppError && error.kind !== 'internal') return error;
  log[isTransient(error) ? 'warn' : 'error']({ err: error }, 'live message failed');
  return unavailable(error);
}

export interface ConnectError extends Error {
  data: { code: string; message: string };
}

export function toConnectError(error: AppError): ConnectError {
  const { code, message } = error;
  return Object.assign(new Error(message), { data: { code, message } });
}
