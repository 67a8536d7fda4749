import { request } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import { callerAddress } from '../../src/http/client-address.js';
import { Reply, route } from '../../src/http/route.js';
import { createHttpServer } from '../../src/http/server.js';
import { createLogger } from '../../src/platform/log.js';
import { type SmallApp, type SmallAppOptions, startSmallApp } from '../support/small-app.js';

const open = { tag: 'Things', summary: 'A thing', responses: {}, method: 'get' } as const;
const ROUTES = [
  route({ ...open, path: '/api/mine/', access: 'bearer', handle: () => ({}) }),
  route({ ...open, path: '/api/address/', access: 'public', handle: ({ address }) => ({ address }) }),
  route({ ...open, path: '/api/dear/', access: 'public', cost: 300, handle: () => ({}) }),
  route({ ...open, path: '/livez/', access: 'public', cost: 0, handle: () => ({}) }),
  route({
    ...{ ...open, path: '/api/noted/', access: 'public' },
    handle: ({ note }) => {
      note({ callLogs: 3 });
      return new Reply({}, { status: 202 });
    },
  }),
];

describe('the HTTP frame', () => {
  const opened: SmallApp[] = [];
  after(() => Promise.all(opened.map((app) => app.close())));

  async function start(options: SmallAppOptions = {}): Promise<SmallApp> {
    const app = await startSmallApp(ROUTES, options);
    opened.push(app);
    return app;
  }

  const ask = (app: SmallApp, path: string, headers: Record<string, string> = {}) =>
    fetch(`${app.url}${path}`, { headers });

  it('takes over a request id only when it is harmless', async () => {
    const app = await start();

    const harmless = await ask(app, '/livez', { 'x-request-id': 'abc-1.2_3' });
    const harmful = await ask(app, '/livez', { 'x-request-id': 'a b' });
    const long = await ask(app, '/livez', { 'x-request-id': 'a'.repeat(65) });

    expect(harmless.headers.get('x-request-id')).to.equal('abc-1.2_3');
    expect(harmful.headers.get('x-request-id')).to.match(/^[0-9a-f-]{36}$/);
    expect(long.headers.get('x-request-id')).to.match(/^[0-9a-f-]{36}$/);
  });

  it('allows 600 requests a minute to a user, and tells what is left', async () => {
    const app = await start({ limits: true });
    const mine = () => ask(app, '/api/mine/', { authorization: 'Bearer member' });

    const first = await mine();
    for (let i = 0; i < 599; i += 1) await (await mine()).arrayBuffer();
    const refused = await mine();
    const other = await ask(app, '/api/mine/', { authorization: 'Bearer admin' });

    expect(first.headers.get('ratelimit-policy')).to.equal('"requests";q=600;w=60');
    expect(first.headers.get('ratelimit')).to.equal('"requests";r=599;t=60');
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
    expect(refused.headers.get('ratelimit')).to.match(/^"requests";r=0;t=\d+$/);
    expect(await refused.json()).to.include({ code: 'rate_limited', status: 429 });
    expect(other.status).to.equal(200);
  });

  it('counts those without a token by address, wrong tokens too, and health never', async () => {
    const app = await start({ limits: true });

    const statuses = [];
    for (const path of ['/api/dear/', '/api/dear/', '/api/mine/', '/livez/'])
      statuses.push((await ask(app, path)).status);

    expect(statuses).to.deep.equal([200, 200, 429, 200]);
  });

  it('believes X-Forwarded-For only behind a proxy, and then its last entry', async () => {
    const headers = { 'x-forwarded-for': '6.6.6.6, 192.0.2.7' };
    const [direct, proxied] = [await start(), await start({ trustProxy: true })];

    expect(await (await ask(direct, '/api/address/', headers)).json()).to.deep.equal({ address: '127.0.0.1' });
    expect(await (await ask(proxied, '/api/address/', headers)).json()).to.deep.equal({ address: '192.0.2.7' });
  });

  it('lets browsers in from the configured origins alone', async () => {
    const app = await start({ corsOrigins: ['https://app.example'] });
    const preflight = (origin: string) =>
      fetch(`${app.url}/api/mine/`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'GET' },
      });

    const [known, unknown] = [await preflight('https://app.example'), await preflight('https://evil.example')];

    expect(known.status).to.equal(204);
    expect(known.headers.get('access-control-allow-origin')).to.equal('https://app.example');
    expect(known.headers.get('access-control-allow-headers')).to.include('If-Match, If-None-Match');
    expect(unknown.headers.get('access-control-allow-origin')).to.equal(null);
  });

  it('writes one line a request, with the facts of the handler and without the query', async () => {
    const lines: string[] = [];
    const log = createLogger('info', { write: (line) => void lines.push(line) });
    const app = await start({ log });

    await ask(app, '/api/noted/?number=%2B4930123456');

    expect(lines).to.have.lengthOf(1);
    expect(JSON.parse(lines[0] ?? '')).to.include({ route: '/api/noted/', status: 202, callLogs: 3, msg: 'request' });
    expect(lines[0]).to.not.include('4930123456');
  });

  it('refuses a target that is no address', async () => {
    const app = await start();

    const answers = await Promise.all(
      ['http://[/livez', 'http://a:b/livez', 'http://x:99999/livez', '//['].map((target) => askRaw(app.url, target)),
    );

    for (const answer of answers) expect(answer).to.match(/^HTTP\/1\.1 400 .*"code":"malformed_request"/s);
    expect(await askRaw(app.url, 'http://switchboard/livez')).to.match(/^HTTP\/1\.1 200 /);
  });

  it('counts a whole IPv6 network as one caller', () => {
    expect(callerAddress('::ffff:192.0.2.1')).to.equal('192.0.2.1');
    expect(callerAddress('192.0.2.1')).to.equal('192.0.2.1');
    expect(callerAddress('2001:db8:0:1:aaaa::1')).to.equal('2001:db8:0:1::/64');
    expect(callerAddress('2001:DB8:0:1::')).to.equal('2001:db8:0:1::/64');
    expect(callerAddress('::1')).to.equal('0:0:0:0::/64');
    expect(callerAddress('fe80::1%eth0')).to.equal('fe80:0:0:0::/64');
  });
});

