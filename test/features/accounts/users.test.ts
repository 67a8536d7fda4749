import { expect } from 'chai';
import { newId } from '../../../src/lib/ids.js';
import { unique } from '../../support/system.js';
import { type Bed, type Person, startBed } from './bed.js';

describe('users', () => {
  let bed: Bed;
  before(async () => {
    bed = await startBed();
  });
  after(() => bed.stop());

  const create = (by: Person, json: Record<string, unknown> = {}) =>
    bed.ask('POST', '/api/users/', {
      token: by.access,
      json: { username: unique('user'), password: unique('password'), ...json },
    });
  const change = (by: Person, id: string, json: unknown) =>
    bed.ask('PATCH', `/api/users/${id}/`, { token: by.access, json });
  const remove = (by: Person, id: string) => bed.ask('DELETE', `/api/users/${id}/`, { token: by.access });

  it('are added as members unless told otherwise', async () => {
    const admin = await bed.person();

    const made = await create(admin, { contact_number: 4930123456 });

    expect(made.status).to.equal(201);
    expect(made.body).to.have.all.keys(
      ...['id', 'username', 'role', 'is_active', 'contact_number', 'created_at', 'updated_at'],
    );
    expect(made.body).to.deep.include({ role: 'member', is_active: true, contact_number: '+4930123456' });
    expect(made.body.created_at).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect((await bed.ask('GET', `/api/users/${made.body.id}/`, { token: admin.access })).body).to.deep.equal(
      made.body,
    );
    expect((await create(admin, { role: 'admin' })).body.role).to.equal('admin');
  });

  it('have no halves of characters in their name', async () => {
    const answer = await create(await bed.person(), { username: 'half of \ud83d' });

    expect([answer.status, answer.body.username]).to.deep.equal([400, ['Not a valid string.']]);
  });

  it('are not found where they were deleted meanwhile', async () => {
    const { accountId } = await bed.person();
    const gone = { accountId, id: newId() };

    const changed = await bed.accounts.users.changeContactNumber(gone, '+4930123456').catch((error) => error);

    expect(changed).to.include({ kind: 'not_found', message: 'No such user.' });
  });

  it('are listed newest first, page by page, without those of others', async () => {
    const admin = await bed.person();
    await bed.person();
    for (let i = 0; i < 3; i++) await create(admin);

    const all = await bed.ask('GET', '/api/users/', { token: admin.access });
    const first = await bed.ask('GET', '/api/users/?limit=3', { token: admin.access });
    const [, next = ''] = /<(.+)>; rel="next"/.exec(first.headers.get('link') ?? '') ?? [];
    const second = await bed.ask('GET', next, { token: admin.access });

    expect(all.body).to.have.lengthOf(4);
    expect(all.body[3].id).to.equal(admin.id);
    expect([...first.body, ...second.body]).to.deep.equal(all.body);
    expect(second.headers.get('link')).to.equal(null);
    for (const query of ['limit=0', 'limit=501', 'limit=x', 'cursor=x', 'colour=red'])
      expect((await bed.ask('GET', `/api/users/?${query}`, { token: admin.access })).status, query).to.equal(400);
  });

  it('have a name of their own in the installation, and a contact number in the account', async () => {
    const [admin, other] = [await bed.person(), await bed.person()];
    const first = await create(admin, { contact_number: '+4930111111' });

    const sameName = await create(other, { username: ` ${first.body.username} ` });
    const sameNumber = await create(admin, { contact_number: '49 30 111111' });
    const elsewhere = await create(other, { contact_number: '+4930111111' });

    expect(sameName.status).to.equal(400);
    expect(sameName.body.username).to.deep.equal(['A user with that username already exists.']);
    expect(sameNumber.status).to.equal(400);
    expect(sameNumber.body.contact_number).to.deep.equal(['Contact number already exists.']);
    expect(elsewhere.status).to.equal(201);
    expect((await change(admin, admin.id, { contact_number: '+4930111111' })).status).to.equal(400);
  });

  it('are told what is wrong with every member', async () => {
    const admin = await bed.person();
    const sentence = async (json: Record<string, unknown>) => {
      const answer = await create(admin, json);
      expect(answer.status, JSON.stringify(json)).to.equal(400);
      return Object.values(json).length === 1 ? answer.body[Object.keys(json)[0] ?? ''] : answer.body;
    };

    expect(await sentence({ username: '  ' })).to.deep.equal(['This field may not be blank.']);
    expect(await sentence({ username: 5 })).to.deep.equal(['Not a valid string.']);
    expect(await sentence({ username: 'x'.repeat(151) })).to.deep.equal([
      'Ensure this field has no more than 150 characters.',
    ]);
    expect(await sentence({ password: null })).to.deep.equal(['This field may not be null.']);
    expect(await sentence({ password: ' '.repeat(8) })).to.deep.equal(['This field may not be blank.']);
    expect(await sentence({ password: '📞'.repeat(7) })).to.deep.equal(await sentence({ password: 'seven77' }));
    expect(await sentence({ contact_number: '' })).to.deep.equal(['This field may not be blank.']);
    expect(await sentence({ contact_number: true })).to.deep.equal(['Not a valid string.']);
    expect(await sentence({ contact_number: 'abc' })).to.deep.equal(['Phone number must be 8-15 digits']);
    expect(await sentence({ role: 'boss' })).to.deep.equal(['Must be one of: member, admin, operator.']);
    expect(await sentence({ is_active: 'perhaps' })).to.deep.equal(['Must be a valid boolean.']);
    expect(await sentence({ id: 'x' })).to.deep.equal(['Unknown field.']);
  });

  it('are changed', async () => {
    const admin = await bed.person();
    const { body: user } = await create(admin, { contact_number: '+4930222222' });

    const changed = await change(admin, user.id, { username: unique('new'), role: 'admin', contact_number: null });

    expect(changed.status).to.equal(200);
    expect(changed.body).to.deep.include({ id: user.id, role: 'admin', contact_number: null });
    expect(changed.body.username).not.to.equal(user.username);
  });

  it('of another account are not found', async () => {
    const [admin, other] = [await bed.person(), await bed.person()];

    for (const id of [other.id, '01890000-0000-7000-8000-000000000000', 'abc']) {
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const answer = await bed.ask(method, `/api/users/${id}/`, { token: admin.access });
        expect(answer.status, `${method} ${id}`).to.equal(404);
      }
    }
  });

  it('of the account are no member’s business', async () => {
    const admin = await bed.person();
    const member = await bed.colleague(admin);

    for (const [method, path] of [
      ['GET', '/api/users/'],
      ['POST', '/api/users/'],
      ['GET', `/api/users/${member.id}/`],
      ['PATCH', `/api/users/${member.id}/`],
      ['DELETE', `/api/users/${admin.id}/`],
      ['GET', '/api/api_keys/'],
      ['POST', '/api/api_keys/'],
    ] as const) {
      const answer = await bed.ask(method, path, { token: member.access });
      expect(answer.status, `${method} ${path}`).to.equal(403);
      expect(answer.body.code).to.equal('permission_denied');
    }
  });

  it('see themselves, and change their own contact number alone', async () => {
    const member = await bed.colleague(await bed.person());
    const me = (method: string, json?: unknown) =>
      bed.ask(method, '/api/users/me/', { token: member.access, ...(json !== undefined && { json }) });

    expect((await me('GET')).body).to.deep.include({ id: member.id, username: member.username, role: 'member' });
    expect((await me('PATCH', { contact_number: '0049 30' })).status).to.equal(400);
    expect((await me('PATCH', { contact_number: '+49 (30) 333333' })).body.contact_number).to.equal('+4930333333');
    expect((await me('PATCH', {})).body.contact_number).to.equal('+4930333333');
    expect((await me('PATCH', { contact_number: null })).body.contact_number).to.equal(null);
    const refused = await me('PATCH', { role: 'admin' });
    expect(refused.status).to.equal(400);
    expect(refused.body.role).to.deep.equal(['Unknown field.']);
  });

  it('are made operators by operators alone, and then out of the admins’ reach', async () => {
    const operator = await bed.person('operator');
    const admin = await bed.colleague(operator, 'admin');

    const made = await create(admin, { role: 'operator' });
    const raised = await change(admin, admin.id, { role: 'operator' });
    const password = await change(admin, operator.id, { password: 'taken over by me' });
    const removed = await remove(admin, operator.id);
    const byOperator = await change(operator, admin.id, { role: 'operator' });

    for (const answer of [made, raised, password, removed]) {
      expect(answer.status).to.equal(403);
      expect(answer.body.code).to.equal('permission_denied');
    }
    expect(byOperator.status).to.equal(200);
    expect(await bed.status(admin.access, '/api/accounts/')).to.equal(200);
  });
});

