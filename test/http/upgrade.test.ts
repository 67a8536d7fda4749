import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { createHttpServer, type HttpServer } from '../../src/http/server.js';

const H2C = 'Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n';
const WEBSOCKET = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';

describe('a request that offers an upgrade', () => {
  let http: HttpServer;
  let port: number;
  before(async () => {
    http = createHttpServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      response.end(`${request.method} ${request.url} ${Buffer.concat(parts)}`);
    });
    http.server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    port = await http.listen('127.0.0.1', 0);
  });
  after(() => http.close());

  /** What each of the requests is answered, on one connection. */
  async function ask(...requests: string[]): Promise<string[]> {
    const socket = connect(port, '127.0.0.1');
    const answers: string[] = [];
    for (const request of requests) {
      socket.write(request);
      const [answer] = await once(socket, 'data');
      answers.push(String(answer));
    }
    socket.destroy();
    return answers;
  }

  it('is answered as any other, with its body, and so are those after it', async () => {
    const answers = await ask(
      `GET /api/ HTTP/1.1\r\n${H2C}\r\n`,
      `POST /webhooks/ HTTP/1.1\r\n${H2C}Content-Length: 5\r\n\r\nhello`,
      `POST /webhooks/ HTTP/1.1\r\n${H2C}Transfer-Encoding: chunked\r\n\r\n5\r\nworld\r\n0\r\n\r\n`,
      `GET /api/ HTTP/1.1\r\n${WEBSOCKET}\r\n`,
      `GET /socket.io/ HTTP/1.1\r\n${H2C}\r\n`,
      `GET /last/ HTTP/1.1\r\nHost: x\r\n\r\n`,
    );

    expect(answers.map((answer) => answer.split('\r\n\r\n')[1])).to.deep.equal([
      ...['GET /api/ ', 'POST /webhooks/ hello', 'POST /webhooks/ world'],
      ...['GET /api/ ', 'GET /socket.io/ ', 'GET /last/ '],
    ]);
    for (const answer of answers) expect(answer).to.match(/^HTTP\/1\.1 200 /);
  });

  it('is taken up where it is Socket.IO’s to a WebSocket', async () => {
    const [answer] = await ask(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n${WEBSOCKET}\r\n`);

    expect(answer).to.match(/^HTTP\/1\.1 101 /);
  });
});
