import { expect } from 'chai';
import { unique } from '../../support/system.js';
import { type Bed, type Person, startBed } from './bed.js';

const newAccount = () => ({ name: 'Acme', username: unique('owner'), password: unique('password') });

describe('accounts', () => {
  let bed: Bed;
  let operator: Person;
  before(async () => {
    bed = await startBed();
    operator = await bed.person('operator');
  });
  after(() => bed.stop());

  it('are opened by an operator with their first admin', async () => {
    const wanted = { ...newAccount(), contact_number: '+49 30 123456' };

    const made = await bed.ask('POST', '/api/accounts/', { token: operator.access, json: wanted });

    expect(made.status).to.equal(201);
    expect(made.body).to.have.all.keys('id', 'name', 'is_active', 'created_at', 'user');
    expect(made.body).to.deep.include({ name: 'Acme', is_active: true });
    expect(made.body.user).to.have.all.keys(
      ...['id', 'username', 'role', 'is_active', 'contact_number', 'created_at', 'updated_at'],
    );
    expect(made.body.user).to.deep.include({ username: wanted.username, role: 'admin', contact_number: '+4930123456' });
    expect(made.headers.get('location')).to.equal(`/api/accounts/${made.body.id}/`);
    expect(await bed.signIn(wanted.username, wanted.password)).to.have.property('access');
    const counters = await bed.db('account_counters').where({ account_id: made.body.id });
    expect(counters).to.have.lengthOf(1);
  });

  it('are listed newest first, page by page', async () => {
    for (let i = 0; i < 3; i++) await bed.ask('POST', '/api/accounts/', { token: operator.access, json: newAccount() });

    const all = await bed.ask('GET', '/api/accounts/', { token: operator.access });
    const first = await bed.ask('GET', '/api/accounts/?limit=2', { token: operator.access });
    const [, next = ''] = /<(.+)>; rel="next"/.exec(first.headers.get('link') ?? '') ?? [];
    const second = await bed.ask('GET', next, { token: operator.access });

    const ids = all.body.map(({ id }: { id: string }) => id);
    expect([...ids].sort().reverse()).to.deep.equal(ids);
    expect([...first.body, ...second.body]).to.deep.equal(all.body.slice(0, 4));
  });

  it('are changed', async () => {
    const made = await bed.ask('POST', '/api/accounts/', { token: operator.access, json: newAccount() });
    const path = `/api/accounts/${made.body.id}/`;

    const changed = await bed.ask('PATCH', path, {
      token: operator.access,
      json: { name: 'Acme & Sons', call_retention_days: 90 },
    });

    expect(changed.status).to.equal(200);
    expect(changed.body).to.deep.include({ name: 'Acme & Sons', call_retention_days: 90, is_active: true });
    expect((await bed.ask('GET', path, { token: operator.access })).body).to.deep.equal(changed.body);
  });

  it('refuse a name that is taken, and members that are wrong or unknown', async () => {
    const taken = await bed.ask('POST', '/api/accounts/', {
      token: operator.access,
      json: { ...newAccount(), username: operator.username },
    });
    const wrong = await bed.ask('POST', '/api/accounts/', {
      token: operator.access,
      json: { name: '', username: 'a\u0000', password: 'short', contact_number: '12', colour: 'red' },
    });

    expect(taken.status).to.equal(400);
    expect(taken.body.username).to.deep.equal(['A user with that username already exists.']);
    expect(wrong.status).to.equal(400);
    expect(wrong.body).to.deep.include({
      name: ['This field may not be blank.'],
      username: ['Null characters are not allowed.'],
      password: ['Ensure this field has at least 8 characters.'],
      contact_number: ['Phone number must be 8-15 digits'],
      colour: ['Unknown field.'],
    });
  });

  it('are opened once when twenty ask for one name at once', async () => {
    const wanted = newAccount();

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => bed.ask('POST', '/api/accounts/', { token: operator.access, json: wanted })),
    );

    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).to.deep.equal([201, ...Array(19).fill(400)]);
  });

  it('of the operator stay active', async () => {
    const answer = await bed.ask('PATCH', `/api/accounts/${operator.accountId}/`, {
      token: operator.access,
      json: { is_active: false },
    });

    expect(answer.status).to.equal(409);
    expect(answer.body.code).to.equal('own_account');
  });

  it('are nobody’s business but the operators’', async () => {
    const admin = await bed.person();
    const member = await bed.colleague(admin);
    const own = `/api/accounts/${admin.accountId}/`;

    for (const { access: token } of [admin, member]) {
      for (const [method, path] of [
        ['GET', '/api/accounts/'],
        ['POST', '/api/accounts/'],
        ['GET', own],
        ['PATCH', own],
      ] as const) {
        const answer = await bed.ask(method, path, { token, ...(method !== 'GET' && { json: {} }) });
        expect(answer.status, `${method} ${path}`).to.equal(403);
        expect(answer.body.code).to.equal('permission_denied');
      }
    }
    expect((await bed.ask('POST', '/api/accounts/', { json: newAccount() })).status).to.equal(401);
  });

  it('that are none are not found', async () => {
    for (const id of ['01890000-0000-7000-8000-000000000000', 'abc']) {
      for (const method of ['GET', 'PATCH'])
        expect((await bed.ask(method, `/api/accounts/${id}/`, { token: operator.access })).status).to.equal(404);
    }
  });
});

