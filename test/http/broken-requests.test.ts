import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import { createHttpServer, type HttpServer } from '../../src/http/server.js';

describe('a request that is none', () => {
  const opened: HttpServer[] = [];
  after(() => Promise.all(opened.map((http) => http.close())));

  async function start(listener: RequestListener, requestMs?: number): Promise<number> {
    const http = createHttpServer(listener, requestMs === undefined ? {} : { requestMs });
    opened.push(http);
    return http.listen('127.0.0.1', 0);
  }

  const send = (port: number, text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });

  const cases = [
    ['malformed', 'HELLO\r\n\r\n', 400, 'malformed_request'],
    [
      'too large in its headers',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    ['without a host', 'GET / HTTP/1.1\r\n\r\n', 400, 'malformed_request'],
    [
      'expecting what nobody knows',
      'POST / HTTP/1.1\r\nHost: x\r\nExpect: foo\r\nContent-Length: 0\r\n\r\n',
      ...([417, 'expectation_failed'] as const),
    ],
    ['not complete in time', 'GET / HTTP/1.1\r\nHost', 408, 'request_timeout'],
  ] as const;
  for (const [what, text, status, code] of cases) {
    it(`gets a problem with a request id when it is ${what}`, async () => {
      const port = await start((_request, response) => response.end(), 50);

      const answer = await send(port, text);

      const [head = '', body = ''] = answer.split('\r\n\r\n');
      const problem = JSON.parse(body);
      expect(head).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(head).to.include('Content-Type: application/problem+json');
      expect(head).to.include(`X-Request-Id: ${problem.request_id}`);
      expect(problem).to.include({ type: 'about:blank', status, code });
      expect(problem).to.have.keys('type', 'title', 'status', 'detail', 'code', 'request_id');
    });
  }

  it('needs no host before HTTP/1.1', async () => {
    const port = await start((_request, response) => response.end());

    expect(await send(port, 'GET / HTTP/1.0\r\n\r\n')).to.match(/^HTTP\/1\.1 200 /);
  });

  it('keeps the id that the request has in the log when its body does not come', async () => {
    const port = await start((_request, response) => void response.setHeader('X-Request-Id', 'mine'), 50);

    const answer = await send(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{');

    expect(answer).to.match(/^HTTP\/1\.1 408 /);
    expect(answer).to.include('X-Request-Id: mine\r\n');
  });

  it('is closed also when its client keeps the connection open', async () => {
    const http = createHttpServer((_request, response) => response.end(), { requestMs: 50 });
    opened.push(http);
    const closed = new Promise<void>((resolve) => {
      http.server.once('connection', (accepted) => accepted.once('close', resolve));
    });
    const socket = connect({ port: await http.listen('127.0.0.1', 0), host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost');

    await closed;

    socket.destroy();
  });

  it('gets nothing into an answer that has begun', async () => {
    const port = await start((_request, response) => void response.write('half'), 50);

    const answer = await send(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{').catch(() => 'reset');

    expect(answer).to.not.include('408');
  });
});
