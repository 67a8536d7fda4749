import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Knex } from 'knex';
import { createEventLog } from '../../../src/features/events/index.js';
import { createNumbers, type Numbers } from '../../../src/features/numbers/index.js';
import type { Actor, UserRole } from '../../../src/http/actor.js';
import { createApp } from '../../../src/http/app.js';
import { notAuthenticated } from '../../../src/http/authenticate.js';
import { mountRoutes } from '../../../src/http/dispatch.js';
import { newId } from '../../../src/lib/ids.js';
import { readConfig } from '../../../src/platform/config.js';
import { connectDatabase } from '../../../src/platform/db/connect.js';
import { createLogger } from '../../../src/platform/log.js';
import { createMetrics } from '../../../src/platform/metrics.js';
import type { Platform } from '../../../src/platform/platform.js';
import { createTestDatabase } from '../../support/database.js';
import { makeActor } from '../../support/door.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
  readonly body: any;
}

export interface Asking {
  readonly as: Actor;
  readonly method?: string;
  readonly json?: unknown;
  readonly body?: string | FormData;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface NumberDoors {
  readonly db: Knex;
  readonly numbers: Numbers;
  readonly eventLog: ReturnType<typeof createEventLog>;
  /** Numbers that were announced as claimed. */
  readonly announced: string[];
  readonly time: { now: number };
  ask(path: string, asking: Asking): Promise<Answer>;
  /** POST of JSON to `/api/virtual_numbers/`. */
  add(as: Actor, body: Readonly<Record<string, unknown>>): Promise<Answer>;
  account(): Promise<string>;
  user(accountId: string, role?: UserRole): Promise<Actor>;
  /** An API key that may all that an admin may. */
  key(accountId: string): Actor;
  carrier(accountId: string | null): Promise<string>;
  close(): Promise<void>;
}

let given = 20_000_000;
/** A number that no test has used. */
export const freshNumber = (): string => {
  given += 1;
  return `+97798${given}`;
};

/** The doors of the numbers feature alone, on a database of their own, with a clock that the test moves. */
export async function openNumberDoors(settings: Readonly<Record<string, string>> = {}): Promise<NumberDoors> {
  const database = await createTestDatabase();
  const log = createLogger('silent');
  const db = connectDatabase(database.url, 16, log);
  const time = { now: Date.parse('2026-11-22T12:00:00.000Z') };
  const announced: string[] = [];
  const eventLog = createEventLog(db, { publish: () => undefined, subscribe: () => () => undefined } as never);
  const platform = { db, log, clock: { now: () => time.now }, config: readConfig(settings) } as unknown as Platform;
  const numbers = createNumbers(platform, { eventLog, onClaimed: (claimed) => void announced.push(...claimed) });
  const actors = new Map<string, Actor>();
  const router = mountRoutes(numbers.routes, {
    async authenticate(ctx) {
      const actor = actors.get(ctx.get('authorization').replace('Bearer ', ''));
      if (!actor) throw notAuthenticated();
      return actor;
    },
    limit: async () => undefined,
  });
  const app = createApp({
    ...{ log, metrics: createMetrics(), trustProxy: false, rawDoors: [], router },
    security: (_ctx, next) => next(),
  });
  const server = await new Promise<Server>((resolve) => {
    const listening: Server = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const doors = { db, numbers, eventLog, announced, time };
  const ask = askAt(origin);
  return {
    ...doors,
    ask,
    add: (as, body) => ask('/api/virtual_numbers/', { as, json: body }),
    ...builders(db, actors, time),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await db.destroy();
      await database.drop();
    },
  };
}

const askAt =
  (origin: string) =>
  async (path: string, { as, method, json, body, headers }: Asking): Promise<Answer> => {
    const content = json === undefined ? body : JSON.stringify(json);
    const answer = await fetch(`${origin}${path}`, {
      method: method ?? (content === undefined ? 'GET' : 'POST'),
      headers: {
        authorization: `Bearer ${as.userId ?? as.apiKeyId}`,
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(content !== undefined && { body: content }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') && !text.includes('\n');
    return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
  };

function builders(db: Knex, actors: Map<string, Actor>, time: { now: number }) {
  const at = () => new Date(time.now).toISOString();
  return {
    async account() {
      const id = newId();
      await db.raw('insert into accounts (id, name, created_at, updated_at) values (?, ?, ?, ?)', [id, id, at(), at()]);
      await db.raw('insert into account_counters (account_id) values (?)', [id]);
      return id;
    },
    async user(accountId: string, role: UserRole = 'admin') {
      const id = newId();
      await db.raw(
        `insert into users (id, account_id, username, password_hash, role, tokens_valid_from, created_at, updated_at)
         values (?, ?, ?, 'x', ?, ?, ?, ?)`,
        [id, accountId, id, role, at(), at(), at()],
      );
      const actor: Actor = {
        ...{ kind: 'user', accountId, userId: id, apiKeyId: null, role },
        ...{ scopes: null, sessionId: null, expiresAt: null },
      };
      actors.set(id, actor);
      return actor;
    },
    key(accountId: string) {
      const key = makeActor({ accountId, keyWith: ['numbers:read', 'numbers:write'] });
      actors.set(key.apiKeyId ?? '', key);
      return key;
    },
    async carrier(accountId: string | null) {
      const id = newId();
      await db.raw(
        `insert into carriers (id, account_id, provider, name, credentials, credential_names, created_at, updated_at)
         values (?, ?, 'generic', 'line', '', '{}', ?, ?)`,
        [id, accountId, at(), at()],
      );
      return id;
    },
  };
}
