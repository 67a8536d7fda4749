import { expect } from 'chai';
import { type Bed, claimsOf, startBed } from '../accounts/bed.js';

const WINDOW = 10;
const INVALID = { detail: 'Token is invalid or expired', code: 'token_not_valid' };

describe('refresh tokens', () => {
  let bed: Bed;
  before(async () => {
    bed = await startBed({ REFRESH_REUSE_WINDOW: String(WINDOW), REFRESH_TOKEN_TTL: '86400' });
  });
  after(() => bed.stop());

  async function refreshed(token: string): Promise<{ access: string; refresh: string }> {
    const answer = await bed.refresh(token);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    return answer.body;
  }

  async function expectTheft(token: string, accessTokens: readonly string[]): Promise<void> {
    const answer = await bed.refresh(token);
    expect(answer.status).to.equal(401);
    expect(answer.body).to.deep.include(INVALID);
    for (const access of accessTokens) expect(await bed.status(access)).to.equal(401);
  }

  it('say what the seed’s say, and whose they are', async () => {
    const demo = await bed.person();

    const access = claimsOf(demo.access);
    const refresh = claimsOf(demo.refresh);

    const claims = ['token_type', 'exp', 'iat', 'jti', 'user_id', 'account_id', 'role', 'sid'];
    expect(Object.keys(access)).to.deep.equal(claims);
    expect(Object.keys(refresh)).to.deep.equal(claims);
    expect(access).to.deep.include({
      token_type: 'access',
      user_id: demo.id,
      account_id: demo.accountId,
      role: 'admin',
    });
    expect(Number(access.exp) - Number(access.iat)).to.equal(300);
    expect(Number(refresh.exp) - Number(refresh.iat)).to.equal(86_400);
    expect(access.jti)
      .to.match(/^[0-9a-f]{32}$/)
      .and.not.equal(refresh.jti);
  });

  it('are answered with a new pair whose access token works', async () => {
    const demo = await bed.person();

    const pair = await refreshed(demo.refresh);

    expect(await bed.status(pair.access)).to.equal(200);
    expect(await bed.status(demo.access)).to.equal(200);
    expect(claimsOf(pair.refresh).jti).not.to.equal(claimsOf(demo.refresh).jti);
  });

  it('may be presented again as long as no successor was', async () => {
    const demo = await bed.person();

    for (let i = 0; i < 4; i++) {
      await refreshed(demo.refresh);
      bed.advance(300);
    }

    expect((await bed.refresh(demo.refresh)).status).to.equal(200);
  });

  it('go on from successor to successor', async () => {
    let { refresh } = await bed.person();

    for (let i = 0; i < 4; i++) ({ refresh } = await refreshed(refresh));

    expect((await bed.refresh(refresh)).status).to.equal(200);
  });

  it('stop the family when one is presented whose successor was', async () => {
    const demo = await bed.person();
    const second = await refreshed(demo.refresh);
    const third = await refreshed(second.refresh);

    await expectTheft(demo.refresh, [demo.access, second.access, third.access]);

    expect((await bed.refresh(third.refresh)).status).to.equal(401);
    expect(bed.hints).to.deep.include({ user_id: demo.id });
  });

  it('stop the family when one is presented whose sibling was', async () => {
    const demo = await bed.person();
    const one = await refreshed(demo.refresh);
    bed.advance(WINDOW + 1);
    const other = await refreshed(demo.refresh);
    await refreshed(one.refresh);

    await expectTheft(other.refresh, [demo.access, one.access, other.access]);
  });

  it('count as one when two tabs got them within the window', async () => {
    const demo = await bed.person();
    const one = await refreshed(demo.refresh);
    bed.advance(WINDOW - 2);
    const other = await refreshed(demo.refresh);

    const afterOne = await refreshed(one.refresh);
    const afterOther = await refreshed(other.refresh);

    expect(await bed.status(afterOne.access)).to.equal(200);
    expect((await bed.refresh(afterOther.refresh)).status).to.equal(200);
    await expectTheft(demo.refresh, [afterOne.access]);
  });

  it('count as one when each of several tabs got its own within the window after another', async () => {
    const demo = await bed.person();
    const tabs = [await refreshed(demo.refresh)];
    for (let i = 0; i < 3; i++) {
      bed.advance(WINDOW - 2);
      tabs.push(await refreshed(demo.refresh));
    }

    for (const { refresh } of tabs.toReversed()) await refreshed(refresh);

    bed.advance(WINDOW + 1);
    await expectTheft(demo.refresh, [demo.access]);
  });

  it('leave the user’s other sign-ins alone', async () => {
    const demo = await bed.person();
    const elsewhere = await bed.signIn(demo.username, demo.password);
    await refreshed((await refreshed(demo.refresh)).refresh);

    await expectTheft(demo.refresh, [demo.access]);

    expect(await bed.status(elsewhere.access)).to.equal(200);
    expect((await bed.refresh(elsewhere.refresh)).status).to.equal(200);
  });

  it('are all answered when twenty tabs present one at once, and count as one', async () => {
    const demo = await bed.person();

    const answers = await Promise.all(Array.from({ length: 20 }, () => bed.refresh(demo.refresh)));

    expect(answers.map(({ status }) => status)).to.deep.equal(Array(20).fill(200));
    expect(new Set(answers.map(({ body }) => body.refresh)).size).to.equal(20);
    const { rows } = await bed.db.raw('select count(*) from token_nodes where family_id = ?', [
      String(claimsOf(demo.refresh).sid),
    ]);
    expect(rows[0].count).to.equal(2);
    for (const { body } of answers.slice(0, 3)) expect((await bed.refresh(body.refresh)).status).to.equal(200);
  });

  it('let one of two holders win a race, never both', async () => {
    const demo = await bed.person();
    const one = await refreshed(demo.refresh);
    bed.advance(WINDOW + 1);
    const other = await refreshed(demo.refresh);

    const answers = await Promise.all([bed.refresh(one.refresh), bed.refresh(other.refresh)]);

    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 401]);
    expect(await bed.status(demo.access)).to.equal(401);
  });

  it('live REFRESH_TOKEN_TTL from their issue, and none longer than the family’s 30 days', async () => {
    const demo = await bed.person();
    const family = Number(claimsOf(demo.refresh).iat) + 30 * 86_400;
    let { refresh } = demo;

    for (let day = 0; day < 30; day++) {
      bed.advance(86_000);
      ({ refresh } = await refreshed(refresh));
      const { exp, iat } = claimsOf(refresh);
      expect(exp).to.equal(Math.min(Number(iat) + 86_400, family));
    }

    expect(claimsOf(refresh).exp).to.equal(family);
    bed.advance(30 * 86_400 - 30 * 86_000);
    expect((await bed.refresh(refresh)).status).to.equal(401);
  });
});

