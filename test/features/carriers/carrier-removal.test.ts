import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { type Person, startSystem, type TestSystem } from '../../support/system.js';

const LIST = '/api/virtual_numbers/';

let given = 30_000_000;
const freshNumber = (): string => {
  given += 1;
  return `+97798${given}`;
};

describe('the removal of a carrier', () => {
  let product: TestSystem;
  before(async () => {
    product = await startSystem();
  });
  after(() => product.stop());

  const ask = async (by: Person, method: string, path: string, body?: unknown) =>
    product.ask(method, path, { token: by.token, ...(body !== undefined && { body }) });
  async function carrierOf(by: Person, more: object = {}): Promise<string> {
    const credentials = { secret: `whsec_${randomBytes(24).toString('base64')}` };
    const made = await ask(by, 'POST', '/api/carriers/', { provider: 'generic', name: 'Line', credentials, ...more });
    return made.body.id;
  }
  const add = async (by: Person, carrierId: string | null) =>
    (await ask(by, 'POST', LIST, { phone_number: freshNumber(), carrier_id: carrierId })).body;

  it('takes its numbers off it, with history and events', async () => {
    const admin = await product.createAdmin();
    const [carrier, other] = [await carrierOf(admin), await carrierOf(admin)];
    const [number, kept] = [await add(admin, carrier), await add(admin, other)];

    const removed = await ask(admin, 'DELETE', `/api/carriers/${carrier}/`);

    expect(removed.status).to.equal(204);
    const { body: list } = await ask(admin, 'GET', LIST);
    expect(list.map((n: { carrier_id: string | null }) => n.carrier_id)).to.deep.equal([null, other]);
    expect(list[1]).to.deep.equal(kept);
    const { body: history } = await ask(admin, 'GET', `${LIST}${number.id}/history/`);
    expect(history[0]).to.deep.include({
      ...{ action: 'assigned', by_user_id: admin.userId, changes: { carrier_id: { from: carrier, to: null } } },
    });
    const { body: events } = await ask(admin, 'GET', '/api/events/?limit=500');
    expect(events.at(-1)).to.include({ type: 'number.assigned' });
    const back = { label: 'Desk', user_id: null, carrier_id: list[0].carrier_id };
    expect((await ask(admin, 'PATCH', `${LIST}${number.id}/`, back)).body).to.deep.include(back);
  });

  it('takes every account’s numbers off a shared one, and names its operator in their own account alone', async () => {
    const [admin, operator] = [await product.createAdmin(), await product.createOperator()];
    const carrier = await carrierOf(operator, { shared: true });
    const [theirs, own] = [await add(admin, carrier), await add(operator, carrier)];

    const removed = await ask(operator, 'DELETE', `/api/carriers/${carrier}/`);

    expect(removed.status).to.equal(204);
    for (const [who, number, author] of [
      [admin, theirs, null],
      [operator, own, operator.userId],
    ] as const) {
      expect((await ask(who, 'GET', `${LIST}${number.id}/`)).body.carrier_id).to.equal(null);
      const { body } = await ask(who, 'GET', `${LIST}${number.id}/history/`);
      expect(body[0]).to.deep.include({ action: 'assigned', by_user_id: author, by_api_key_id: null });
    }
  });

  it('leaves no number behind that is put on it at the same moment', async () => {
    const admin = await product.createAdmin();
    const numbers = await Promise.all(Array.from({ length: 6 }, () => add(admin, null)));

    for (let round = 0; round < 10; round += 1) {
      const carrier = await carrierOf(admin);

      const [removed, ...moved] = await Promise.all([
        ask(admin, 'DELETE', `/api/carriers/${carrier}/`),
        ...numbers.map(({ id }) => ask(admin, 'PATCH', `${LIST}${id}/`, { carrier_id: carrier })),
        ask(admin, 'POST', LIST, { phone_number: freshNumber(), carrier_id: carrier }),
      ]);

      expect(removed?.status).to.equal(204);
      for (const { status } of moved) expect(status).to.be.oneOf([200, 201, 400]);
      expect((await ask(admin, 'GET', `${LIST}?carrier_id=${carrier}`)).body).to.deep.equal([]);
    }
  });

  it('changes nothing where there is no such carrier', async () => {
    const [admin, stranger] = [await product.createAdmin(), await product.createAdmin()];
    const carrier = await carrierOf(admin);
    const number = await add(admin, carrier);

    const answer = await ask(stranger, 'DELETE', `/api/carriers/${carrier}/`);

    expect(answer.status).to.equal(404);
    expect((await ask(admin, 'GET', `${LIST}${number.id}/`)).body).to.deep.equal(number);
  });
});
