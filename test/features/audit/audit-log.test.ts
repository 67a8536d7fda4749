import { expect } from 'chai';
import { newId } from '../../../src/lib/ids.js';
import { type Answer, startSystem, type TestSystem, unique } from '../../support/system.js';
import { until } from '../../support/until.js';

describe('the audit log', () => {
  let system: TestSystem;
  before(async () => {
    system = await startSystem();
  });
  after(() => system.stop());

  const log = async (token: string, query = ''): Promise<Answer> =>
    system.ask('GET', `/api/audit_log/${query}`, { token });

  /** The newest entries of the action. */
  // biome-ignore lint/suspicious/noExplicitAny: the test says what it expects
  const entries = async (token: string, action: string): Promise<any[]> => (await log(token, `?action=${action}`)).body;

  it('tells a change with its actor, address, request, before and after', async () => {
    const admin = await system.createAdmin();
    const member = await system.createMember(admin);

    const changed = await system.ask('PATCH', `/api/users/${member.userId}/`, {
      token: admin.token,
      body: { role: 'admin', password: 'a new password of theirs' },
    });

    const [entry] = await entries(admin.token, 'user.updated');
    expect(entry).to.deep.include({
      action: 'user.updated',
      outcome: 'succeeded',
      actor_type: 'user',
      actor_user_id: admin.userId,
      actor_api_key_id: null,
      address: '127.0.0.1',
      request_id: changed.headers.get('x-request-id'),
      object_type: 'user',
      object_id: member.userId,
      members: ['role', 'password'],
      before: { role: 'member' },
      after: { role: 'admin' },
    });
  });

  it('tells a change by a request with half a character in it', async () => {
    const admin = await system.createAdmin();
    await system.ask('POST', '/api/virtual_numbers/create/', {
      ...{ token: admin.token, body: '{"phone_number":"+4930555009","\\ud800":"\\u0000"}' },
      headers: { 'content-type': 'application/json' },
    });

    const [created] = await entries(admin.token, 'virtual_number.created');

    expect(created.outcome).to.equal('succeeded');
    expect(created.members).to.deep.equal(['phone_number', '\ufffd']);
  });

  it('refuses times that there are none of', async () => {
    const { token } = await system.createAdmin();

    for (const time of ['-271821-04-20T00:00:00Z', '275760-09-13', 'yesterday'])
      expect((await log(token, `?created_after=${time}`)).body).to.deep.include({
        created_after: ['Not a valid time (ISO 8601).'],
      });
  });

  it('tells what was made, and what was there before it was deleted', async () => {
    const admin = await system.createAdmin();
    const made = await system.ask('POST', '/api/virtual_numbers/', {
      token: admin.token,
      body: { phone_number: '+4930555001', label: 'desk' },
    });

    await system.ask('DELETE', `/api/virtual_numbers/${made.body.id}/`, { token: admin.token });

    const [created] = await entries(admin.token, 'virtual_number.created');
    const [deleted] = await entries(admin.token, 'virtual_number.deleted');
    expect(created.object_id).to.equal(made.body.id);
    expect(created.before).to.equal(null);
    expect(created.after.label).to.equal('desk');
    expect(deleted.object_id).to.equal(made.body.id);
    expect(deleted.before.label).to.equal('desk');
    expect(deleted.after).to.equal(null);
  });

  it('tells of changes by an API key under the key', async () => {
    const admin = await system.createAdmin();
    const scopes = ['numbers:write', 'users:read'];
    const key = await system.ask('POST', '/api/api_keys/', { token: admin.token, body: { name: 'robot', scopes } });

    await system.ask('POST', '/api/virtual_numbers/', { token: key.body.key, body: { phone_number: '+4930555002' } });

    const [entry] = await entries(key.body.key, 'virtual_number.created');
    expect(entry).to.deep.include({ actor_type: 'api_key', actor_user_id: null, actor_api_key_id: key.body.id });
    const [made] = await entries(admin.token, 'api_key.created');
    expect(made.after.key).to.equal('[secret]');
    expect(JSON.stringify((await log(admin.token)).body)).to.not.include(key.body.key);
  });

  it('tells of work that is answered while it is done only when it has ended, and whether it was broken off', async () => {
    const admin = await system.createAdmin();
    const numbers = Array.from({ length: 4000 }, (_, place) => `+49305${String(place).padStart(6, '0')}`);
    const headers = {
      ...{ authorization: `Bearer ${admin.token}`, accept: 'application/x-ndjson' },
      'content-type': 'application/json',
    };
    const begin = (rows: readonly string[], signal: AbortSignal) =>
      fetch(new URL('/api/virtual_numbers/bulk/', system.url), {
        ...{ method: 'POST', headers, signal, body: JSON.stringify({ numbers: rows }) },
      });
    const outcomes = async () =>
      (await entries(admin.token, 'virtual_number.bulk')).map(({ outcome }: { outcome: string }) => outcome);

    const left = new AbortController();
    const broken = await begin(numbers, left.signal);
    await broken.body?.getReader().read();
    expect(await outcomes()).to.deep.equal([]);
    left.abort();
    await until('the broken work is told', async () => (await outcomes()).length === 1);
    await (await begin(numbers.slice(0, 3), new AbortController().signal)).text();
    await until('the whole work is told', async () => (await outcomes()).length === 2);

    expect(await outcomes()).to.deep.equal(['succeeded', 'unknown']);
  });

  it('tells nothing of what was refused', async () => {
    const admin = await system.createAdmin();
    const ask = (method: string, path: string, body: unknown) => system.ask(method, path, { token: admin.token, body });

    await ask('POST', '/api/virtual_numbers/', { phone_number: 'none' });
    await ask('PATCH', `/api/users/${newId()}/`, { role: 'admin' });
    await ask('PATCH', `/api/users/${admin.userId}/`, { role: 'member' });
    await ask('POST', '/api/virtual_numbers/bulk/?dry_run=true', { numbers: [{ phone_number: '+4930555003' }] });

    const actions = (await log(admin.token)).body.map(({ action }: { action: string }) => action);
    expect(actions).to.deep.equal(['sign_in']);
    expect(await system.db('audit_intents').select('id')).to.deep.equal([]);
  });

  it('tells both accounts what an operator does to one', async () => {
    const operator = await system.createOperator();
    const login = { username: unique('owner'), password: unique('password') };
    const made = await system.ask('POST', '/api/accounts/', {
      token: operator.token,
      body: { name: 'Acme', ...login },
    });
    const owner = (await system.ask('POST', '/api/token/', { body: login })).body.access;

    await system.ask('PATCH', `/api/accounts/${made.body.id}/`, { token: operator.token, body: { name: 'Acme Ltd' } });

    const [ours] = await entries(operator.token, 'account.updated');
    const [theirs] = await entries(owner, 'account.updated');
    expect(ours).to.deep.include({ actor_type: 'user', actor_user_id: operator.userId, after: { name: 'Acme Ltd' } });
    expect(theirs).to.deep.include({ actor_type: 'operator', actor_user_id: null, address: null });
    expect(theirs).to.deep.include({ before: { name: 'Acme' }, after: { name: 'Acme Ltd' } });
  });

  it('is for admins and keys that may read users, each of their own account', async () => {
    const [admin, stranger] = [await system.createAdmin(), await system.createAdmin()];
    const member = await system.createMember(admin);
    const key = await system.ask('POST', '/api/api_keys/', {
      token: admin.token,
      body: { name: 'numbers alone', scopes: ['numbers:read'] },
    });

    expect((await log(member.token)).status).to.equal(403);
    expect((await log(key.body.key)).body.code).to.equal('insufficient_scope');
    expect((await log(admin.token, '?account_id=none')).status).to.equal(403);
    const theirs = (await log(stranger.token, '?limit=500')).body;
    expect(theirs.every(({ object_id }: { object_id: string }) => object_id === stranger.userId)).to.equal(true);
  });

  it('pages newest first and takes filters', async () => {
    const admin = await system.createAdmin();
    const begun = new Date().toISOString();
    const labels = ['a', 'b', 'c', 'd', 'e'];
    const { body: number } = await system.ask('POST', '/api/virtual_numbers/', {
      token: admin.token,
      body: { phone_number: '+4930555004' },
    });
    for (const label of labels)
      await system.ask('PATCH', `/api/virtual_numbers/${number.id}/`, { token: admin.token, body: { label } });

    const first = await log(admin.token, `?object_id=${number.id}&action=virtual_number.updated&limit=3`);
    const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await system.ask('GET', next, { token: admin.token });

    const seen = [...first.body, ...second.body].map(({ after }: { after: { label: string } }) => after.label);
    expect(seen).to.deep.equal([...labels].reverse());
    expect(second.headers.get('link')).to.equal(null);
    expect((await log(admin.token, `?created_before=${begun}`)).body.length).to.equal(1);
    expect((await log(admin.token, `?actor_user_id=${admin.userId}&created_after=${begun}`)).body.length).to.equal(6);
    expect((await log(admin.token, '?object_id=me')).body.object_id).to.deep.equal(['Not a valid id.']);
    expect((await log(admin.token, '?colour=red')).status).to.equal(400);
  });

  it('keeps what was written, but for retention by hand', async () => {
    const admin = await system.createAdmin();
    const mine = { account_id: admin.accountId };
    const refusal = async (work: PromiseLike<unknown>): Promise<string> => {
      try {
        await work;
        return 'done';
      } catch (error) {
        return (error as Error).message;
      }
    };

    const messages = [
      await refusal(system.db('audit_log').where(mine).update({ action: 'nothing' })),
      await refusal(system.db('audit_log').where(mine).delete()),
      await refusal(system.db.raw('truncate audit_log')),
    ];

    for (const message of messages) expect(message).to.include('the audit log is append-only');
    expect((await log(admin.token)).body).to.have.lengthOf(1);
    await system.system.features.audit.prune(new Date(Date.now() + 1000));
    expect((await log(admin.token)).body).to.deep.equal([]);
  });

  it('tells of a change whose process died before it could say how it ended', async () => {
    const admin = await system.createAdmin();
    const { trail } = system.system.features.audit;
    await trail({
      actor: { kind: 'user', ...admin, apiKeyId: null, role: 'admin', scopes: null, sessionId: null, expiresAt: null },
      ...{ address: '192.0.2.7', requestId: 'r-1', action: 'carrier.updated', objectType: 'carrier' },
      ...{ objectId: newId(), members: ['name'], before: { name: 'old' } },
    });
    const hourAgo = new Date(Date.now() - 3_600_000);
    await system.db('audit_intents').update({ begun_at: hourAgo });

    await system.system.features.audit.sweep();

    const [entry] = await entries(admin.token, 'carrier.updated');
    expect(entry).to.deep.include({ outcome: 'unknown', before: { name: 'old' }, after: null, address: '192.0.2.7' });
  });
});