describe('the last active admin', () => {
  let bed: Bed;
  before(async () => {
    bed = await startBed();
  });
  after(() => bed.stop());

  const change = (by: Person, id: string, json: unknown) =>
    bed.ask('PATCH', `/api/users/${id}/`, { token: by.access, json });
  const remove = (by: Person, id: string) => bed.ask('DELETE', `/api/users/${id}/`, { token: by.access });

  it('stays', async () => {
    const admin = await bed.person();
    const idle = await bed.colleague(admin, 'admin');
    await bed.colleague(admin);
    await change(admin, idle.id, { is_active: false });

    for (const answer of [
      await change(admin, admin.id, { role: 'member' }),
      await change(admin, admin.id, { is_active: false }),
      await remove(admin, admin.id),
    ]) {
      expect(answer.status).to.equal(409);
      expect(answer.body.code).to.equal('last_admin');
    }
    expect((await change(admin, admin.id, { username: unique('admin') })).status).to.equal(200);
  });

  it('stays when two remove each other at once', async () => {
    const one = await bed.person();
    const other = await bed.colleague(one, 'admin');

    const answers = await Promise.all([remove(one, other.id), remove(other, one.id)]);

    const left = await bed.db('users').where({ account_id: one.accountId, role: 'admin' });
    expect(left).to.have.lengthOf(1);
    expect(answers.map(({ status }) => status)).to.include(204);
    for (const { status } of answers) expect(status).to.be.oneOf([204, 401, 404, 409]);
  });

  it('may be an operator', async () => {
    const operator = await bed.person('operator');
    const admin = await bed.colleague(operator, 'admin');

    expect((await change(admin, admin.id, { role: 'member' })).status).to.equal(200);
  });
});

describe('a deleted user', () => {
  it('leaves numbers that belong to nobody, in a race with changes of theirs too', async () => {
    const bed = await startBed();
    const admin = await bed.person();
    const member = await bed.colleague(admin);
    const made = await bed.ask('POST', '/api/virtual_numbers/', {
      token: member.access,
      json: { phone_number: '+4930444444' },
    });
    const path = `/api/users/${member.id}/`;

    const answers = await Promise.all([
      bed.ask('DELETE', path, { token: admin.access }),
      ...['one', 'two', 'three'].map((password) =>
        bed.ask('PATCH', path, { token: admin.access, json: { password: `password ${password}` } }),
      ),
      bed.ask('PATCH', `/api/virtual_numbers/${made.body.id}/`, { token: member.access, json: { label: 'mine' } }),
    ]);
    const number = await bed.ask('GET', `/api/virtual_numbers/${made.body.id}/`, { token: admin.access });
    await bed.stop();

    expect(made.body.user_id).to.equal(member.id);
    expect(answers[0]?.status).to.equal(204);
    for (const { status } of answers) expect(status).to.be.oneOf([200, 204, 401, 403, 404]);
    expect(number.body.user_id).to.equal(null);
  });
});