describe('POST /api/token/verify/ and /api/token/blacklist/', () => {
  let bed: Bed;
  before(async () => {
    bed = await startBed();
  });
  after(() => bed.stop());

  const verify = (token: string) => bed.ask('POST', '/api/token/verify/', { json: { token } });
  const blacklist = (refresh: string) => bed.ask('POST', '/api/token/blacklist/', { json: { refresh } });

  it('verifies both tokens of a pair', async () => {
    const demo = await bed.person();

    for (const token of [demo.access, demo.refresh]) {
      const answer = await verify(token);
      expect(answer.status).to.equal(200);
      expect(answer.body).to.deep.equal({});
    }
  });

  it('signs out: the family stops, access tokens included', async () => {
    const demo = await bed.person();

    const answer = await blacklist(demo.refresh);

    expect(answer.status).to.equal(200);
    expect(answer.body).to.deep.equal({});
    expect(await bed.status(demo.access)).to.equal(401);
    for (const token of [demo.access, demo.refresh]) expect((await verify(token)).status).to.equal(401);
    const again = await bed.refresh(demo.refresh);
    expect(again.status).to.equal(401);
    expect(again.body).to.deep.include(INVALID);
    expect((await blacklist(demo.refresh)).status).to.equal(401);
  });

  it('refuses what is no token', async () => {
    for (const answer of [await verify('abc'), await blacklist('abc')]) {
      expect(answer.status).to.equal(401);
      expect(answer.body).to.deep.include(INVALID);
    }
  });

  it('does not take an access token to sign out', async () => {
    const answer = await blacklist((await bed.person()).access);

    expect(answer.status).to.equal(401);
    expect(answer.body).to.deep.include({ detail: 'Token has wrong type', code: 'token_not_valid' });
  });

  it('does not verify a refresh token whose successor was presented', async () => {
    const demo = await bed.person();
    const next = (await bed.refresh(demo.refresh)).body;
    await bed.refresh(next.refresh);

    expect((await verify(demo.refresh)).status).to.equal(401);
    expect(await bed.status(demo.access)).to.equal(200);
  });
});