describe('sign-ins in the audit log', () => {
  let system: TestSystem;
  before(async () => {
    system = await startSystem();
  });
  after(() => system.stop());

  it('are told with how they ended', async () => {
    const admin = await system.createAdmin();
    const signIn = (username: string, password: string) =>
      system.ask('POST', '/api/token/', { body: { username, password } });

    await signIn(admin.username, 'a wrong password');
    const { refresh } = (await signIn(admin.username, admin.password)).body;
    await system.ask('POST', '/api/token/blacklist/', { body: { refresh } });
    const password = { current_password: admin.password, new_password: 'another good password' };
    const pair = await system.ask('POST', '/api/users/me/password/', { token: admin.token, body: password });

    const { body } = await system.ask('GET', '/api/audit_log/', { token: pair.body.access });
    const told = body.map(({ action, outcome }: Record<string, string>) => [action, outcome]).reverse();
    expect(told).to.deep.equal([
      ['sign_in', 'succeeded'],
      ['sign_in', 'failed'],
      ['sign_in', 'succeeded'],
      ['sign_out', 'succeeded'],
      ['password.changed', 'succeeded'],
    ]);
    const failed = body.find(({ outcome }: Record<string, string>) => outcome === 'failed');
    expect(failed).to.deep.include({ actor_type: 'anonymous', object_id: admin.userId, address: '127.0.0.1' });
    expect(failed.after).to.deep.equal({ username: admin.username, reason: 'wrong_password' });
    for (const secret of [admin.password, 'a wrong password', 'another good password', refresh])
      expect(JSON.stringify(body)).to.not.include(secret);
  });

  it('under names that nobody has are shown to operators, without the name', async () => {
    const operator = await system.createOperator();
    const typed = unique('perhaps-a-password');

    await system.ask('POST', '/api/token/', { body: { username: typed, password: 'whatever else' } });

    const { body } = await system.ask('GET', '/api/audit_log/?account_id=none', { token: operator.token });
    expect(body[0].after.reason).to.equal('unknown_username');
    expect(body[0].after.username_sha256).to.match(/^[0-9a-f]{16}$/);
    expect(JSON.stringify(body)).to.not.include(typed);
  });

  it('tell of a stolen refresh token', async () => {
    const admin = await system.createAdmin();
    const { username, password } = admin;
    const { refresh } = (await system.ask('POST', '/api/token/', { body: { username, password } })).body;
    const renew = (token: string) => system.ask('POST', '/api/token/refresh/', { body: { refresh: token } });
    const { refresh: second } = (await renew(refresh)).body;
    await renew(second);

    const stolen = await renew(refresh);

    expect(stolen.status).to.equal(401);
    const { body } = await system.ask('GET', '/api/audit_log/?action=refresh.theft', { token: admin.token });
    expect(body).to.have.lengthOf(1);
    expect(body[0]).to.deep.include({ outcome: 'failed', object_id: admin.userId, address: '127.0.0.1' });
  });
});
