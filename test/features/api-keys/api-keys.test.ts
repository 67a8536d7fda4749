import { expect } from 'chai';
import { type Bed, type Person, startBed } from '../accounts/bed.js';

describe('API keys', () => {
  let bed: Bed;
  before(async () => {
    bed = await startBed();
  });
  after(() => bed.stop());

  const create = (by: Person, json: Record<string, unknown> = {}) =>
    bed.ask('POST', '/api/api_keys/', { token: by.access, json: { name: 'wall', scopes: ['users:read'], ...json } });
  const list = async (by: Person) => (await bed.ask('GET', '/api/api_keys/', { token: by.access })).body;

  it('are shown once and stored as a hash', async () => {
    const admin = await bed.person();

    const made = await create(admin);

    expect(made.status).to.equal(201);
    expect(made.body.key).to.match(/^sb_[\w-]{43}$/);
    expect(made.body).to.deep.include({
      name: 'wall',
      scopes: ['users:read'],
      expires_at: null,
      last_used_at: null,
      created_by_user_id: admin.id,
      prefix: made.body.key.slice(0, 9),
    });
    const { key: _, ...rest } = made.body;
    expect(await list(admin)).to.deep.equal([rest]);
    const stored = JSON.stringify(await bed.db('api_keys').where({ id: made.body.id }));
    expect(stored).not.to.include(made.body.key);
  });

  it('act as an admin within their scopes', async () => {
    const admin = await bed.person();
    const { key } = (await create(admin, { scopes: ['users:read'] })).body;

    const read = await bed.ask('GET', '/api/users/', { token: key });
    const write = await bed.ask('POST', '/api/users/', { token: key, json: {} });

    expect(read.status).to.equal(200);
    expect(read.body.map(({ id }: Person) => id)).to.deep.equal([admin.id]);
    expect(write.status).to.equal(403);
    expect(write.body.code).to.equal('insufficient_scope');
    for (const path of ['/api/users/me/', '/api/api_keys/', '/api/accounts/']) {
      const answer = await bed.ask('GET', path, { token: key });
      expect(answer.status, path).to.equal(403);
      expect(answer.body.code).to.equal('insufficient_scope');
    }
  });

  it('add users but make no operator', async () => {
    const { key } = (await create(await bed.person('operator'), { scopes: ['users:write'] })).body;
    const user = (role: string) => ({ username: `by-key-${role}`, password: 'by key, by key', role });

    expect((await bed.ask('POST', '/api/users/', { token: key, json: user('member') })).status).to.equal(201);
    expect((await bed.ask('POST', '/api/users/', { token: key, json: user('operator') })).status).to.equal(403);
  });

  it('stop at once when they are deleted', async () => {
    const admin = await bed.person();
    const { id, key } = (await create(admin)).body;
    expect(await bed.status(key, '/api/users/')).to.equal(200);

    const deleted = await bed.ask('DELETE', `/api/api_keys/${id}/`, { token: admin.access });

    expect(deleted.status).to.equal(204);
    const refused = await bed.ask('GET', '/api/users/', { token: key });
    expect(refused.status).to.equal(401);
    expect(refused.body).to.deep.include({
      detail: 'Given token not valid for any token type',
      code: 'token_not_valid',
    });
    expect(await list(admin)).to.deep.equal([]);
    expect(bed.hints).to.deep.include({ api_key_id: id });
    expect((await bed.ask('DELETE', `/api/api_keys/${id}/`, { token: admin.access })).status).to.equal(404);
  });

  it('end when they were told to, and with their account', async () => {
    const operator = await bed.person('operator');
    const admin = await bed.person();
    const expires_at = new Date(Date.now() + 60_000).toISOString();
    const short = (await create(admin, { expires_at })).body;
    const long = (await create(admin)).body;
    expect(short.expires_at).to.equal(expires_at);
    expect(await bed.status(short.key, '/api/users/')).to.equal(200);

    bed.advance(61);

    expect(await bed.status(short.key, '/api/users/')).to.equal(401);
    expect(await bed.status(long.key, '/api/users/')).to.equal(200);
    await bed.ask('PATCH', `/api/accounts/${admin.accountId}/`, {
      token: operator.access,
      json: { is_active: false },
    });
    expect(await bed.status(long.key, '/api/users/')).to.equal(401);
  });

  it('note their use once a minute', async () => {
    const admin = await bed.person();
    const { key } = (await create(admin)).body;
    const used = async () => {
      await bed.status(key, '/api/users/');
      return (await list(admin))[0].last_used_at;
    };

    const first = await used();
    const again = await used();
    bed.advance(61);
    const later = await used();

    expect(first).to.be.a('string');
    expect(again).to.equal(first);
    expect(Date.parse(later) - Date.parse(first)).to.be.at.least(60_000);
  });

  it('are told what is wrong with every member', async () => {
    const admin = await bed.person();
    const sentence = async (member: string, value: unknown) => {
      const answer = await create(admin, { [member]: value });
      expect(answer.status).to.equal(400);
      return answer.body[member];
    };

    expect(await sentence('name', '')).to.deep.equal(['This field may not be blank.']);
    expect(await sentence('scopes', [])).to.deep.equal(['At least 1 entries are needed.']);
    expect((await sentence('scopes', ['calls:fly']))[0]).to.match(/^Must be one of: numbers:read, /);
    expect(await sentence('scopes', 'calls:read')).to.deep.equal(['Must be a list.']);
    for (const time of ['soon', '2030-02-31T00:00:00Z', '+275760-09-13T00:00:00Z']) {
      expect(await sentence('expires_at', time)).to.deep.equal(['Not a valid time (ISO 8601).']);
    }
    expect(await sentence('expires_at', '2020-01-01T00:00:00Z')).to.deep.equal(['Must be in the future.']);
    expect(await sentence('key', 'sb_mine')).to.deep.equal(['Unknown field.']);
  });

  it('of another account are not found', async () => {
    const [admin, other] = [await bed.person(), await bed.person()];
    const { id, key } = (await create(other)).body;

    expect((await bed.ask('DELETE', `/api/api_keys/${id}/`, { token: admin.access })).status).to.equal(404);
    expect(await list(admin)).to.deep.equal([]);
    expect(await bed.status(key, '/api/users/')).to.equal(200);
  });

  it('that are made up are refused', async () => {
    expect(await bed.status('sb_', '/api/users/')).to.equal(401);
    expect(await bed.status(`sb_${'x'.repeat(43)}`, '/api/users/')).to.equal(401);
  });
});
