import { expect } from 'chai';
import { hasRedis, startSystem, type TestSystem } from '../../support/system.js';

const basic = (password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`token:${password}`).toString('base64')}`,
});

describe("the queue's dashboard", function () {
  this.timeout(20_000);
  let postgres: TestSystem;
  let redis: TestSystem | undefined;
  before(async () => {
    postgres = await startSystem();
    redis = hasRedis() ? await startSystem({ redis: true }) : undefined;
  });
  after(async () => {
    await postgres.stop();
    await redis?.stop();
  });

  it('shows page, files and jobs to an operator, on either backend', async () => {
    for (const system of redis ? [postgres, redis] : [postgres]) {
      const headers = basic((await system.createOperator()).token);
      const page = await system.ask('GET', '/queue/', { headers });
      const script = /src="(static\/js\/main[^"]*)"/.exec(page.body)?.[1];
      const file = await system.ask('GET', `/queue/${script}`, { headers });
      const queues = await system.ask('GET', '/queue/api/queues?activeQueue=switchboard&status=latest', { headers });

      expect(page.status).to.equal(200);
      expect(page.headers.get('content-security-policy')).to.contain("default-src 'none'");
      expect(page.body).to.not.contain('<%').and.not.contain('href="https:');
      expect(file.headers.get('content-type')).to.contain('javascript');
      expect(queues.body.queues[0]).to.include({ name: 'switchboard', readOnlyMode: true });
    }
  });

  it('asks others for an operator, changes nothing, and leaves its folder to nobody', async () => {
    const { token } = await postgres.createOperator();
    const admin = await postgres.createAdmin();
    const ask = async (method: string, path: string, headers: Record<string, string>): Promise<number> =>
      (await postgres.ask(method, path, { headers })).status;

    const nobody = await postgres.ask('GET', '/queue/');
    expect(nobody.status).to.equal(401);
    expect(nobody.headers.get('www-authenticate')).to.match(/^Basic /);
    expect(await ask('GET', '/queue/', basic('wrong'))).to.equal(401);
    expect(await ask('GET', '/queue/', basic(admin.token))).to.equal(403);
    expect(await ask('PUT', '/queue/api/queues/switchboard/pause', basic(token))).to.equal(405);
    expect(await ask('GET', '/queue/static/..%2F..%2Fpackage.json', basic(token))).to.equal(404);
    expect(await ask('GET', '/queue/api/nothing', basic(token))).to.equal(404);
  });

  it('counts jobs for operators alone', async () => {
    const operator = await postgres.createOperator();
    const admin = await postgres.createAdmin();

    const counts = await postgres.ask('GET', '/api/queue/', { token: operator.token });
    const refused = await postgres.ask('GET', '/api/queue/', { token: admin.token });

    expect(counts.body.backend).to.equal('postgresql');
    expect(counts.body.jobs).to.have.all.keys('waiting', 'active', 'delayed', 'failed');
    expect(refused.status).to.equal(403);
  });
});
