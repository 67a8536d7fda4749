import { createServer, IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { answerBrokenRequests, withHost } from './broken-requests.js';

export interface HttpServer {
  readonly server: Server;
  /** Answers the port. */
  listen(host: string, port: number): Promise<number>;
  /** Takes no new connections, lets running requests finish, then closes what is left. */
  close(): Promise<void>;
}

const REQUEST_MS = 30_000;
/** A client that takes nothing of its answer for so long is let go: what waits for it is memory. */
const STALLED_MS = 60_000;
/** Above the idle times of the pools that carriers and proxies keep, or they write into a connection just closed. */
const KEEP_ALIVE_MS = 75_000;
const FINISH_MS = 3000;

/**
 * A request whose only upgrade is that of Socket.IO to a WebSocket. Where anybody listens to upgrades, Node hands over
 * every request that offers one, and forgets its body; clients such as Java's offer HTTP/2 with each of theirs. A server
 * passes over what it does not want (RFC 9110, 7.8).
 */
class Request extends IncomingMessage {
  // No field with a value: Node sets `upgrade` while it constructs.
  declare private isUpgradeAsked: boolean | null;

  get upgrade(): boolean {
    return this.isUpgradeAsked === true && (this.method === 'CONNECT' || this.isSocketIo());
  }

  set upgrade(isAsked: boolean | null) {
    this.isUpgradeAsked = isAsked;
  }

  private isSocketIo(): boolean {
    return this.url?.startsWith('/socket.io/') === true && /\bwebsocket\b/i.test(this.headers.upgrade ?? '');
  }
}

export interface Patience {
  /** For a request to be complete. */
  readonly requestMs?: number;
  /** For a client to take some of its answer. */
  readonly stalledMs?: number;
}

export function createHttpServer(listener: RequestListener, patience: Patience = {}): HttpServer {
  const { requestMs = REQUEST_MS, stalledMs = STALLED_MS } = patience;
  const server = createServer(
    {
      requestTimeout: requestMs,
      headersTimeout: requestMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // How late the two timeouts above may be noticed.
      connectionsCheckingInterval: Math.min(1000, requestMs),
      requireHostHeader: false,
      IncomingMessage: Request,
    },
    withHost(listener),
  );
  server.timeout = stalledMs;
  answerBrokenRequests(server);
  const leave = trackSockets(server);
  return {
    server,
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          resolve((server.address() as AddressInfo).port);
        });
      }),
    close: () => closeServer(server, leave),
  };
}

/**
 * Answers how to let go of every connection as soon as it has no request in progress. Node's own `closeIdleConnections`
 * leaves those alone that have not sent anything yet, such as a browser opens ahead. Of the connections on which nothing
 * happened for long, idle ones (`keepAliveTimeout`) and those whose client takes nothing of its answer (`timeout`) are
 * closed; one that waits for us is not.
 */
function trackSockets(server: Server): () => void {
  const running = new Map<Socket, number>();
  let isLeaving = false;
  server.on('connection', (socket) => {
    running.set(socket, 0);
    socket.once('close', () => running.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    running.set(socket, (running.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (running.get(socket) ?? 1) - 1;
      if (running.has(socket)) running.set(socket, left);
      if (isLeaving && left === 0) socket.destroySoon();
    });
  });
  server.on('timeout', (socket) => {
    if (running.get(socket) === 0 || socket.writableLength > 0) socket.destroy();
  });
  return () => {
    isLeaving = true;
    for (const [socket, requests] of running) if (requests === 0) socket.destroy();
  };
}

async function closeServer(server: Server, leave: () => void): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), FINISH_MS);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    leave();
  });
}
