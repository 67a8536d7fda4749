import { createHmac, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { type Answer, startSystem } from '../support/system.js';
import { until } from '../support/until.js';

describe('a backlog that is full', function () {
  this.timeout(30_000);

  it('is answered 503 with Retry-After, shows at /readyz and /metrics, and stores nothing more', async () => {
    const system = await startSystem({ env: { ROLES: 'api', MAX_BACKLOG: '2' } });
    const { token } = await system.createAdmin();
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const carrier = { provider: 'generic', name: 'switch', credentials: { secret } };
    const { body } = await system.ask('POST', '/api/carriers/', { token, body: carrier });
    const send = (id: string): Promise<Answer> => {
      const text = JSON.stringify({ type: 'call.initiated', call_id: id, direction: 'incoming', from: '+1', to: '+2' });
      const time = String(Math.floor(Date.now() / 1000));
      const key = Buffer.from(secret.slice(6), 'base64');
      const mac = createHmac('sha256', key).update(`${id}.${time}.${text}`).digest('base64');
      const headers = { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${mac}` };
      return system.ask('POST', `/webhooks/${body.id}/`, {
        body: text,
        headers: { ...headers, 'content-type': 'application/json' },
      });
    };

    const accepted = [await send('one'), await send('two')].map(({ status }) => status);
    const refused = await send('three');
    const showsCount = async (): Promise<boolean> => {
      const { body: text } = await system.ask('GET', '/metrics');
      return /^switchboard_webhooks_backlog 2$/m.test(text);
    };
    // The slower the count is, the longer it rests: up to ten seconds.
    await until('the metrics show the count', showsCount, 15_000);
    const ready = await system.ask('GET', '/readyz');
    const metrics = await system.ask('GET', '/metrics');
    const stored = await system.db('seen_webhooks').count().first();
    await system.stop();

    expect(accepted).to.deep.equal([204, 204]);
    expect(refused.status).to.equal(503);
    expect(Number(refused.headers.get('retry-after'))).to.be.above(0);
    expect(ready.body.checks).to.include({ database: 'ok', backlog: 'failing' });
    expect(metrics.body).to.match(/^switchboard_webhooks_backlog 2$/m);
    expect(metrics.body).to.match(/^switchboard_webhooks_received_total\{provider="generic",result="stored"\} 2$/m);
    expect(metrics.body).to.match(
      new RegExp(`^switchboard_webhooks_received_total\\{provider="generic",result="${refused.body.code}"\\} 1$`, 'm'),
    );
    expect(metrics.body).to.match(/^switchboard_webhooks_oldest_seconds \d/m);
    expect(metrics.body).to.match(/^switchboard_database_connections\{state="free"\} \d/m);
    expect(metrics.body).to.match(/^switchboard_queue_jobs\{state="waiting"\} \d/m);
    expect(Number(stored?.count)).to.equal(2);
  });
});
