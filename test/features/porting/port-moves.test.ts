import { expect } from 'chai';
import {
  findMove,
  MOVES,
  PORT_ORDER_STATUSES,
  type PortOrderStatus,
  type Side,
} from '../../../src/features/porting/port-order.js';
import type { Caller } from '../../support/door.js';
import { move, moveThrough, openPortDoors, PORT_ORDERS, type PortDoors } from './port-doors.js';

const PAIRS = PORT_ORDER_STATUSES.flatMap((from) => PORT_ORDER_STATUSES.map((to) => ({ from, to })));

/** What the contract says, written out once more, so that the table cannot drift unseen. */
const PROMISED: Readonly<Record<string, 'account' | 'operator'>> = {
  'draft submitted': 'account',
  'exception submitted': 'account',
  'draft canceled': 'account',
  'submitted cancel_pending': 'account',
  'in_process cancel_pending': 'account',
  'foc_confirmed cancel_pending': 'account',
  'exception cancel_pending': 'account',
  'submitted in_process': 'operator',
  'in_process foc_confirmed': 'operator',
  'foc_confirmed ported': 'operator',
  'submitted exception': 'operator',
  'in_process exception': 'operator',
  'foc_confirmed exception': 'operator',
  'cancel_pending canceled': 'operator',
};

interface Asker {
  readonly who: string;
  readonly sides: readonly Side[];
  /** What is answered whatever the pair; undefined: as the table says. */
  readonly always?: number;
  /** The asker, and the admin whose order it is. */
  open(doors: PortDoors): Promise<{ api: Caller; owner: Caller }>;
}

const ASKERS: readonly Asker[] = [
  {
    who: 'the account’s admin',
    sides: ['account'],
    async open(doors) {
      const owner = await doors.person();
      return { api: owner, owner };
    },
  },
  {
    who: 'an operator',
    sides: ['operator'],
    open: async (doors) => ({ api: await doors.person('operator'), owner: await doors.person() }),
  },
  {
    who: 'an operator of the account itself',
    sides: ['account', 'operator'],
    async open(doors) {
      const owner = await doors.person();
      return { api: await doors.person('operator', owner.actor.accountId), owner };
    },
  },
  {
    who: 'an API key of the account',
    sides: ['account'],
    async open(doors) {
      const owner = await doors.person();
      return { api: doors.key(owner.actor.accountId, ['port_orders:read', 'port_orders:write']), owner };
    },
  },
  {
    who: 'a member',
    sides: [],
    always: 403,
    async open(doors) {
      const owner = await doors.person();
      return { api: await doors.person('member', owner.actor.accountId), owner };
    },
  },
  {
    who: 'another account’s admin',
    sides: [],
    always: 404,
    open: async (doors) => ({ api: await doors.person(), owner: await doors.person() }),
  },
];

