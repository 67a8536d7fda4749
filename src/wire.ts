import type { AddressInfo } from 'node:net';
import { createAccounts } from './features/accounts/index.js';
import { createApiKeys } from './features/api-keys/index.js';
import { createAudit } from './features/audit/index.js';
import { CALL_COLUMNS, callAnswer, createCalls, presentCall } from './features/calls/index.js';
import { type Carriers, createCarriers } from './features/carriers/index.js';
import { createDocs, MEMBER_EXAMPLES } from './features/docs/index.js';
import { createErasure } from './features/erasure/index.js';
import { createEvents } from './features/events/index.js';
import { createIngestion, type StartThread, WEBHOOK_PATHS } from './features/ingestion/index.js';
import { createLive } from './features/live/index.js';
import { createNumbers } from './features/numbers/index.js';
import { createOperations } from './features/operations/index.js';
import { createPorting } from './features/porting/index.js';
import { createReports } from './features/reports/index.js';
import { createRetention } from './features/retention/index.js';
import { createTokens } from './features/tokens/index.js';
import { createTwoFactor } from './features/two-factor/index.js';
import { createApp } from './http/app.js';
import { createAuthenticate } from './http/authenticate.js';
import { mountRoutes } from './http/dispatch.js';
import { createFairShare } from './http/fair-share.js';
import { healthRoutes } from './http/health.js';
import { describeApi, openApiRoute } from './http/openapi.js';
import { createRateLimit } from './http/rate-limit.js';
import type { AnyRoute } from './http/route.js';
import { securityHeaders } from './http/security.js';
import { createHttpServer } from './http/server.js';
import { openPlatform, type PlatformOptions } from './platform/open-platform.js';
import type { Platform } from './platform/platform.js';
import { readVersion } from './platform/version.js';
import { createRecording } from './recording.js';
import { type Doors, type FeatureDoors, openDoors } from './roles.js';

export interface System {
  readonly platform: Platform;
  readonly features: Features;
  /** The OpenAPI document. */
  describe(): Readonly<Record<string, unknown>>;
  /** Opens the doors of the process's roles; answers where it listens. */
  start(): Promise<string>;
  /** Finishes what was accepted and closes everything, newest first. */
  close(): Promise<void>;
}

/** Every feature, built in the order of who needs whom. */
function createFeatures(platform: Platform, startThread?: StartThread) {
  const { log: eventLog, ...events } = createEvents(platform, { callSchema: callAnswer });
  const carriers: Carriers = createCarriers(platform, {
    removingCarrier: (carrier, remove) =>
      eventLog.transaction(async (tx, record) => {
        await remove(tx);
        await numbers.service.unassignNumbersOn(tx, record, carrier);
      }),
  });
  const calls = createCalls(platform, { eventLog });
  const { writer, retentionRule, erasureRule } = createRecording(platform);
  const ingestion = createIngestion(platform, {
    ...{ eventLog, carriers, calls: writer, callIds: erasureRule.callIds, startThread },
  });
  const numbers = createNumbers(platform, { eventLog, onClaimed: ingestion.tellClaimed });
  const porting = createPorting(platform, { eventLog, numbers });
  const accounts = createAccounts(platform, {
    removingUser: (user, remove) =>
      eventLog.transaction(async (tx, record) => {
        await remove(tx);
        await numbers.service.unassignNumbersOf(tx, record, user);
      }),
  });
  const apiKeys = createApiKeys(platform);
  const audit = createAudit(platform);
  const twoFactor = createTwoFactor(platform, accounts);
  const tokens = createTokens(platform, {
    ...{ passwords: accounts.passwords, fromApiKey: apiKeys.resolve, twoFactor, audit: audit.record },
  });
  const reports = createReports(platform);
  const retention = createRetention(platform, { rule: retentionRule, accounts: accounts.service });
  const erasure = createErasure(platform, erasureRule);
  const authenticate = createAuthenticate(platform.jwtSecret, tokens.sessions);
  const limit = createRateLimit(platform.limiter, platform.config.rateLimits);
  const operations = createOperations(platform, { authenticate, limit });
  const live = createLive(platform, { ...tokens.sessions, calls: { columns: CALL_COLUMNS, present: presentCall } });
  return {
    events,
    carriers,
    calls,
    ingestion,
    numbers,
    porting,
    accounts,
    apiKeys,
    audit,
    twoFactor,
    tokens,
    live,
    reports,
    retention,
    erasure,
    operations,
  };
}

export type Features = ReturnType<typeof createFeatures>;

/** What each role opens. */
function doorsOf(features: Features): Doors {
  const { ingestion, operations, live } = features;
  const all: readonly FeatureDoors[] = Object.values(features);
  return {
    api: { routes: all.flatMap(({ routes = [] }) => routes), raw: [ingestion.door, operations.door] },
    live,
    worker: { jobs: all.flatMap(({ jobs = [] }) => jobs), watch: ingestion.watch },
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

/** Requests of one account that may wait in a process for others of the same account. */
const MOST_WAITING = 1000;

export interface WireOptions extends PlatformOptions {
  /** Begins the thread for batches, `drain-thread.ts`; without it all webhooks are worked off in this thread. */
  readonly startThread?: StartThread | undefined;
}

export async function wire(options: WireOptions): Promise<System> {
  const platform = await openPlatform(options);
  const { config, log, metrics, limiter, jwtSecret, closer, queue } = platform;
  const features = createFeatures(platform, options.startThread);
  const all = doorsOf(features);
  const health = healthOf(platform, features);
  const describe = (): Readonly<Record<string, unknown>> =>
    describeApi({
      ...{ version: readVersion(), routes: [...all.api.routes, ...common] },
      ...{ morePaths: WEBHOOK_PATHS, examples: MEMBER_EXAMPLES },
    });
  const common: readonly AnyRoute[] = [...health, openApiRoute(describe), ...createDocs().routes];
  const doors = openDoors(config.roles, all, common);
  const router = mountRoutes(doors.routes, {
    authenticate: createAuthenticate(jwtSecret, features.tokens.sessions),
    limit: createRateLimit(limiter, config.rateLimits),
    audit: features.audit.trail,
    share: createFairShare({
      atOnce: Math.max(2, Math.floor(config.databasePool / 2)),
      mostWaiting: config.rateLimits ? MOST_WAITING : null,
    }),
  });
  const app = createApp({
    ...{ log, metrics, tracing: platform.tracing, router, rawDoors: doors.rawDoors },
    trustProxy: config.trustProxy,
    security: securityHeaders(config.corsOrigins, config.publicUrl?.startsWith('https:')),
  });
  const http = createHttpServer(app.callback());

  return {
    platform,
    features,
    describe,
    async start() {
      await features.carriers.checkKey();
      await doors.work(queue);
      closer.defer('worker', () => queue.rest());
      closer.defer('http server', () => http.close());
      doors.attach(http.server);
      closer.defer('live connections', () => features.live.close());
      const port = await http.listen(config.host, config.port);
      const { address } = http.server.address() as AddressInfo;
      const url = `http://${reachable(config.host, address)}:${port}`;
      platform.listensOn(url);
      return url;
    },
    close: () => closer.close(),
  };
}

/** The name by which this machine reaches what listens on `host`, which turned out to be that address. */
function reachable(host: string, address: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  // Some resolve it to `::1` first, and not everybody who is told the name does.
  const name = host === 'localhost' ? address : host;
  return name.includes(':') ? `[${name}]` : name;
}
