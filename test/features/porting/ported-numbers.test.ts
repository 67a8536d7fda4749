import { expect } from 'chai';
import type { Caller } from '../../support/door.js';
import { freshNumber, move, moveThrough, NOW, openPortDoors, PORT_ORDERS, type PortDoors } from './port-doors.js';

const SECOND = 1000;

describe('ported numbers', () => {
  let doors: PortDoors;

  before(async () => {
    doors = await openPortDoors();
  });
  after(() => doors.close());

  /** A ported order of two numbers. */
  async function ported() {
    const [api, operator] = [await doors.person(), await doors.person('operator')];
    const numbers = [freshNumber(), freshNumber()];
    const order = await doors.draft(api, { phone_numbers: numbers });
    const done = await moveThrough(
      order.id,
      ...([
        [api, 'submitted'],
        [operator, 'in_process'],
        [operator, 'foc_confirmed'],
        [operator, 'ported'],
      ] as const),
    );
    return { api, operator, numbers, order: done.body, path: `${PORT_ORDERS}${order.id}/` };
  }

  const held = async (api: Caller) => (await api.get('/api/virtual_numbers/')).body;
  const silent = async (api: Caller, query = '') => (await api.get(`${PORT_ORDERS}silent_numbers/${query}`)).body;

  it('are the account’s virtual numbers, with their history, events and announcement', async () => {
    const { api, numbers, order } = await ported();

    const mine = await held(api);
    const history = (await api.get(`/api/virtual_numbers/${mine[0].id}/history/`)).body;

    expect(mine.map(({ phone_number }: never) => phone_number)).to.have.members(numbers);
    expect(mine[0]).to.include({ is_active: true, user_id: null, carrier_id: null });
    expect(history.map(({ action, by_user_id }: never) => [action, by_user_id])).to.deep.equal([['ported', null]]);
    expect(order.numbers.map(({ phone_number }: never) => phone_number)).to.deep.equal([...numbers].sort());
    expect(order.numbers[0]).to.deep.include({
      ported_at: new Date(NOW).toISOString(),
      first_call_at: null,
      silent: true,
    });
    expect(mine.map(({ id }: never) => id)).to.have.members(
      order.numbers.map(({ virtual_number_id }: never) => virtual_number_id),
    );
    expect(doors.announced).to.include.members(numbers);
    const types = (await doors.events(api.actor.accountId)).map(({ type }) => type);
    expect(types.slice(-3)).to.deep.equal(['number.created', 'number.created', 'port_order.status_changed']);
    const { rows } = await doors.door.platform.db.raw(
      'select distinct ported_at from virtual_numbers where account_id = ?',
      [api.actor.accountId],
    );
    expect(rows).to.deep.equal([{ ported_at: new Date(NOW) }]);
  });

  it('are held from the very moment that the order tells, however long the move takes', async () => {
    const [api, operator] = [await doors.person(), await doors.person('operator')];
    const order = await doors.draft(api);
    await doors.place(order.id, 'foc_confirmed');

    doors.time.step = 1;
    const { body } = await move(operator, order.id, 'ported');
    Object.assign(doors.time, { now: NOW, step: 0 });

    const [number] = await held(api);
    expect([number.created_at, body.numbers[0].ported_at]).to.deep.equal([body.ported_at, body.ported_at]);
  });

  it('stop the move when somebody holds one, and say which; nothing is changed', async () => {
    const [api, other, operator] = [await doors.person(), await doors.person(), await doors.person('operator')];
    const [free, taken] = [freshNumber(), freshNumber()];
    const order = await doors.draft(api, { phone_numbers: [free, taken] });
    await moveThrough(order.id, [api, 'submitted'], [operator, 'in_process'], [operator, 'foc_confirmed']);
    const told = await doors.events(api.actor.accountId);
    await other.post('/api/virtual_numbers/', { phone_number: taken });

    const refused = await move(operator, order.id, 'ported');

    expect(refused.status).to.equal(409);
    expect(refused.body).to.deep.include({
      code: 'number_taken',
      detail: `Already a virtual number: ${taken}.`,
      phone_numbers: [taken],
    });
    expect((await api.get(`${PORT_ORDERS}${order.id}/`)).body).to.include({ status: 'foc_confirmed', ported_at: null });
    expect(await held(api)).to.deep.equal([]);
    expect(await doors.events(api.actor.accountId)).to.have.lengthOf(told.length);
    expect(doors.announced).to.not.include(free);
  });

  it('may be ported once the other holder has let them go', async () => {
    const [api, other, operator] = [await doors.person(), await doors.person(), await doors.person('operator')];
    const order = await doors.draft(api);
    await moveThrough(order.id, [api, 'submitted'], [operator, 'in_process'], [operator, 'foc_confirmed']);
    const claimed = await other.post('/api/virtual_numbers/', { phone_number: order.phone_numbers[0] });

    const before = await move(operator, order.id, 'ported');
    await other.delete(`/api/virtual_numbers/${claimed.body.id}/`);
    const after = await move(operator, order.id, 'ported');

    expect([before.status, after.status]).to.deep.equal([409, 200]);
    expect(await held(api)).to.have.lengthOf(1);
  });

  it('are silent until the first call comes in', async () => {
    const { api, operator, order, path } = await ported();
    const [first, second] = order.numbers;
    const number = { accountId: api.actor.accountId, virtualNumberId: first.virtual_number_id };
    const mine = `?account_id=${api.actor.accountId}`;

    const before = await silent(api);
    await doors.call(number, { started_at: new Date(NOW + 60 * SECOND) });
    await doors.call(number, { started_at: new Date(NOW + 30 * SECOND), status: 'ringing', disposition: null });
    const shown = (await api.get(path)).body.numbers;

    expect(before.map(({ virtual_number_id }: never) => virtual_number_id)).to.have.members([
      first.virtual_number_id,
      second.virtual_number_id,
    ]);
    expect(before[0]).to.include({ port_order_id: order.id, account_id: api.actor.accountId, silent: true });
    expect(shown.map(({ first_call_at, silent: isSilent }: never) => [first_call_at, isSilent])).to.deep.equal([
      [new Date(NOW + 30 * SECOND).toISOString(), false],
      [null, true],
    ]);
    expect((await silent(api)).map(({ phone_number }: never) => phone_number)).to.deep.equal([second.phone_number]);
    expect(await silent(operator, mine)).to.have.lengthOf(1);
    expect(await silent(await doors.person(), mine)).to.deep.equal([]);
    expect((await api.get(`${PORT_ORDERS}silent_numbers/?limit=1&account_id=x`)).body.account_id).to.deep.equal([
      'Not a valid id.',
    ]);
  });

  const calls: readonly (readonly [string, Record<string, unknown>, boolean])[] = [
    ['an outgoing call', { direction: 'outgoing', started_at: new Date(NOW + SECOND) }, false],
    ['a call before the port', { started_at: new Date(NOW - SECOND) }, false],
    ['a call in the millisecond of the port', { started_at: new Date(NOW) }, true],
    ['an unanswered call', { disposition: 'no_answer', started_at: new Date(NOW + SECOND) }, true],
    ['another account’s call', { account_id: '01a20000-0000-7000-8000-000000000000' }, false],
  ];
  for (const [what, more, counts] of calls) {
    it(`take ${what} for ${counts ? 'a' : 'no'} proof`, async () => {
      const { api, order, path } = await ported();
      const [{ virtual_number_id: virtualNumberId }] = order.numbers;

      await doors.call({ accountId: api.actor.accountId, virtualNumberId }, more);

      expect((await api.get(path)).body.numbers[0].silent).to.equal(!counts);
    });
  }

  it('take a start told in whole seconds for the end of that second', async () => {
    doors.time.now = NOW + 400;
    const { api, order, path } = await ported();
    doors.time.now = NOW;
    const [told, exact] = order.numbers;
    const accountId = api.actor.accountId;

    await doors.call({ accountId, virtualNumberId: told.virtual_number_id }, { started_at: new Date(NOW) });
    await doors.call({ accountId, virtualNumberId: exact.virtual_number_id }, { started_at: new Date(NOW + 1) });

    const { numbers } = (await api.get(path)).body;
    expect(numbers.map(({ silent: isSilent }: never) => isSilent)).to.deep.equal([false, true]);
  });

  it('leave the list of silent ones when they are released', async () => {
    const { api, order } = await ported();

    await api.delete(`/api/virtual_numbers/${order.numbers[0].virtual_number_id}/`);

    expect((await silent(api)).map(({ phone_number }: never) => phone_number)).to.deep.equal([
      order.numbers[1].phone_number,
    ]);
  });

  it('stay heard when their calls are erased, and the first call is told once', async () => {
    const { api, order, path } = await ported();
    const [{ virtual_number_id: virtualNumberId, phone_number }] = order.numbers;
    await doors.call({ accountId: api.actor.accountId, virtualNumberId }, { started_at: new Date(NOW + SECOND) });
    const told = await doors.events(api.actor.accountId);

    await doors.porting.tend();
    await doors.porting.tend();
    await doors.door.platform.db('call_logs').where({ virtual_number_id: virtualNumberId }).delete();

    const at = new Date(NOW + SECOND).toISOString();
    expect((await api.get(path)).body.numbers[0]).to.include({ first_call_at: at, silent: false });
    const [news, ...more] = (await doors.events(api.actor.accountId)).slice(told.length);
    expect(news).to.include({ type: 'port_order.updated', subjectId: order.id });
    expect(news?.payload.first_call).to.deep.equal({ phone_number, first_call_at: at });
    expect(more).to.deep.equal([]);
    const [entry] = (await api.get(`${path}timeline/`)).body;
    expect(entry).to.deep.include({ action: 'first_call_seen', by: 'system', phone_number, first_call_at: at });
  });
});
