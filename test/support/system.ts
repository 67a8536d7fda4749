import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Clock } from '../../src/lib/clock.js';
import { type Config, readConfig } from '../../src/platform/config.js';
import { createLogger, type Logger } from '../../src/platform/log.js';
import { type System, wire } from '../../src/wire.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { ownRedisKeysOf } from './redis-keys.js';
import { makeScratchDirectory } from './scratch.js';

export interface SystemOptions {
  /** Settings by their names in the environment; rate limits are off unless they say otherwise. */
  readonly env?: Readonly<Record<string, string>>;
  /** Queue, limits and wake-ups on the run's Redis (`hasRedis`). Default: PostgreSQL. */
  readonly redis?: boolean;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** A further process of the same installation: shares database, secrets and Redis with it. */
  readonly beside?: TestSystem;
}

export interface Person {
  readonly username: string;
  readonly password: string;
  readonly accountId: string;
  readonly userId: string;
  /** Access token. */
  readonly token: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the door answered; the test says what it expects
  readonly body: any;
}

export interface Ask {
  readonly token?: string;
  /** Sent as JSON, unless it is a string, FormData or URLSearchParams. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestSystem {
  readonly url: string;
  readonly database: TestDatabase;
  readonly db: Knex;
  readonly config: Config;
  readonly system: System;
  readonly env: Readonly<Record<string, string>>;
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  createOperator(): Promise<Person>;
  /** A new account and its admin, signed in. */
  createAdmin(): Promise<Person>;
  /** A member of the person's account, signed in. */
  createMember(admin: Person): Promise<Person>;
  stop(): Promise<void>;
}

export const hasRedis = (): boolean => Boolean(process.env.TEST_REDIS_URL);

export const unique = (what: string): string => `${what}-${randomBytes(5).toString('hex')}`;

/** The whole product on a database of its own and a free port, as `main.ts` wires it. */
export async function startSystem(options: SystemOptions = {}): Promise<TestSystem> {
  const { beside } = options;
  const database = beside?.database ?? (await createTestDatabase());
  const env: Record<string, string> = {
    ...{ DATABASE_URL: database.url, DATA_DIR: makeScratchDirectory(), PORT: '0', RATE_LIMITS: 'off' },
    ...{ JWT_SECRET: 'j'.repeat(40), ENCRYPTION_KEY: 'e'.repeat(40), DATABASE_POOL: '8' },
    ...(options.redis ? { REDIS_URL: process.env.TEST_REDIS_URL ?? '' } : {}),
    ...beside?.env,
    ...options.env,
  };
  const config = readConfig(env);
  const log = options.log ?? createLogger(process.env.TEST_LOG_LEVEL ?? 'silent');
  const clock = options.clock ? { clock: options.clock } : {};
  const system = await wire({ config, databaseUrl: config.databaseUrl ?? database.url, log, ...clock });
  if (options.redis) await ownRedisKeysOf(system.platform.db);
  const url = await system.start();
  const ask = asker(url);
  return {
    ...{ url, database, db: system.platform.db, config, system, env, ask },
    ...people(system, ask),
    async stop() {
      await system.close();
      if (!beside) await database.drop();
    },
  };
}

function asker(url: string): TestSystem['ask'] {
  return async (method, path, { token, body, headers = {} } = {}) => {
    const isPlain = typeof body === 'string' || body instanceof FormData || body instanceof URLSearchParams;
    const isJson = body !== undefined && !isPlain;
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(isJson ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : (body as string | FormData) }),
    });
    const text = await response.text();
    const isJsonAnswer = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: isJsonAnswer ? JSON.parse(text) : text };
  };
}

function people(system: System, ask: TestSystem['ask']) {
  const { accounts } = system.features;

  async function signIn(username: string, password: string): Promise<Person> {
    const { status, body } = await ask('POST', '/api/token/', { body: { username, password } });
    if (status !== 200) throw new Error(`Signing in was answered ${status}: ${JSON.stringify(body)}`);
    const claims = JSON.parse(Buffer.from(body.access.split('.')[1], 'base64url').toString('utf8'));
    return { username, password, accountId: claims.account_id, userId: claims.user_id, token: body.access };
  }

  async function open(role: 'admin' | 'operator'): Promise<Person> {
    const owner = { username: unique(role), password: unique('password'), role, isActive: true, contactNumber: null };
    await accounts.service.create({ name: unique('account'), owner });
    return signIn(owner.username, owner.password);
  }

  return {
    createOperator: () => open('operator'),
    createAdmin: () => open('admin'),
    async createMember(admin: Person): Promise<Person> {
      const login = { username: unique('member'), password: unique('password') };
      const made = await ask('POST', '/api/users/', { token: admin.token, body: { ...login, role: 'member' } });
      if (made.status !== 201) throw new Error(`Making a member was answered ${made.status}.`);
      return signIn(login.username, login.password);
    },
  };
}
