import { expect } from 'chai';
import { runJob } from '../../support/jobs.js';
import { type Bed, claimsOf, type Person, startBed } from '../accounts/bed.js';

describe('what stops a session', () => {
  let bed: Bed;
  before(async () => {
    bed = await startBed();
  });
  after(() => bed.stop());

  const patch = (by: Person, of: Person, json: unknown) =>
    bed.ask('PATCH', `/api/users/${of.id}/`, { token: by.access, json });

  async function expectStopped(of: Person): Promise<void> {
    expect(await bed.status(of.access)).to.equal(401);
    expect((await bed.refresh(of.refresh)).status).to.equal(401);
    expect(bed.hints).to.deep.include({ user_id: of.id });
  }

  it('is being deactivated, also when activated again', async () => {
    const admin = await bed.person();
    const member = await bed.colleague(admin);

    await patch(admin, member, { is_active: false });

    await expectStopped(member);
    await patch(admin, member, { is_active: true });
    await expectStopped(member);
    expect(await bed.signIn(member.username, member.password)).to.have.property('access');
  });

  it('is a password given by an admin', async () => {
    const admin = await bed.person();
    const member = await bed.colleague(admin);

    await patch(admin, member, { password: 'another password' });

    await expectStopped(member);
    expect(await bed.signIn(member.username, 'another password')).to.have.property('access');
  });

  it('is being deleted', async () => {
    const admin = await bed.person();
    const member = await bed.colleague(admin);

    const answer = await bed.ask('DELETE', `/api/users/${member.id}/`, { token: admin.access });

    expect(answer.status).to.equal(204);
    await expectStopped(member);
  });

  it('is the account being deactivated, until it is activated again', async () => {
    const operator = await bed.person('operator');
    const admin = await bed.person();
    const set = (is_active: boolean) =>
      bed.ask('PATCH', `/api/accounts/${admin.accountId}/`, { token: operator.access, json: { is_active } });

    await set(false);

    expect(await bed.status(admin.access)).to.equal(401);
    expect((await bed.refresh(admin.refresh)).status).to.equal(401);
    const login = { username: admin.username, password: admin.password };
    expect((await bed.ask('POST', '/api/token/', { json: login })).status).to.equal(401);
    expect(bed.hints).to.deep.include({ account_id: admin.accountId });
    await set(true);
    expect(await bed.status(admin.access)).to.equal(200);
  });

  it('is not a changed role, which counts with the next answer whatever the token says', async () => {
    const admin = await bed.person();
    const other = await bed.colleague(admin, 'admin');

    await patch(admin, other, { role: 'member' });

    expect(await bed.status(other.access, '/api/users/')).to.equal(403);
    expect(await bed.status(other.access)).to.equal(200);
    expect(claimsOf(other.access).role).to.equal('admin');
    expect(bed.hints).to.deep.include({ user_id: other.id });
  });

  it('is a changed password of a token that names no session', async () => {
    const admin = await bed.person();
    const member = await bed.colleague(admin);
    const nameless = bed.forge(member.access, { sid: undefined });
    expect(await bed.status(nameless)).to.equal(200);

    await patch(admin, member, { password: 'another password' });

    expect(await bed.status(nameless)).to.equal(401);
    const later = Math.floor(Date.now() / 1000) + 2;
    bed.advance(3);
    expect(await bed.status(bed.forge(nameless, { iat: later }))).to.equal(200);
  });

  it('is never another user’s family', async () => {
    const [one, other] = [await bed.person(), await bed.person()];

    const mixed = bed.forge(one.access, { sid: claimsOf(other.access).sid });

    expect(await bed.status(mixed)).to.equal(401);
  });
});

describe('POST /api/users/me/password/', () => {
  let bed: Bed;
  before(async () => {
    bed = await startBed();
  });
  after(() => bed.stop());

  const change = (by: Person, current_password: string, new_password: string) =>
    bed.ask('POST', '/api/users/me/password/', { token: by.access, json: { current_password, new_password } });

  it('answers a new pair and stops all others', async () => {
    const demo = await bed.person();
    const elsewhere = await bed.signIn(demo.username, demo.password);

    const answer = await change(demo, demo.password, 'a new password');

    expect(answer.status).to.equal(200);
    expect(await bed.status(answer.body.access)).to.equal(200);
    expect((await bed.refresh(answer.body.refresh)).status).to.equal(200);
    for (const access of [demo.access, elsewhere.access]) expect(await bed.status(access)).to.equal(401);
    expect((await bed.refresh(elsewhere.refresh)).status).to.equal(401);
    expect(await bed.signIn(demo.username, 'a new password')).to.have.property('access');
    expect(bed.hints).to.deep.include({ user_id: demo.id });
  });

  it('refuses a wrong current and a short new password', async () => {
    const demo = await bed.person();

    const wrong = await change(demo, 'not the password', 'a new password');
    const short = await change(demo, demo.password, 'short');

    expect(wrong.status).to.equal(400);
    expect(wrong.body.current_password).to.deep.equal(['This is not the current password.']);
    expect(short.status).to.equal(400);
    expect(short.body.new_password).to.deep.equal(['Ensure this field has at least 8 characters.']);
    expect(await bed.status(demo.access)).to.equal(200);
  });

  it('lets one of two at once through', async () => {
    const demo = await bed.person();

    const answers = await Promise.all([
      change(demo, demo.password, 'the first new password'),
      change(demo, demo.password, 'the second new password'),
    ]);

    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 400]);
  });
});

