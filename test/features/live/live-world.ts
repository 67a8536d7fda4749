import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Knex } from 'knex';
import { pino } from 'pino';
import { io, type Socket } from 'socket.io-client';
import { CALL_COLUMNS } from '../../../src/features/calls/call.js';
import { presentCall } from '../../../src/features/calls/calls.present.js';
import { type CallEventType, createEventLog, type EventLog } from '../../../src/features/events/index.js';
import { createLive, type Live, type SessionVerdict } from '../../../src/features/live/index.js';
import type { Actor, Scope, UserRole } from '../../../src/http/actor.js';
import { notAuthenticated } from '../../../src/http/authenticate.js';
import { AppError } from '../../../src/lib/errors.js';
import { newId } from '../../../src/lib/ids.js';
import { readConfig } from '../../../src/platform/config.js';
import { connectDatabase } from '../../../src/platform/db/connect.js';
import { createMetrics } from '../../../src/platform/metrics.js';
import type { Platform } from '../../../src/platform/platform.js';
import type { Wakeups } from '../../../src/platform/wakeups.js';
import { createWakeups } from '../../../src/platform/wakeups-open.js';
import { createTestDatabase } from '../../support/database.js';

export interface Who {
  accountId: string;
  userId?: string | null;
  role?: UserRole;
  expiresAt?: number | null;
  sessionId?: string;
  apiKeyId?: string | null;
  scopes?: Scope[];
}

export interface Received {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into what came over the wire
  body: any;
}

const log = pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' });

/** Tokens of the tests: the actor as JSON; what became of sessions is told by `verdicts`. */
export const tokenFor = (who: Who): string => `test.${Buffer.from(JSON.stringify(who)).toString('base64url')}`;

async function resolveToken(token: unknown): Promise<Actor> {
  if (typeof token !== 'string') throw notAuthenticated();
  if (!token.startsWith('test.')) throw new AppError('unauthenticated', 'token_not_valid', 'Token is invalid');
  const who = JSON.parse(Buffer.from(token.slice(5), 'base64url').toString()) as Who;
  return {
    kind: who.apiKeyId ? 'api_key' : 'user',
    accountId: who.accountId,
    userId: who.userId ?? (who.apiKeyId ? null : newId()),
    apiKeyId: who.apiKeyId ?? null,
    role: who.role ?? 'admin',
    scopes: who.scopes ? new Set(who.scopes) : null,
    sessionId: who.sessionId ?? null,
    expiresAt: who.expiresAt ?? null,
  };
}

export interface LiveNode {
  url: string;
  live: Live;
  /** The codes with which it has closed connections, as its log tells them. */
  closings(): string[];
  close(): Promise<void>;
}

/** A database, event logs and any number of live nodes on it. */
export async function createWorld() {
  const database = await createTestDatabase();
  const db = connectDatabase(database.url, 10, log);
  const undo: (() => Promise<unknown>)[] = [];
  const verdicts = new Map<string, SessionVerdict>();
  const wakeupsOf = (): Wakeups => {
    const wakeups = createWakeups({ redisUrl: null, databaseUrl: database.url, prefix: 'test', log });
    undo.push(() => wakeups.close());
    return wakeups;
  };

  async function startNode(
    settings: Record<string, string> = {},
    wakeups = wakeupsOf(),
    stuckMs = 5000,
  ): Promise<LiveNode> {
    const config = readConfig({ ...settings });
    const metrics = createMetrics();
    const lines: { code?: string }[] = [];
    const told = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) });
    const platform = {
      db,
      log: told,
      config,
      wakeups,
      metrics,
      clock: { now: () => Date.now() },
    } as unknown as Platform;
    const live = createLive(platform, {
      resolveToken,
      checkSessions: async (actors) =>
        actors.map((actor) => verdicts.get(actor.sessionId ?? '') ?? { isValid: true, role: actor.role }),
      stuckMs,
      calls: { columns: CALL_COLUMNS, present: presentCall },
    });
    const server = http.createServer((_, answer) => answer.end('app'));
    live.attach(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    let closing: Promise<void> | undefined;
    const node = {
      url: `http://127.0.0.1:${port}`,
      live,
      closings: () => lines.flatMap(({ code }) => code ?? []),
      close: () => {
        closing ??= live.close().then(
          () =>
            new Promise<void>((resolve) => {
              server.close(() => resolve());
              server.closeAllConnections();
            }),
        );
        return closing;
      },
    };
    undo.push(() => node.close());
    return node;
  }

  return {
    db,
    verdicts,
    startNode,
    wakeupsOf,
    writer: createWriter(db, createEventLog(db, wakeupsOf())),
    async close(): Promise<void> {
      for (const step of undo.splice(0).reverse()) await step();
      await db.destroy();
      await database.drop();
    },
  };
}

