import { createAccounts } from './features/accounts/index.js';
import { createCallsWriter } from './features/calls/index.js';
import { createCarriers } from './features/carriers/index.js';
import { createEvents } from './features/events/index.js';
import { createIngestion } from './features/ingestion/index.js';
import { createApp } from './http/app.js';
import { type ActorResolver, createAuthenticate, notAuthenticated } from './http/authenticate.js';
import { mountRoutes } from './http/dispatch.js';
import { healthRoutes } from './http/health.js';
import { createRateLimit } from './http/rate-limit.js';
import { securityHeaders } from './http/security.js';
import { createHttpServer } from './http/server.js';
import { openPlatform, type PlatformOptions } from './platform/open-platform.js';
import type { Platform } from './platform/platform.js';
import { type Doors, openDoors } from './roles.js';

export interface System {
  readonly platform: Platform;
  readonly features: Features;
  /** Opens the doors of the process's roles; answers where it listens. */
  start(): Promise<string>;
  /** Finishes what was accepted and closes everything, newest first. */
  close(): Promise<void>;
}

/** Every feature, built in the order of who needs whom. */
function createFeatures(platform: Platform) {
  const events = createEvents(platform);
  const accounts = createAccounts(platform, { onUserRemoved: async () => undefined });
  const carriers = createCarriers(platform);
  const calls = createCallsWriter(platform.clock);
  const ingestion = createIngestion(platform, { eventLog: events.log, carriers, calls });
  return { events, accounts, carriers, ingestion };
}

export type Features = ReturnType<typeof createFeatures>;

/** What each role opens. */
function doorsOf({ events, accounts, carriers, ingestion }: Features): Doors {
  return {
    api: {
      routes: [...accounts.routes, ...carriers.routes, ...ingestion.routes, ...events.routes],
      raw: [ingestion.door],
    },
    live: { attach: () => undefined },
    worker: {
      jobs: { ...events.workers, ...ingestion.jobs },
      schedules: [...events.schedules, ...ingestion.schedules],
    },
  };
}

const healthOf = ({ db, queue, metrics }: Platform, { ingestion }: Features) =>
  healthRoutes({
    checks: {
      database: () => db.raw('select 1').then(() => true),
      queue: () => queue.isReady(),
      backlog: () => !ingestion.backlog.isFull(),
    },
    metrics,
  });

const nobody: ActorResolver = {
  fromToken: async () => Promise.reject(notAuthenticated()),
  fromApiKey: async () => Promise.reject(notAuthenticated()),
};

export async function wire(options: PlatformOptions): Promise<System> {
  const platform = await openPlatform(options);
  const { config, log, metrics, limiter, jwtSecret, closer, queue } = platform;
  const features = createFeatures(platform);
  const doors = openDoors(config.roles, doorsOf(features), healthOf(platform, features));
  const router = mountRoutes(doors.routes, {
    authenticate: createAuthenticate(jwtSecret, nobody),
    limit: createRateLimit(limiter, config.rateLimits),
  });
  const app = createApp({
    ...{ log, metrics, router, rawDoors: doors.rawDoors },
    trustProxy: config.trustProxy,
    security: securityHeaders(config.corsOrigins),
  });
  const http = createHttpServer(app.callback());

  return {
    platform,
    features,
    async start() {
      await doors.work(queue);
      doors.attach(http.server);
      closer.defer('http server', () => http.close());
      const port = await http.listen(config.host, config.port);
      const url = `http://127.0.0.1:${port}`;
      platform.listensOn(url);
      return url;
    },
    close: () => closer.close(),
  };
}
