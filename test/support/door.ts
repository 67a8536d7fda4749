import { randomBytes } from 'node:crypto';
import { type Actor, API_KEY_SCOPES, type Scope, type UserRole } from '../../src/http/actor.js';
import { createApp } from '../../src/http/app.js';
import { bearerToken, notAuthenticated } from '../../src/http/authenticate.js';
import { mountRoutes } from '../../src/http/dispatch.js';
import type { AnyRoute } from '../../src/http/route.js';
import { createHttpServer } from '../../src/http/server.js';
import type { Clock } from '../../src/lib/clock.js';
import { newId } from '../../src/lib/ids.js';
import { readConfig } from '../../src/platform/config.js';
import { createLogger } from '../../src/platform/log.js';
import { type OpenPlatform, openPlatform } from '../../src/platform/open-platform.js';
import { createTestDatabase } from './database.js';
import { makeScratchDirectory } from './scratch.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into it by name
  readonly body: any;
}

export interface Caller {
  readonly actor: Actor;
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown): Promise<Answer>;
  patch(path: string, body: unknown): Promise<Answer>;
  delete(path: string): Promise<Answer>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

/** One feature's doors over a real database, with actors made up by the test instead of signed tokens. */
export interface Door {
  readonly platform: OpenPlatform;
  readonly url: string;
  /** Everything that was logged, as lines. */
  readonly logged: readonly string[];
  as(actor: Actor): Caller;
  /** Without any token. */
  readonly stranger: Caller;
  makeAccount(): Promise<string>;
  close(): Promise<void>;
}

export const PUBLIC_URL = 'https://switchboard.example.com';

export async function openDoor(
  routesOf: (platform: OpenPlatform) => readonly AnyRoute[],
  options: { readonly clock?: Clock; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Door> {
  const database = await createTestDatabase();
  const logged: string[] = [];
  const log = createLogger('debug', { write: (line: string) => void logged.push(line) });
  const env = { PUBLIC_URL, DATA_DIR: makeScratchDirectory(), DATABASE_POOL: '8', ...options.env };
  const config = readConfig(env);
  const clock = options.clock ? { clock: options.clock } : {};
  const platform = await openPlatform({ config, databaseUrl: database.url, log, ...clock });
  const actors = new Map<string, Actor>();
  const router = mountRoutes(routesOf(platform), {
    authenticate: async (ctx) => actors.get(bearerToken(ctx.get('authorization'))) ?? refuse(),
    limit: async () => undefined,
  });
  const app = createApp({
    ...{ log, metrics: platform.metrics, trustProxy: false, rawDoors: [], router },
    security: (_ctx, next) => next(),
  });
  const http = createHttpServer(app.callback());
  const url = `http://127.0.0.1:${await http.listen('127.0.0.1', 0)}`;

  function as(actor: Actor): Caller {
    const token = randomBytes(12).toString('hex');
    actors.set(token, actor);
    return caller(url, actor, { authorization: `Bearer ${token}` });
  }

  return {
    ...{ platform, url, logged, as },
    stranger: caller(url, makeActor({}), {}),
    async makeAccount() {
      const id = newId();
      const now = new Date();
      await platform.db('accounts').insert({ id, name: 'An account', created_at: now, updated_at: now });
      await platform.db('account_counters').insert({ account_id: id });
      return id;
    },
    async close() {
      await http.close();
      await platform.closer.close();
      await database.drop();
    },
  };
}

function refuse(): never {
  throw notAuthenticated();
}

export interface ActorWish {
  readonly accountId?: string;
  readonly role?: UserRole;
  readonly userId?: string;
  /** An API key with these scopes instead of a user. */
  readonly keyWith?: readonly Scope[];
}

export function makeActor({ accountId = newId(), role = 'admin', userId = newId(), keyWith }: ActorWish): Actor {
  const base = { accountId, sessionId: null, expiresAt: null };
  return keyWith
    ? { ...base, kind: 'api_key', userId: null, apiKeyId: newId(), role: 'admin', scopes: new Set(keyWith) }
    : { ...base, kind: 'user', userId, apiKeyId: null, role, scopes: null };
}

export const allScopesBut = (left: Scope): Scope[] => API_KEY_SCOPES.filter((scope) => scope !== left);

function caller(url: string, actor: Actor, headers: Record<string, string>): Caller {
  const send = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}${path}`, { ...init, headers: { ...headers, ...(init.headers as Record<string, string>) } });
  async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const json =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await send(path, { method, ...json });
    const text = await response.text();
    const isJson =
      /json/.test(response.headers.get('content-type') ?? '') &&
      !/ndjson/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  }
  return {
    actor,
    get: (path) => ask('GET', path),
    post: (path, body) => ask('POST', path, body),
    patch: (path, body) => ask('PATCH', path, body),
    delete: (path) => ask('DELETE', path),
    fetch: send,
  };
}
