import { expect } from 'chai';
import { type Person, startSystem, type TestSystem, unique } from '../../support/system.js';
import { deliver, drained, genericCall, openLine } from '../ingestion/lines.js';
import { freshNumber, PDF, PORT_ORDERS, submittable } from './port-doors.js';

describe('a port through the whole product', function () {
  this.timeout(30_000);
  let system: TestSystem;
  before(async () => {
    system = await startSystem();
  });
  after(() => system.stop());

  const move = async (by: Person, id: string, status: string) => {
    const { token } = by;
    const answer = await system.ask('PATCH', `${PORT_ORDERS}${id}/`, { token, body: { status } });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    return answer.body;
  };

  it('ends with the first call that comes in on the number', async () => {
    const [admin, operator] = [await system.createAdmin(), await system.createOperator()];
    const { token } = admin;
    const number = freshNumber();
    const day = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
    const body = submittable({ phone_numbers: [number], requested_for: day });
    const { id } = (await system.ask('POST', PORT_ORDERS, { token, body })).body;
    const letter = new FormData();
    letter.set('kind', 'loa');
    letter.set('file', new File([new Uint8Array(PDF)], 'loa.pdf'));
    await system.ask('POST', `${PORT_ORDERS}${id}/documents/`, { token, body: letter });
    const line = await openLine(system, admin, 'generic');

    await move(admin, id, 'submitted');
    await move(operator, id, 'in_process');
    await move(operator, id, 'foc_confirmed');
    const ported = await move(operator, id, 'ported');
    const at = Date.parse(ported.ported_at) + 1;
    const call = { type: 'call.ringing', call_id: unique('call'), to: number, occurred_at: new Date(at).toISOString() };
    expect(await deliver(system, line, genericCall(call))).to.equal(204);
    await drained(system);

    const shown = (await system.ask('GET', `${PORT_ORDERS}${id}/`, { token })).body;
    const silent = (await system.ask('GET', `${PORT_ORDERS}silent_numbers/`, { token })).body;
    const events = (await system.ask('GET', '/api/events/', { token })).body;
    expect(ported.numbers[0]).to.include({ phone_number: number, silent: true });
    expect(shown.numbers[0]).to.include({ first_call_at: new Date(at).toISOString(), silent: false });
    expect(silent).to.deep.equal([]);
    expect(events.map(({ type }: { type: string }) => type)).to.deep.equal([
      ...['port_order.created', 'port_order.updated', 'port_order.status_changed', 'port_order.status_changed'],
      ...['port_order.status_changed', 'number.created', 'port_order.status_changed', 'call.ringing'],
    ]);
    expect(events[4].port_order).to.include({ id, status: 'foc_confirmed', foc_date: day });
  });
});
