import { expect } from 'chai';
import { healthRoutes } from '../../src/http/health.js';
import { createMetrics } from '../../src/platform/metrics.js';
import { startSmallApp } from '../support/small-app.js';
import { startSystem, type TestSystem } from '../support/system.js';
import { until } from '../support/until.js';

describe('health', () => {
  let system: TestSystem;
  before(async () => {
    system = await startSystem();
  });
  after(() => system.stop());

  for (const path of ['/livez', '/livez/']) {
    it(`says at ${path} that the process lives`, async () => {
      const { status, body } = await system.ask('GET', path);

      expect(status).to.equal(200);
      expect(body).to.deep.equal({ status: 'ok' });
    });
  }

  it('says what the process needs and has', async () => {
    const { status, body } = await system.ask('GET', '/readyz');

    expect(status).to.equal(200);
    expect(body).to.deep.equal({ status: 'ok', checks: { database: 'ok', queue: 'ok', backlog: 'ok' } });
  });

  it('looks once for all who ask while it looks', async () => {
    const waiting: ((works: boolean) => void)[] = [];
    const database = () => new Promise<boolean>((resolve) => waiting.push(resolve));
    const app = await startSmallApp(healthRoutes({ checks: { database }, metrics: createMetrics() }));
    let asked = 0;
    app.http.server.on('request', () => {
      asked += 1;
    });
    const ask = () => fetch(`${app.url}/readyz`);

    const first = [ask(), ask(), ask()];
    await until('all have asked', () => asked === 3 && waiting.length > 0);
    waiting.shift()?.(true);
    const statuses = (await Promise.all(first)).map(({ status }) => status);
    const next = ask();
    await until('it looks anew', () => waiting.length > 0);
    waiting.shift()?.(false);

    expect(statuses).to.deep.equal([200, 200, 200]);
    expect((await next).status).to.equal(503);
    await app.close();
  });

  it('shows its metrics', async () => {
    await system.ask('GET', '/livez');

    const { status, headers, body } = await system.ask('GET', '/metrics');

    expect(status).to.equal(200);
    expect(headers.get('content-type')).to.match(/^text\/plain; version=0.0.4/);
    expect(body).to.include('switchboard_http_request_seconds_bucket');
  });

  it('says 503 with what is missing', async () => {
    const lame = await startSystem({ env: { REDIS_URL: 'redis://127.0.0.1:1' } });

    const { status, body } = await lame.ask('GET', '/readyz');

    expect(status).to.equal(503);
    expect(body.checks).to.deep.equal({ database: 'ok', queue: 'failing', backlog: 'ok' });
    await lame.stop();
  });

  it('is there whatever the roles, and nothing else is', async () => {
    const worker = await startSystem({ beside: system, env: { ROLES: 'worker' } });

    expect((await worker.ask('GET', '/livez')).status).to.equal(200);
    expect((await worker.ask('GET', '/api/users/')).status).to.equal(404);
    await worker.stop();
  });

  it('signs people in', async () => {
    const admin = await system.createAdmin();
    const member = await system.createMember(admin);

    expect((await system.ask('GET', '/api/users/me/', { token: member.token })).body).to.include({ role: 'member' });
  });
});
