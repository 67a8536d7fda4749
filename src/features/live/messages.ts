import type { Actor } from '../../http/actor.js';
import type { Logger } from '../../platform/log.js';
import { createBucket } from './connection-limits.js';
import { authenticate, type TokenResolver, toAppError } from './handshake.js';
import { otherUsersToken, tooManyMessages, unknownMessage } from './live.errors.js';
import { authenticateMessage, checkMessage, subscribeMessage } from './live.schema.js';
import type { Session } from './session.js';

const MESSAGES_AT_ONCE = 100;
const MESSAGES_A_SECOND = 20;

export interface MessageDeps {
  readonly resolveToken: TokenResolver;
  readonly log: Logger;
  readonly limitsRate: boolean;
}

type Answer = (answer: Readonly<Record<string, unknown>>) => void;

/**
 * Hears everything that the client sends, known or not: each message gets one answer, in its acknowledgement or, where
 * it wants none, as an `error` message when it went wrong.
 */
export function hearMessages(deps: MessageDeps, session: Session): void {
  const { socket } = session;
  const bucket = createBucket(MESSAGES_AT_ONCE, MESSAGES_A_SECOND);

  socket.onAny((name: unknown, ...parts: unknown[]) => {
    const last = parts.at(-1);
    const acknowledge = typeof last === 'function' ? (last as Answer) : null;
    const body = acknowledge && parts.length === 1 ? undefined : parts[0];
    const succeed = (seq: number): void => acknowledge?.({ ok: true, seq });
    receive(name, body, succeed).catch((failure: unknown) => {
      const { code, message } = toAppError(failure, deps.log);
      if (acknowledge) acknowledge({ ok: false, error: { code, message } });
      else socket.emit('error', { code, message });
    });
  });

  async function receive(name: unknown, body: unknown, succeed: (seq: number) => void): Promise<void> {
    if (deps.limitsRate && !bucket.take()) throw tooManyMessages();
    if (name === 'subscribe') session.subscribe(checkMessage(subscribeMessage, body), succeed);
    else if (name === 'authenticate') succeed(await renew(body));
    else throw unknownMessage();
  }

  async function renew(body: unknown): Promise<number> {
    const { token } = checkMessage(authenticateMessage, body);
    const actor = await authenticate(deps.resolveToken, token);
    if (!isSameUser(actor, session.actor)) throw otherUsersToken();
    session.become(actor);
    return session.position;
  }
}

const isSameUser = (a: Actor, b: Actor): boolean =>
  a.accountId === b.accountId && a.userId === b.userId && a.apiKeyId === b.apiKeyId;