describe('sessions of open sockets', () => {
  let bed: Bed;
  before(async () => {
    bed = await startBed();
  });
  after(() => bed.stop());

  const resolve = (token: unknown) => bed.tokens.sessions.resolveToken(token);

  async function codeOf(work: Promise<unknown>): Promise<unknown> {
    return work.then(
      () => undefined,
      (error: { code: unknown }) => error.code,
    );
  }

  it('begin with an access token or a key', async () => {
    const admin = await bed.person();
    const made = await bed.ask('POST', '/api/api_keys/', {
      token: admin.access,
      json: { name: 'wall', scopes: ['calls:read'] },
    });

    const user = await resolve(admin.access);
    const key = await resolve(made.body.key);

    expect(user).to.deep.include({ kind: 'user', userId: admin.id, accountId: admin.accountId, role: 'admin' });
    expect(user.sessionId).to.equal(claimsOf(admin.access).sid);
    expect(user.expiresAt).to.equal(Number(claimsOf(admin.access).exp) * 1000);
    expect(key).to.deep.include({ kind: 'api_key', apiKeyId: made.body.id, userId: null, role: 'admin' });
  });

  it('are refused with one of two codes', async () => {
    const admin = await bed.person();
    const member = await bed.colleague(admin);
    await bed.ask('DELETE', `/api/users/${member.id}/`, { token: admin.access });

    expect(await codeOf(resolve(''))).to.equal('not_authenticated');
    expect(await codeOf(resolve(undefined))).to.equal('not_authenticated');
    for (const token of ['abc', 'sb_abc', admin.refresh, member.access, bed.forge(admin.access, { exp: 1 })])
      expect(await codeOf(resolve(token))).to.equal('token_not_valid');
  });

  it('are judged anew, many in one statement', async () => {
    const admin = await bed.person();
    const [kept, demoted, deactivated, deleted, signedOut] = await Promise.all(
      (['member', 'admin', 'member', 'member', 'member'] as const).map((role) => bed.colleague(admin, role)),
    );
    const people = [kept, demoted, deactivated, deleted, signedOut] as Person[];
    const actors = await Promise.all(people.map(({ access }) => resolve(access)));
    const key = await bed.ask('POST', '/api/api_keys/', {
      token: admin.access,
      json: { name: 'wall', scopes: ['calls:read'] },
    });
    actors.push(await resolve(key.body.key), await resolve(bed.forge(kept?.access ?? '', { sid: undefined })));
    await bed.ask('PATCH', `/api/users/${demoted?.id}/`, { token: admin.access, json: { role: 'member' } });
    await bed.ask('PATCH', `/api/users/${deactivated?.id}/`, { token: admin.access, json: { is_active: false } });
    await bed.ask('DELETE', `/api/users/${deleted?.id}/`, { token: admin.access });
    await bed.ask('POST', '/api/token/blacklist/', { json: { refresh: signedOut?.refresh } });
    await bed.ask('DELETE', `/api/api_keys/${key.body.id}/`, { token: admin.access });

    const asked: string[] = [];
    const note = ({ sql }: { sql: string }) => void asked.push(sql);
    bed.db.on('query', note);
    const verdicts = await bed.tokens.sessions.checkSessions(actors);
    bed.db.removeListener('query', note);

    expect(verdicts.map(({ isValid }) => isValid)).to.deep.equal([true, true, false, false, false, false, true]);
    expect(verdicts[1]?.role).to.equal('member');
    expect(asked.filter((sql) => sql.includes('token_families'))).to.have.lengthOf(1);
  });

  it('are asked for together by requests that come together', async () => {
    const people = await Promise.all([bed.person(), bed.person(), bed.person()]);
    const asked: string[] = [];
    const note = ({ sql }: { sql: string }) => void asked.push(sql);
    bed.db.on('query', note);

    const actors = await Promise.all(people.flatMap(({ access }) => [resolve(access), resolve(access)]));

    bed.db.removeListener('query', note);
    expect(actors.map(({ userId }) => userId)).to.deep.equal(people.flatMap(({ id }) => [id, id]));
    expect(asked.filter((sql) => sql.includes('token_families'))).to.have.lengthOf(1);
  });
});

describe('ended sign-ins', () => {
  it('are swept away when none of their tokens lives any more', async () => {
    const bed = await startBed();
    const demo = await bed.person();
    await bed.refresh(demo.refresh);
    const count = async () => (await bed.db('token_families').where({ user_id: demo.id })).length;
    const sweep = () => runJob(bed.tokens, 'sweep-tokens');

    await sweep();
    const before = await count();
    bed.advance(86_400 + 7200);
    await sweep();
    const after = await count();
    await bed.stop();

    expect([before, after]).to.deep.equal([1, 0]);
  });
});
