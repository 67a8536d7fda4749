import { expect } from 'chai';
import { SUBMISSION_CHECKS } from '../../../src/features/porting/submission.js';
import type { Answer, Caller } from '../../support/door.js';
import {
  freshNumber,
  move,
  moveThrough,
  openPortDoors,
  PORT_ORDERS,
  type PortDoors,
  submittable,
} from './port-doors.js';

const DAY_MS = 86_400_000;
const REQUIRED = ['This field is required.'];

interface Check {
  readonly code: string;
  readonly passed: boolean;
  readonly phone_numbers: readonly string[];
}

describe('the checks of a submission', () => {
  let doors: PortDoors;

  before(async () => {
    doors = await openPortDoors();
  });
  after(() => doors.close());

  const checksOf = (api: Caller, order: { id: string }): Promise<Answer> =>
    api.get(`${PORT_ORDERS}${order.id}/checks/`);
  const failed = async (api: Caller, order: { id: string }): Promise<Record<string, readonly string[]>> => {
    const { body } = await checksOf(api, order);
    return Object.fromEntries(
      body.filter((check: Check) => !check.passed).map((check: Check) => [check.code, check.phone_numbers]),
    );
  };
  const hold = async (api: Caller, phoneNumber: string): Promise<string> => {
    const made = await api.post('/api/virtual_numbers/', { phone_number: phoneNumber });
    expect(made.status, made.text).to.equal(201);
    return made.body.id;
  };

  it('are all passed by an order that may go', async () => {
    const api = await doors.person();
    const order = await doors.draft(api);

    const { status, body } = await checksOf(api, order);

    expect(status).to.equal(200);
    expect(body).to.deep.equal(
      SUBMISSION_CHECKS.map(({ code, field, isBlocking }) => ({
        ...{ code, field, blocking: isBlocking, passed: true },
        ...{ message: null, correction: null, phone_numbers: [] },
      })),
    );
  });

  it('tell everything that an empty draft lacks, as submitting it does', async () => {
    const api = await doors.person();
    const draft = (await api.post(PORT_ORDERS, {})).body;

    const told = await failed(api, draft);
    const refused = await move(api, draft.id, 'submitted');

    expect(Object.keys(told)).to.deep.equal([
      ...['phone_numbers_missing', 'losing_carrier_missing', 'subscriber_name_missing', 'loa_missing'],
    ]);
    expect(refused.status).to.equal(400);
    expect(refused.body).to.deep.include({
      phone_numbers: REQUIRED,
      losing_carrier: REQUIRED,
      subscriber: ['name: This field is required.'],
      'subscriber.name': REQUIRED,
      documents: ['A letter of authorization is required: a document of the kind loa.'],
    });
    expect(await doors.statusOf(draft.id)).to.equal('draft');
  });

  it('refuse numbers of several countries and name those that are not of the first one', async () => {
    const api = await doors.person();
    const [home, berlin, london] = [freshNumber(), '+4930901820', '+442079460018'];
    const order = await doors.draft(api, { phone_numbers: [home, berlin, london] });

    const told = await failed(api, order);
    const refused = await move(api, order.id, 'submitted');
    const corrected = await move(api, order.id, 'submitted', { phone_numbers: [home] });

    expect(told).to.deep.equal({ countries_mixed: [berlin, london] });
    expect(refused.status).to.equal(400);
    expect(refused.body.phone_numbers).to.deep.equal(['The numbers of an order must be of one country.']);
    expect(corrected.body).to.include({ status: 'submitted' });
  });

  it('doubt a number that no numbering plan knows, and count it for no country', async () => {
    const api = await doors.person();
    const strange = '+99912345678';
    const order = await doors.draft(api, { phone_numbers: [strange, freshNumber()] });

    const told = await failed(api, order);

    expect(told).to.deep.equal({ number_unknown: [strange] });
    expect((await move(api, order.id, 'submitted')).status).to.equal(200);
  });

  it('refuse a day that has passed, not today', async () => {
    const api = await doors.person();
    const [today, yesterday] = [doors.time.now, doors.time.now - DAY_MS].map((ms) => new Date(ms).toISOString());
    const order = await doors.draft(api, { requested_for: yesterday });

    const told = await failed(api, order);
    const refused = await move(api, order.id, 'submitted');
    const corrected = await move(api, order.id, 'submitted', { requested_for: today });

    expect(told).to.deep.equal({ requested_for_past: [] });
    expect(refused.status).to.equal(400);
    expect(refused.body.requested_for).to.deep.equal(['The day has passed.']);
    expect(corrected.body).to.include({ status: 'submitted' });
  });

  it('judge the day again when an order that came back is submitted once more', async () => {
    const [api, operator] = [await doors.person(), await doors.person('operator')];
    const order = await doors.draft(api, { requested_for: new Date(doors.time.now).toISOString() });
    await moveThrough(order.id, [api, 'submitted'], [operator, 'exception']);

    doors.time.now += DAY_MS;
    const refused = await move(api, order.id, 'submitted');
    doors.time.now -= DAY_MS;

    expect(refused.status).to.equal(400);
    expect(refused.body.requested_for).to.deep.equal(['The day has passed.']);
  });

  it('tell of numbers that are held here, and do not stand in the way: the holder may release them by then', async () => {
    const [api, other, operator] = [await doors.person(), await doors.person(), await doors.person('operator')];
    const [mine, theirs, free] = [freshNumber(), freshNumber(), freshNumber()];
    const ids = [await hold(api, mine), await hold(other, theirs)];
    const order = await doors.draft(api, { phone_numbers: [mine, theirs, free] });

    const told = await failed(api, order);
    await moveThrough(order.id, [api, 'submitted'], [operator, 'in_process'], [operator, 'foc_confirmed']);
    const refused = await move(operator, order.id, 'ported');
    await api.delete(`/api/virtual_numbers/${ids[0]}/`);
    await other.delete(`/api/virtual_numbers/${ids[1]}/`);
    const cleared = await failed(api, order);

    expect(told).to.deep.equal({ number_active: [mine], number_taken: [theirs] });
    expect(refused.body).to.deep.include({ status: 409, code: 'number_taken', phone_numbers: [mine, theirs] });
    expect(cleared).to.deep.equal({});
    expect((await move(operator, order.id, 'ported')).status).to.equal(200);
  });

  it('say of another account’s number that it is taken and nothing else', async () => {
    const [api, other] = [await doors.person(), await doors.person()];
    const taken = freshNumber();
    const id = await hold(other, taken);
    const order = await doors.draft(api, { phone_numbers: [taken] });

    const { text } = await checksOf(api, order);

    for (const secret of [other.actor.accountId, other.actor.userId ?? '', id]) expect(text).to.not.include(secret);
  });

  it('are the account’s and the operator’s to read, and say the same to both', async () => {
    const [api, operator, stranger] = [await doors.person(), await doors.person('operator'), await doors.person()];
    const member = await doors.person('member', api.actor.accountId);
    const order = (await api.post(PORT_ORDERS, submittable())).body;

    const [own, theirs] = [await checksOf(api, order), await checksOf(operator, order)];

    expect(theirs.body).to.deep.equal(own.body);
    expect((await checksOf(stranger, order)).body).to.include({ status: 404, code: 'not_found' });
    expect((await checksOf(member, order)).body).to.include({ status: 403, code: 'permission_denied' });
  });

  it('are none once the order is over', async () => {
    const [api, operator] = [await doors.person(), await doors.person('operator')];
    const [ported, canceled] = [await doors.draft(api), await doors.draft(api)];
    await moveThrough(ported.id, [api, 'submitted'], [operator, 'in_process'], [operator, 'foc_confirmed']);
    await moveThrough(ported.id, [operator, 'ported']);
    await moveThrough(canceled.id, [api, 'canceled']);

    expect((await checksOf(api, ported)).body).to.deep.equal([]);
    expect((await checksOf(api, canceled)).body).to.deep.equal([]);
  });
});
