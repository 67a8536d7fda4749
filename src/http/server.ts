import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpServer {
  readonly server: Server;
  /** Answers the port. */
  listen(host: string, port: number): Promise<number>;
  /** Takes no new connections, lets running requests finish, then closes what is left. */
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 30_000;
/** Above the idle times of the pools that carriers and proxies keep, or they write into a connection just closed. */
const KEEP_ALIVE_MS = 75_000;
const FINISH_MS = 3000;

export function createHttpServer(listener: RequestListener): HttpServer {
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // How late the two timeouts above may be noticed.
      connectionsCheckingInterval: 1000,
    },
    listener,
  );
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
    close: () => closeServer(server),
  };
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => {
    // Connections that answer their last request now become idle one by one.
    const idle = setInterval(() => server.closeIdleConnections(), 25);
    const late = setTimeout(() => server.closeAllConnections(), FINISH_MS);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(late);
      resolve();
    });
  });
}
