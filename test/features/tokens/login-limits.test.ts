import { expect } from 'chai';
import { type Answer, type Bed, type Person, startBed } from '../accounts/bed.js';

describe('failed logins', () => {
  let bed: Bed;
  beforeEach(async () => {
    bed = await startBed({ RATE_LIMITS: 'on', TRUST_PROXY: 'on' });
  });
  afterEach(() => bed.stop());

  const login = (username: string, password: string, address = '192.0.2.1'): Promise<Answer> =>
    bed.ask('POST', '/api/token/', { json: { username, password }, headers: { 'x-forwarded-for': address } });

  const failTimes = (times: number, demo: Person): Promise<Answer[]> =>
    Promise.all(Array.from({ length: times }, () => login(demo.username, 'wrong password')));

  it('are ten a minute for a name from an address, also when they come at once', async () => {
    const demo = await bed.person();

    const statuses = (await failTimes(15, demo)).map(({ status }) => status);

    expect(statuses.filter((status) => status === 401)).to.have.lengthOf(10);
    expect(statuses.filter((status) => status === 429)).to.have.lengthOf(5);
    const refused = await login(demo.username, demo.password);
    expect(refused.status).to.equal(429);
    expect(refused.body.code).to.equal('rate_limited');
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
    expect(refused.headers.get('ratelimit')).to.match(/^"failed-logins";r=0;t=\d+$/);
    expect(refused.headers.get('ratelimit-policy')).to.equal('"failed-logins";q=10;w=60');
    expect((await login(demo.username, demo.password, '192.0.2.2')).status).to.equal(200);
    expect((await login('somebody else', 'wrong password')).status).to.equal(401);
  });

  it('are not counted when they succeed', async () => {
    const demo = await bed.person();

    const answers = await Promise.all(Array.from({ length: 15 }, () => login(demo.username, demo.password)));

    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200]));
  });

  it('are a hundred a minute for an address', async () => {
    const demo = await bed.person();
    const ofAddress = { name: 'failed-logins-of-address', points: 100, seconds: 60 };
    await bed.product.system.platform.limiter.take(ofAddress, '192.0.2.1', 95);
    const before = [];
    for (let i = 0; i < 5; i++) before.push((await login(`nobody-${i}`, 'wrong password')).status);

    const refused = await login(demo.username, demo.password);

    expect(before).to.deep.equal(Array(5).fill(401));
    expect(refused.status).to.equal(429);
    expect((await login(demo.username, demo.password, '192.0.2.2')).status).to.equal(200);
  });

  it('are not one more than a hundred for an address when they come at once', async () => {
    const ofAddress = { name: 'failed-logins-of-address', points: 100, seconds: 60 };
    await bed.product.system.platform.limiter.take(ofAddress, '192.0.2.1', 85);

    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => login(`nobody-${i}`, 'wrong password')));

    expect(answers.filter(({ status }) => status === 401)).to.have.lengthOf(15);
    expect(answers.filter(({ status }) => status === 429)).to.have.lengthOf(5);
  });

  it('count wrong current passwords', async () => {
    const demo = await bed.person();
    const change = () =>
      bed.ask('POST', '/api/users/me/password/', {
        token: demo.access,
        json: { current_password: 'wrong', new_password: 'another password' },
        headers: { 'x-forwarded-for': '192.0.2.1' },
      });

    const statuses = (await Promise.all(Array.from({ length: 12 }, change))).map(({ status }) => status);

    expect(statuses.filter((status) => status === 400)).to.have.lengthOf(10);
    expect(statuses.filter((status) => status === 429)).to.have.lengthOf(2);
  });
});

describe('a failed login', () => {
  it('costs as much for an unknown user as for a wrong password', async () => {
    const bed = await startBed();
    const demo = await bed.person();
    const fail = (username: string) =>
      bed.ask('POST', '/api/token/', { json: { username, password: 'wrong password' } });
    /** Processor time of ten attempts, ms: no other process disturbs it, and a hash is most of an attempt. */
    const costOf = async (username: string): Promise<number> => {
      const before = process.cpuUsage();
      for (let i = 0; i < 10; i++) await fail(username);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    };
    for (const username of [demo.username, 'nobody']) await fail(username);

    const wrong = await costOf(demo.username);
    const unknown = await costOf('somebody');
    await bed.stop();

    expect(unknown / wrong).to.be.within(0.5, 2);
  });
});
