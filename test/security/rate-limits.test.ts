import { expect } from 'chai';
import { pauseAfter } from '../../src/features/tokens/login-limits.js';
import { createFairShare } from '../../src/http/fair-share.js';
import { type Answer, startSystem, type TestSystem } from '../support/system.js';

const remaining = ({ headers }: Answer): number => Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1]);

describe('rate limits of requests', () => {
  let system: TestSystem;
  before(async () => {
    system = await startSystem({ env: { RATE_LIMITS: 'on' } });
  });
  after(() => system.stop());

  it('take one for each request, whatever it costs', async () => {
    const { token } = await system.createAdmin();
    const ask = (path: string) => system.ask('GET', path, { token });

    const start = remaining(await ask('/api/users/me/'));
    const afterPlain = remaining(await ask('/api/users/me/'));
    const afterExport = remaining(await ask('/api/call_logs/export/?format=csv'));
    const afterReport = remaining(await ask('/api/reports/calls/'));

    expect([afterPlain, afterExport, afterReport]).to.deep.equal([start - 1, start - 2, start - 3]);
  });

  it('are each user’s and each key’s own', async () => {
    const admin = await system.createAdmin();
    const member = await system.createMember(admin);
    const key = await system.ask('POST', '/api/api_keys/', {
      token: admin.token,
      body: { name: 'robot', scopes: ['numbers:read'] },
    });
    const ask = (token: string) => system.ask('GET', '/api/virtual_numbers/', { token });
    for (let i = 0; i < 20; i++) await ask(admin.token);

    expect(remaining(await ask(admin.token))).to.be.below(580);
    expect(remaining(await ask(member.token))).to.equal(599);
    expect(remaining(await ask(key.body.key))).to.equal(599);
  });

  it('take as much for a method that is not allowed, and at the dashboard of the queue', async () => {
    const { token } = await system.createOperator();
    const ask = (method: string, path: string, given: string) => system.ask(method, path, { token: given });

    const start = remaining(await ask('GET', '/api/users/me/', token));
    const notAllowed = await ask('PUT', '/api/users/', token);
    const page = await ask('GET', '/queue/', token);
    const first = remaining(await ask('GET', '/queue/', 'guess'));
    const guess = await ask('GET', '/api/users/me/', 'another');

    expect([notAllowed.status, page.status, guess.status]).to.deep.equal([405, 200, 401]);
    expect([remaining(notAllowed), remaining(page)]).to.deep.equal([start - 1, start - 2]);
    expect(remaining(guess)).to.equal(first - 1);
  });

  it('tell the policy in the standard headers, and when to come again', async () => {
    const { token } = await system.createAdmin();
    const ask = () => system.ask('GET', '/api/users/me/', { token });

    for (let i = 0; i < 600; i++) expect((await ask()).status).to.equal(200);
    const answer = await ask();

    expect(answer.status).to.equal(429);
    expect(answer.body.code).to.equal('rate_limited');
    expect(answer.headers.get('ratelimit-policy')).to.equal('"requests";q=600;w=60');
    expect(Number(answer.headers.get('retry-after'))).to.be.within(1, 60);
  });
});

describe('the rate limit of an address', () => {
  it('counts sign-ins and refreshes apart from what else comes without a caller', async () => {
    const system = await startSystem({ env: { RATE_LIMITS: 'on' } });
    const { username, password } = await system.createAdmin();
    const verify = () => system.ask('POST', '/api/token/verify/', { body: { token: 'x' } });
    for (let i = 0; i < 600; i++) await verify();

    expect((await verify()).status).to.equal(429);
    const signedIn = await system.ask('POST', '/api/token/', { body: { username, password } });
    expect(signedIn.status).to.equal(200);
    const refreshed = await system.ask('POST', '/api/token/refresh/', { body: { refresh: signedIn.body.refresh } });
    expect(refreshed.status).to.equal(200);
    await system.stop();
  });
});

describe('waits after failed logins', () => {
  it('grow with every failure on a name, and end at five seconds', () => {
    const waits = [0, 19, 20, 30, 50, 80, 5000].map(pauseAfter);

    expect(waits).to.deep.equal([0, 0, 100, 200, 800, 5000, 5000]);
  });

  it('grow with every share of a minute that is used up', async () => {
    const system = await startSystem({ env: { RATE_LIMITS: 'on' } });
    const { username, password } = await system.createAdmin();
    const { limiter } = system.system.platform;
    const { createHash } = await import('node:crypto');
    const key = createHash('sha256').update(`${username}\n127.0.0.1`).digest('base64url');
    await limiter.take({ name: 'failed-logins-long', points: 30, seconds: 900 }, key, 30);

    const refused = await system.ask('POST', '/api/token/', { body: { username, password } });
    await system.stop();

    expect(refused.status).to.equal(429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(840, 900);
    expect(refused.headers.get('ratelimit-policy')).to.equal('"failed-logins-long";q=30;w=900');
  });
});

describe('the lane of an account', () => {
  it('lets a noisy account wait for itself alone', async () => {
    const share = createFairShare({ atOnce: 2, mostWaiting: 10 });
    const order: string[] = [];
    const releases: (() => void)[] = [];
    const held = () => new Promise<void>((resolve) => releases.push(resolve));
    const work = async (i: number) => {
      await held();
      order.push(`noisy ${i}`);
    };
    const noisy = Array.from({ length: 6 }, (_, i) => share('noisy', () => work(i)));

    await share('quiet', async () => order.push('quiet'));

    expect(order).to.deep.equal(['quiet']);
    expect(releases).to.have.lengthOf(2);
    while (order.length < 7) {
      releases.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(noisy);
  });

  it('is not endless', async () => {
    const share = createFairShare({ atOnce: 1, mostWaiting: 1 });
    let release = (): void => undefined;
    const running = share('noisy', () => new Promise<void>((resolve) => (release = resolve)));
    const waiting = share('noisy', () => undefined);
    await new Promise((resolve) => setImmediate(resolve));

    const refused = await share('noisy', () => undefined).catch((error) => error);

    expect(refused.kind).to.equal('rate_limited');
    release();
    await Promise.all([running, waiting]);
  });
});