/** The whole answer to a request whose target is sent as it stands here. */
function askRaw(url: string, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
      socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
    );
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('the HTTP server', () => {
  it('closes requests that are not complete after 30 s, and keeps idle connections longer than its clients do', () => {
    const { server } = createHttpServer(() => undefined);

    expect(server.requestTimeout).to.equal(30_000);
    expect(server.headersTimeout).to.equal(30_000);
    expect(server.keepAliveTimeout).to.be.at.least(65_000);
  });

  it('lets go of a client that takes nothing of its answer', async () => {
    const answer = Buffer.alloc(64 * 1024 * 1024);
    const http = createHttpServer((_request, response) => response.end(answer), { stalledMs: 50 });
    const closed = new Promise<void>((resolve) => {
      http.server.once('connection', (accepted) => accepted.once('close', resolve));
    });
    const client = connect(await http.listen('127.0.0.1', 0), '127.0.0.1');
    client.on('error', () => undefined);
    client.pause().write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');

    await closed;

    client.destroy();
    await http.close();
  });

  it('lets a client wait for its answer as long as that takes, and goes on closing idle connections', async () => {
    const http = createHttpServer(
      (_request, response) => void http.server.once('timeout', () => response.end('late')),
      { stalledMs: 50 },
    );
    http.server.keepAliveTimeout = 50;
    const port = await http.listen('127.0.0.1', 0);
    let answer = '';

    await new Promise((resolve) => {
      const client = connect(port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
      client.on('data', (chunk) => {
        answer += chunk;
      });
      client.on('close', resolve);
    });

    expect(answer).to.match(/^HTTP\/1\.1 200 .*late/s);
    await http.close();
  });

  it('finishes the running request when it closes, and lets go of idle connections', async () => {
    let finish = (): void => undefined;
    const http = createHttpServer((_request, response) => {
      finish = () => response.end('whole');
      response.write('half ');
    });
    const port = await http.listen('127.0.0.1', 0);
    const idle = connect(port, '127.0.0.1');
    const answer = new Promise<string>((resolve) => {
      request({ port, agent: false, headers: { connection: 'keep-alive' } }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
          if (text === 'half ') void closing();
        });
        response.on('end', () => resolve(text));
      }).end();
    });
    let closed: Promise<void> | undefined;
    const closing = async (): Promise<void> => {
      closed = http.close();
      setImmediate(() => finish());
    };

    expect(await answer).to.equal('half whole');
    await closed;
    idle.destroy();
  });
});