describe('the moves of port orders', () => {
  let doors: PortDoors;

  before(async () => {
    doors = await openPortDoors();
  });
  after(() => doors.close());

  it('has the moves of the contract, and one of the system', () => {
    const people = MOVES.filter(({ by }) => by !== 'system');

    expect(Object.fromEntries(people.map(({ from, to, by }) => [`${from} ${to}`, by]))).to.deep.equal(PROMISED);
    expect(people).to.have.lengthOf(Object.keys(PROMISED).length);
    expect(MOVES.filter(({ by }) => by === 'system')).to.deep.equal([{ from: 'draft', to: 'canceled', by: 'system' }]);
  });

  for (const asker of ASKERS) {
    for (const from of PORT_ORDER_STATUSES) {
      it(`answers ${asker.who} from ${from} as the table says, for every state`, async () => {
        const { api, owner } = await asker.open(doors);
        const { id } = await doors.draft(owner);
        const wrong: string[] = [];

        for (const to of PORT_ORDER_STATUSES) {
          await doors.place(id, from);
          const answer = await move(api, id, to);
          const seen = `${answer.status} ${answer.body.code ?? ''} ${await doors.statusOf(id)}`;
          if (seen !== expected(asker, from, to)) wrong.push(`${from} -> ${to}: ${seen}`);
        }

        expect(wrong).to.deep.equal([]);
      });
    }
  }

  function expected({ sides, always }: Asker, from: PortOrderStatus, to: PortOrderStatus): string {
    if (always === 403) return `403 permission_denied ${from}`;
    if (always === 404) return `404 not_found ${from}`;
    const side = PROMISED[`${from} ${to}`];
    if (side === undefined) return `409 invalid_transition ${from}`;
    return sides.includes(side) ? `200  ${to}` : `403 permission_denied ${from}`;
  }

  it('judges every pair by the table alone', () => {
    for (const { from, to } of PAIRS) {
      const side = PROMISED[`${from} ${to}`];
      const other = side === 'account' ? 'operator' : 'account';

      expect(findMove(from, to, ['account', 'operator'])).to.deep.equal(side ? { from, to, by: side } : 'unknown');
      expect(findMove(from, to, [other])).to.equal(side ? 'foreign' : 'unknown');
      expect(findMove(from, to, ['system'])).to.equal(side ? 'foreign' : 'unknown');
    }
  });

  it('takes an order through an exception to its numbers', async () => {
    const [owner, operator] = [await doors.person(), await doors.person('operator')];
    const order = await doors.draft(owner);

    await moveThrough(order.id, [owner, 'submitted'], [operator, 'in_process'], [operator, 'exception']);
    const back = await owner.get(`${PORT_ORDERS}${order.id}/`);
    const corrected = await move(owner, order.id, 'submitted', { subscriber: { pin: '111222' } });
    const ported = await moveThrough(
      order.id,
      [operator, 'in_process'],
      [operator, 'foc_confirmed'],
      [operator, 'ported'],
    );

    expect(back.body.exception).to.include({ code: 'pin_invalid', message: 'Wrong PIN' });
    expect(back.body.exception.correction).to.match(/fresh transfer PIN/);
    expect(back.body.exception.members).to.deep.equal(['subscriber.pin']);
    expect(corrected.body).to.deep.include({ status: 'submitted', exception: null });
    expect(corrected.body.subscriber).to.deep.include({ name: 'Jane Doe', pin: '****22' });
    expect(ported.body).to.include({ status: 'ported', ported_at: new Date(doors.time.now).toISOString() });
  });

  it('says which moves there are when one is not', async () => {
    const owner = await doors.person();
    const order = await doors.draft(owner);

    const refused = await move(owner, order.id, 'ported');

    expect(refused.status).to.equal(409);
    expect(refused.body).to.deep.include({
      code: 'invalid_transition',
      detail: 'A port order that is draft cannot become ported.',
      from: 'draft',
      to: 'ported',
      allowed: ['submitted', 'canceled'],
    });
  });

  it('wants to know why an order goes back', async () => {
    const [owner, operator] = [await doors.person(), await doors.person('operator')];
    const order = await doors.draft(owner);
    await moveThrough(order.id, [owner, 'submitted']);
    const path = `${PORT_ORDERS}${order.id}/`;

    const without = await operator.patch(path, { status: 'exception' });
    const wordless = await operator.patch(path, { status: 'exception', exception: { code: 'other' } });
    const astray = await operator.patch(path, { status: 'in_process', exception: { code: 'other', message: 'x' } });
    const accounts = await owner.patch(path, { exception: { code: 'other', message: 'x' } });

    expect(without.status).to.equal(400);
    expect(without.body.exception).to.deep.equal(['This field is required.']);
    expect(wordless.body.exception).to.deep.equal(['This field is required.']);
    expect(astray.body.exception).to.deep.equal(['Only with the status exception.']);
    expect(accounts.status).to.equal(403);
    expect((await owner.get(path)).body.status).to.equal('submitted');
  });

  it('takes the code of the losing carrier as it is', async () => {
    const [owner, operator] = [await doors.person(), await doors.person('operator')];
    const order = await doors.draft(owner);
    await moveThrough(order.id, [owner, 'submitted']);
    const exception = { code: '8A_BAD_MOOD', message: 'They said no' };

    const answer = await operator.patch(`${PORT_ORDERS}${order.id}/`, { status: 'exception', exception });

    expect(answer.status).to.equal(200);
    expect(answer.body.exception).to.deep.equal({ ...exception, correction: null, members: [] });
  });

  it('lets one of two who port the same order at once win', async () => {
    const [owner, operator] = [await doors.person(), await doors.person('operator')];
    const order = await doors.draft(owner);
    await doors.place(order.id, 'foc_confirmed');

    const answers = await Promise.all([1, 2, 3].map(() => move(operator, order.id, 'ported')));

    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 409, 409]);
    const held = await owner.get('/api/virtual_numbers/');
    expect(held.body.map((number: { phone_number: string }) => number.phone_number)).to.deep.equal(order.phone_numbers);
  });

  it('gives a number that two accounts port at once to one of them, and changes nothing of the other', async () => {
    const operator = await doors.person('operator');
    const owners = [await doors.person(), await doors.person()];
    const shared = '+14155550111';
    const orders = await Promise.all(
      owners.map((owner, i) => doors.draft(owner, { phone_numbers: [`+1415555012${i}`, shared] })),
    );
    for (const { id } of orders) await doors.place(id, 'foc_confirmed');

    const answers = await Promise.all(orders.map(({ id }) => move(operator, id, 'ported')));

    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 409]);
    const loser = answers.findIndex(({ status }) => status === 409);
    expect(answers[loser]?.body).to.deep.include({ code: 'number_taken', phone_numbers: [shared] });
    expect((await owners[loser]?.get('/api/virtual_numbers/'))?.body).to.deep.equal([]);
    expect((await owners[loser]?.get(`${PORT_ORDERS}${orders[loser].id}/`))?.body.status).to.equal('foc_confirmed');
    const told = await doors.events(orders[loser].account_id);
    expect(told.map(({ type }) => type)).to.not.include.members(['number.created', 'port_order.status_changed']);
  });
});