export type World = Awaited<ReturnType<typeof createWorld>>;

export interface CallParts {
  user_id?: string | null;
  virtual_number_id?: string | null;
  direction?: 'incoming' | 'outgoing';
  tags?: string[];
  note?: string | null;
  status?: string;
}

/** Writes calls and their events as the product does: row and event in one transaction. */
export function createWriter(db: Knex, eventLog: EventLog) {
  async function account(): Promise<string> {
    const id = newId();
    const now = new Date();
    await db('accounts').insert({ id, name: `account ${id}`, created_at: now, updated_at: now });
    await db('account_counters').insert({ account_id: id });
    return id;
  }

  function row(accountId: string, id: string, parts: CallParts) {
    const now = new Date();
    return {
      id,
      account_id: accountId,
      carrier_id: newId(),
      provider: 'generic',
      carrier_call_id: `call-${id}`,
      direction: 'incoming',
      caller_number: '+4930111',
      called_number: '+4930222',
      status: 'initiated',
      started_at: now,
      duration: 0,
      last_news_at: now,
      updated_at: now,
      facts: '{}',
      ...parts,
    };
  }

  /** One event about a new or known call. */
  async function tell(accountId: string, id: string, type: CallEventType, parts: CallParts = {}): Promise<void> {
    const judged = ['direction', 'user_id', 'virtual_number_id', 'tags'] as const;
    await eventLog.transaction(async (tx, record) => {
      const [before] = await tx('call_logs').where({ id }).forUpdate();
      const status = type === 'call.updated' ? {} : { status: type.slice(5) };
      if (before)
        await tx('call_logs')
          .where({ id })
          .update({ ...parts, ...status, updated_at: new Date() });
      else await tx('call_logs').insert(row(accountId, id, { ...parts, ...status }));
      const [after] = await tx('call_logs').where({ id });
      const hasChanged = before && judged.some((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
      record({
        accountId,
        type,
        subjectId: id,
        occurredAt: Date.now() - 50,
        receivedAt: Date.now() - 10,
        payload: presentCall(after),
        before: hasChanged ? Object.fromEntries(judged.map((name) => [name, before[name]])) : null,
      });
    });
  }

  async function call(accountId: string, parts: CallParts = {}): Promise<string> {
    const id = newId();
    await tell(accountId, id, 'call.initiated', parts);
    return id;
  }

  /** Something of the log that is not a call's. */
  async function other(accountId: string): Promise<void> {
    await eventLog.transaction(async (_, record) =>
      record({
        accountId,
        type: 'number.updated',
        subjectId: newId(),
        occurredAt: Date.now(),
        receivedAt: Date.now(),
        payload: { id: newId() },
      }),
    );
  }

  async function newest(accountId: string): Promise<number> {
    const [counter] = await db('account_counters').where({ account_id: accountId });
    return counter.seq;
  }

  return { account, tell, call, other, newest };
}

export interface TestSocket {
  socket: Socket;
  received: Received[];
  /** Resolves with the next message of this name that has not been asked for yet. */
  next(name: string, matches?: (body: Received['body']) => boolean): Promise<Received['body']>;
  /** Events and removals so far. */
  events(): Received['body'][];
  ask(name: string, body?: unknown): Promise<Received['body']>;
  closed: Promise<string>;
  close(): void;
}

/** A connection that keeps everything it got. */
export function openSocket(url: string, auth: Record<string, unknown>, namespace = '/live'): TestSocket {
  const socket = io(url + namespace, { auth, forceNew: true, reconnection: false, transports: ['websocket'] });
  const received: Received[] = [];
  const waiters = new Set<() => void>();
  let taken = new Set<Received>();
  const wake = (): void => {
    for (const look of [...waiters]) look();
  };
  const keep = (name: string, body: unknown): void => {
    received.push({ name, body });
    wake();
  };
  socket.onAny(keep);
  socket.on('connect_error', (error) => keep('connect_error', error));
  socket.on('connect', () => keep('connect', null));
  const closed = new Promise<string>((resolve) => socket.once('disconnect', resolve));
  void closed.then((reason) => keep('disconnect', reason));
  taken = new Set();
  return {
    socket,
    received,
    closed,
    next(name, matches = () => true) {
      return new Promise((resolve) => {
        const look = (): void => {
          const found = received.find((entry) => entry.name === name && !taken.has(entry) && matches(entry.body));
          if (!found) return;
          taken.add(found);
          waiters.delete(look);
          resolve(found.body);
        };
        waiters.add(look);
        look();
      });
    },
    events: () => received.filter(({ name }) => name.startsWith('call.')).map(({ body }) => body),
    ask: (name, body) => socket.timeout(5000).emitWithAck(name, ...(body === undefined ? [] : [body])),
    close: () => void socket.disconnect(),
  };
}