describe('with SIGNUP=open', () => {
  it('anyone opens an account, and only that', async () => {
    const bed = await startBed({ SIGNUP: 'open' });
    const wanted = newAccount();

    const made = await bed.ask('POST', '/api/accounts/', { json: wanted });
    const admin = await bed.signIn(wanted.username, wanted.password);
    const list = await bed.ask('GET', '/api/accounts/');
    const asAdmin = await bed.ask('GET', '/api/accounts/', { token: admin.access });
    await bed.stop();

    expect(made.status).to.equal(201);
    expect(made.body.user.role).to.equal('admin');
    expect(list.status).to.equal(401);
    expect(asAdmin.status).to.equal(403);
  });
});

describe('a crowd of sign-ups of one address', () => {
  it('stands before nobody’s sign-in', async () => {
    const bed = await startBed({ SIGNUP: 'open' });
    const { username, password } = await bed.person();
    let opened = 0;
    const signUp = async (): Promise<number> => {
      const { status } = await bed.ask('POST', '/api/accounts/', { json: newAccount() });
      opened += 1;
      return status;
    };

    const crowd = Array.from({ length: 40 }, signUp);
    await Promise.race(crowd);
    await bed.signIn(username, password);
    const openedBefore = opened;
    const statuses = await Promise.all(crowd);
    await bed.stop();

    expect(statuses).to.deep.equal(statuses.map(() => 201));
    expect(openedBefore).to.be.below(12);
  });
});

describe('the first operator', () => {
  it('is made up once, whatever number of processes start, and shown', async () => {
    const bed = await startBed();
    const shown: string[] = [];

    await Promise.all([1, 2, 3].map(() => bed.accounts.ensureFirstOperator((text) => void shown.push(text))));
    await bed.accounts.ensureFirstOperator((text) => void shown.push(text));
    const [, username = '', password = ''] = /username: (\S+)\n.*password: (\S+)\n/.exec(shown[0] ?? '') ?? [];
    const pair = await bed.signIn(username, password);
    const status = await bed.status(pair.access, '/api/accounts/');
    await bed.stop();

    expect(shown).to.have.lengthOf(1);
    expect(status).to.equal(200);
  });

  it('is the one of the settings; an existing user is left alone and nothing is shown', async () => {
    const login = { username: 'chief', password: 'the chief’s password' };
    const bed = await startBed({ ADMIN_USERNAME: login.username, ADMIN_PASSWORD: login.password });
    const shown: string[] = [];
    const ensure = () => bed.accounts.ensureFirstOperator((text) => void shown.push(text));

    await Promise.all([ensure(), ensure()]);
    const pair = await bed.signIn(login.username, login.password);
    const change = { current_password: login.password, new_password: 'a password of their own' };
    await bed.ask('POST', '/api/users/me/password/', { token: pair.access, json: change });
    await ensure();
    const renewed = await bed.signIn(login.username, change.new_password);
    const status = await bed.status(renewed.access, '/api/accounts/');
    await bed.stop();

    expect(status).to.equal(200);
    expect(shown).to.deep.equal([]);
  });
});
