import type http from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Server, type Socket } from 'socket.io';
import type { Clock } from '../../lib/clock.js';
import type { Config } from '../../platform/config.js';
import type { Logger } from '../../platform/log.js';
import { type ConnectionLimits, createBucket, createConnectionLimits } from './connection-limits.js';
import { admit, type TokenResolver, toAppError, toConnectError } from './handshake.js';
import { invalidRequest, shuttingDown, tooManyConnections } from './live.errors.js';
import { hearMessages } from './messages.js';
import { cutOff, writeTogether } from './outlet.js';
import { type Admission, Session, type SessionDeps } from './session.js';

export interface LiveSocketDeps {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly resolveToken: TokenResolver;
  /** Open connections, kept by the door: whoever watches them reads it. */
  readonly sessions: Set<Session>;
}

/** A message is a filter at most: 500 ids are 20 kB. */
const MOST_BYTES = 65_536;
const CONNECT_MS = 5000;
const PACKETS_AT_ONCE = 400;
const PACKETS_A_SECOND = 100;
const FAREWELL_MS = 1000;

/** The Socket.IO server: transports, origins, limits, and the one namespace that there is. */
export function createLiveSocket(deps: LiveSocketDeps) {
  const { config } = deps;
  const limits = createConnectionLimits({
    perUser: config.liveConnectionsPerUser,
    perAddress: config.liveConnectionsPerAddress,
    trustProxy: config.trustProxy,
  });
  const io = new Server({
    transports: ['polling', 'websocket'],
    serveClient: false,
    connectTimeout: CONNECT_MS,
    maxHttpBufferSize: MOST_BYTES,
    perMessageDeflate: false,
    cleanupEmptyChildNamespaces: true,
    ...(config.corsOrigins.length > 0 && {
      cors: { origin: config.corsOrigins.includes('*') ? '*' : [...config.corsOrigins] },
    }),
    allowRequest: (request, answer) => answer(null, isAllowedOrigin(config.corsOrigins, request)),
  });
  const namespace = io.of('/live');
  const busy = new WeakSet<object>();
  let isClosing = false;

  // Every server has the namespace `/`; nobody has anything to do there, or in one that is none.
  for (const other of [io.of('/'), io.of((_name, _auth, next) => next(null, true))]) {
    other.use((socket, next) => {
      next(toConnectError(invalidRequest('The namespace is /live.')));
      setImmediate(() => socket.conn.close());
    });
  }

  namespace.use((socket, next) => {
    enter(socket).then(
      () => next(),
      (error: unknown) => next(toConnectError(toAppError(error, deps.log))),
    );
  });

  async function enter(socket: Socket): Promise<void> {
    if (isClosing) throw shuttingDown();
    if (busy.has(socket.conn)) {
      socket.conn.close();
      throw invalidRequest('This connection has joined /live already.');
    }
    busy.add(socket.conn);
    const release = limits.takeAddress(limits.addressOf(socket.request));
    try {
      if (!release) throw tooManyConnections();
      socket.data.admission = await admit({ ...deps, limits }, socket);
      socket.conn.once('close', release);
      if (socket.conn.readyState === 'closed') release();
    } catch (error) {
      // The same connection may come again, with a better token.
      busy.delete(socket.conn);
      release?.();
      throw error;
    }
  }

  function open(sessionDeps: SessionDeps): void {
    namespace.on('connection', (socket) => {
      const session = new Session(sessionDeps, socket, socket.data.admission as Admission);
      socket.data = {};
      deps.sessions.add(session);
      hearMessages({ ...deps, limitsRate: config.rateLimits }, session);
      socket.on('disconnect', () => {
        session.end();
        deps.sessions.delete(session);
        // Without a namespace there is nothing to stay for.
        setImmediate(() => socket.conn.close());
      });
      if (isClosing) session.close('shutting_down');
    });
  }

  return {
    namespace,
    open,
    attach(server: http.Server): void {
      io.attach(server);
      writeTogether(io.engine);
      io.engine.on('connection', (connection: Connection) => guard(connection, limits, config.rateLimits));
    },
    /** Says goodbye to everybody; the HTTP server is its owner's to close. */
    async close(): Promise<void> {
      isClosing = true;
      const connections = [...deps.sessions].map(({ socket }) => socket.conn);
      for (const session of [...deps.sessions]) session.close('shutting_down');
      await allClosed(connections as unknown as Closable[]);
      (io.engine as { close(): unknown } | undefined)?.close();
    },
  };
}

interface Connection {
  readonly request: IncomingMessage;
  on(event: 'packet', listener: () => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** A client that sends more packets than a person could cause is cut off, whether or not it has said who it is. */
function guard(connection: Connection, limits: ConnectionLimits, limitsRate: boolean): void {
  const end = (): void => cutOff(connection as unknown as Parameters<typeof cutOff>[0]);
  const release = limits.takeUnnamed(limits.addressOf(connection.request));
  if (!release) {
    end();
    return;
  }
  connection.once('close', release);
  if (!limitsRate) return;
  const bucket = createBucket(PACKETS_AT_ONCE, PACKETS_A_SECOND);
  connection.on('packet', () => {
    if (!bucket.take()) end();
  });
}

/** Browsers send where a page comes from; other programs do not. */
function isAllowedOrigin(allowed: readonly string[], request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

interface Closable {
  readonly readyState: string;
  once(event: 'close', listener: () => void): unknown;
}

function allClosed(connections: readonly Closable[]): Promise<void> {
  return new Promise((resolve) => {
    let open = connections.filter(({ readyState }) => readyState !== 'closed').length;
    if (open === 0) return resolve();
    const timer = setTimeout(resolve, FAREWELL_MS);
    const count = (): void => {
      open -= 1;
      if (open > 0) return;
      clearTimeout(timer);
      resolve();
    };
    for (const connection of connections) if (connection.readyState !== 'closed') connection.once('close', count);
  });
}
