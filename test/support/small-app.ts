import type { Context } from 'koa';
import { type Actor, API_KEY_SCOPES } from '../../src/http/actor.js';
import { createApp } from '../../src/http/app.js';
import { notAuthenticated } from '../../src/http/authenticate.js';
import { mountRoutes } from '../../src/http/dispatch.js';
import type { FairShare } from '../../src/http/fair-share.js';
import { createRateLimit } from '../../src/http/rate-limit.js';
import type { AnyRoute } from '../../src/http/route.js';
import { securityHeaders } from '../../src/http/security.js';
import { createHttpServer, type HttpServer } from '../../src/http/server.js';
import { newId } from '../../src/lib/ids.js';
import { createGatheredCounts } from '../../src/platform/limiter/gathered-counts.js';
import type { Limiter } from '../../src/platform/limiter/limiter.js';
import { createLogger, type Logger } from '../../src/platform/log.js';
import { createMetrics } from '../../src/platform/metrics.js';

export interface SmallApp {
  readonly url: string;
  readonly http: HttpServer;
  close(): Promise<void>;
}

export interface SmallAppOptions {
  readonly limits?: boolean;
  readonly trustProxy?: boolean;
  readonly corsOrigins?: readonly string[];
  readonly log?: Logger;
  readonly share?: FairShare;
}

const BASE = { accountId: newId(), sessionId: null, expiresAt: null };
const USER = { ...BASE, kind: 'user', userId: newId(), apiKeyId: null, scopes: null } as const;

/** Bearer tokens of a small app: who they stand for. */
export const ACTORS: Readonly<Record<string, Actor>> = {
  member: { ...USER, role: 'member' },
  admin: { ...USER, userId: newId(), role: 'admin' },
  key: { ...BASE, kind: 'api_key', userId: null, apiKeyId: newId(), role: 'admin', scopes: new Set(['numbers:read']) },
  all: { ...BASE, kind: 'api_key', userId: null, apiKeyId: newId(), role: 'admin', scopes: new Set(API_KEY_SCOPES) },
};

/** The frame without features and without a database: the given routes, and the tokens of ACTORS. */
export async function startSmallApp(routes: readonly AnyRoute[], options: SmallAppOptions = {}): Promise<SmallApp> {
  const { limits = false, trustProxy = false, corsOrigins = [], log = createLogger('silent'), share } = options;
  const router = mountRoutes(routes, {
    authenticate,
    limit: createRateLimit(localLimiter(), limits),
    ...(share && { share }),
  });
  const security = securityHeaders(corsOrigins);
  const app = createApp({ log, metrics: createMetrics(), trustProxy, security, rawDoors: [], router });
  const http = createHttpServer(app.callback());
  const port = await http.listen('127.0.0.1', 0);
  return { url: `http://127.0.0.1:${port}`, http, close: () => http.close() };
}

async function authenticate(ctx: Context): Promise<Actor> {
  const actor = ACTORS[ctx.get('authorization').replace('Bearer ', '')];
  if (!actor) throw notAuthenticated();
  return actor;
}

function localLimiter(): Limiter {
  const counts = createGatheredCounts(async (rule) => ({
    ...{ allowed: true, limit: rule.points, remaining: rule.points, resetSeconds: rule.seconds },
  }));
  const never = async () => Promise.reject(new Error('Not for requests.'));
  return { take: never, look: never, takeCheaply: counts.take, close: counts.close };
}
