import type http from 'node:http';
import { throttledWarn } from '../../platform/log.js';
import type { Platform } from '../../platform/platform.js';
import { createEventTail } from '../events/index.js';
import { Feeds } from './account-feed.js';
import { createDelays } from './delays.js';
import type { TokenResolver } from './handshake.js';
import { type CallShape, createBoardReader } from './live.queries.js';
import { createLiveRoutes } from './live.routes.js';
import { createLiveSocket } from './live.socket.js';
import { STUCK_MS } from './outlet.js';
import type { Session } from './session.js';
import { type SessionChecker, watchSessions } from './session-watch.js';
import { createSharedReads } from './shared-reads.js';

export { describeLive } from './asyncapi.js';
export { type CallFilter, judge, type Scope } from './call-filter.js';
export type { TokenResolver } from './handshake.js';
export type { Board, BoardReader, CallShape } from './live.queries.js';
export type { SessionChecker, SessionVerdict } from './session-watch.js';

export interface LiveDeps {
  /** An access token or API key as its actor; throws `token_not_valid`. */
  readonly resolveToken: TokenResolver;
  readonly checkSessions: SessionChecker;
  /** The calls' columns and presentation: `{ columns: CALL_COLUMNS, present: presentCall }`. */
  readonly calls: CallShape;
  /** After how long a reader that takes nothing is closed; default 10 s. */
  readonly stuckMs?: number;
}

/**
 * The live channel.
 *
 *   const live = createLive(platform, { resolveToken, checkSessions, calls });
 *   live.attach(server);        // role live; after the HTTP app listens to the server's requests
 *   await live.close();         // tells everybody, before the HTTP server is closed
 *
 * `routes` belong to the role api. Nothing runs before `attach`.
 */
export function createLive(platform: Platform, deps: LiveDeps) {
  const { db, log, clock, config, wakeups, metrics } = platform;
  const readBoard = createBoardReader(db, deps.calls);
  const delays = createDelays(clock, metrics);
  const sessions = new Set<Session>();
  let feeds: Feeds | null = null;
  let stop: (() => Promise<void>) | null = null;

  const open: ReturnType<typeof metrics.gauge> = metrics.gauge(
    'switchboard_live_connections',
    'Open live connections.',
    [],
    () => open.set(sessions.size),
  );

  const lag = metrics.gauge('switchboard_event_log_lag_events', 'Events that this process has not yet given out.');

  function attach(server: http.Server): void {
    const door = createLiveSocket({ config, log, clock, resolveToken: deps.resolveToken, sessions });
    const warn = throttledWarn(log, 'live connections have to wait');
    const tail = createEventTail({ db, wakeups, log }, { onLag: (events) => lag.set(events) });
    feeds = new Feeds({ namespace: door.namespace, tail, clock, delays });
    const reads = createSharedReads(db, readBoard);
    door.open({ log, clock, feeds, reads, stuckMs: deps.stuckMs ?? STUCK_MS, warn });
    const watch = watchSessions({ clock, log, wakeups, checkSessions: deps.checkSessions }, sessions);
    door.attach(server);
    stop = async () => {
      await watch.stop();
      await door.close();
      await tail.close();
    };
  }

  return {
    routes: createLiveRoutes({ readBoard, delays, connections: (id) => feeds?.connections(id) ?? 0 }),
    attach,
    async close(): Promise<void> {
      await stop?.();
      stop = null;
    },
  };
}

export type Live = ReturnType<typeof createLive>;
