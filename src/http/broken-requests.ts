import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { v4 } from 'uuid';

interface Broken {
  readonly status: number;
  readonly title: string;
  readonly code: string;
  readonly detail: string;
}

const MALFORMED: Broken = {
  status: 400,
  title: 'Bad Request',
  code: 'malformed_request',
  detail: 'This is no HTTP request.',
};

/** By the code of Node's error; the rest is malformed. */
const BROKEN: Readonly<Record<string, Broken>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    ...{ status: 408, title: 'Request Timeout', code: 'request_timeout' },
    detail: 'The request was not complete in time.',
  },
  HPE_HEADER_OVERFLOW: {
    ...{ status: 431, title: 'Request Header Fields Too Large', code: 'headers_too_large' },
    detail: 'The headers are too large.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    ...{ status: 413, title: 'Payload Too Large', code: 'body_too_large' },
    detail: 'The extensions of a chunk are too large.',
  },
};

const WITHOUT_HOST: Broken = { ...MALFORMED, detail: 'The request names no host.' };

const UNMET: Broken = {
  ...{ status: 417, title: 'Expectation Failed', code: 'expectation_failed' },
  detail: 'No expectation but 100-continue is met.',
};

/** How long whoever is told off may go on holding the connection; at once, what they still send would cost the answer. */
const LINGER_MS = 1000;

/**
 * Requests that end before they are one never reach the frame, and Node answers them without a body. Here they get
 * what every answer has: a problem and a request id. The connection is closed, as nobody knows where the next one begins.
 */
export function answerBrokenRequests(server: Server): void {
  server.on('checkExpectation', (_request, response) => refuse(response, UNMET));
  const answers = new WeakMap<Duplex, ServerResponse>();
  server.on('request', (request, response) => answers.set(request.socket, response));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const answer = answers.get(socket);
    const isOpen = answer !== undefined && !answer.writableFinished;
    if (!socket.writable || error.code === 'ECONNRESET' || (isOpen && answer.headersSent)) {
      socket.destroy(error);
      return;
    }
    const known = isOpen ? answer.getHeader('X-Request-Id') : undefined;
    socket.end(write(BROKEN[error.code ?? ''] ?? MALFORMED, String(known ?? v4())));
    // Node has done with this connection: nobody else closes one whose client does not.
    const linger = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(linger));
  });
}

/** The same of what Node lets through where it is told not to answer itself: it must say which host it is for (RFC 9112, 3.2). */
export const withHost =
  (listener: RequestListener): RequestListener =>
  (request, response) => {
    if (request.headers.host === undefined && request.httpVersion === '1.1') refuse(response, WITHOUT_HOST);
    else listener(request, response);
  };

function refuse(response: ServerResponse, broken: Broken): void {
  const { headers, body } = present(broken, v4());
  response.writeHead(broken.status, broken.title, headers).end(body);
}

function write(broken: Broken, requestId: string): string {
  const { headers, body } = present(broken, requestId);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${broken.status} ${broken.title}`, ...lines, '', body].join('\r\n');
}

function present({ status, title, code, detail }: Broken, requestId: string) {
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, code, request_id: requestId });
  const headers = {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    'X-Request-Id': requestId,
    Connection: 'close',
  };
  return { headers, body };
}
