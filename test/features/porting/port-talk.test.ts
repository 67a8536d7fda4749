import { expect } from 'chai';
import { move, moveThrough, openPortDoors, PORT_ORDERS, type PortDoors, upload } from './port-doors.js';

describe('comments, timeline and events of port orders', () => {
  let doors: PortDoors;

  before(async () => {
    doors = await openPortDoors();
  });
  after(() => doors.close());

  const typesOf = async (accountId: string): Promise<string[]> =>
    (await doors.events(accountId)).map(({ type }) => type);

  it('carries comments both ways, newest first', async () => {
    const [api, operator] = [await doors.person(), await doors.person('operator')];
    const comments = `${PORT_ORDERS}${(await doors.draft(api)).id}/comments/`;

    const asked = await operator.post(comments, { text: '  Which PIN is it?  ' });
    const answered = await api.post(comments, { text: 'The new one.', internal: false });
    const [theirs, ours] = [(await api.get(comments)).body, (await operator.get(comments)).body];

    expect([asked.status, answered.status]).to.deep.equal([201, 201]);
    expect(theirs.map(({ text, by, by_user_id }: never) => [text, by, by_user_id])).to.deep.equal([
      ['The new one.', 'account', api.actor.userId],
      ['Which PIN is it?', 'operator', null],
    ]);
    expect(ours[1].by_user_id).to.equal(operator.actor.userId);
  });

  it('hides internal comments from the account everywhere', async () => {
    const [api, operator] = [await doors.person(), await doors.person('operator')];
    const colleague = await doors.person('operator', api.actor.accountId);
    const order = await doors.draft(api);
    const path = `${PORT_ORDERS}${order.id}/`;
    const before = await typesOf(api.actor.accountId);

    const made = await operator.post(`${path}comments/`, { text: 'A secret among us', internal: true });
    const own = await colleague.post(`${path}comments/`, { text: 'A secret indeed', internal: true });
    const denied = await api.post(`${path}comments/`, { text: 'Mine', internal: true });

    expect([made.body.internal, own.body.internal]).to.deep.equal([true, true]);
    expect(denied.body).to.include({ status: 403, code: 'permission_denied' });
    const seen = [`${path}comments/`, `${path}timeline/`, path].map((place) => api.get(place));
    for (const { text } of await Promise.all(seen)) {
      expect(text).to.not.include('secret');
      expect(text).to.not.include(made.body.id);
    }
    expect(await typesOf(api.actor.accountId)).to.deep.equal(before);
    expect((await operator.get(`${path}comments/`)).body).to.have.lengthOf(2);
    expect((await operator.get(`${path}timeline/`)).text).to.include(made.body.id);
    expect((await api.get(path)).body.updated_at).to.equal(order.updated_at);
  });

  it('refuses a comment that says nothing, too much, or something else', async () => {
    const api = await doors.person();
    const comments = `${PORT_ORDERS}${(await doors.draft(api)).id}/comments/`;

    expect((await api.post(comments, {})).body.text).to.deep.equal(['This field is required.']);
    expect((await api.post(comments, { text: '  ' })).body.text).to.deep.equal(['This field may not be blank.']);
    expect((await api.post(comments, { text: null })).body.text).to.deep.equal(['This field may not be null.']);
    expect((await api.post(comments, { text: 5 })).body.text).to.deep.equal(['Not a valid string.']);
    expect((await api.post(comments, { text: 'a\0b' })).body.text).to.deep.equal(['Not a valid string.']);
    expect((await api.post(comments, { text: 'x'.repeat(10_001) })).status).to.equal(400);
    expect((await api.post(comments, { text: 'x', internal: 'yes' })).body.internal).to.deep.equal([
      'Must be a valid boolean.',
    ]);
    expect((await api.post(comments, { text: 'x', by: 'me' })).body.by).to.deep.equal(['Unknown field.']);
    expect((await api.get(comments)).body).to.deep.equal([]);
  });

  it('pages comments and the timeline', async () => {
    const api = await doors.person();
    const path = `${PORT_ORDERS}${(await doors.draft(api)).id}/`;
    for (const text of ['one', 'two', 'three']) await api.post(`${path}comments/`, { text });

    const first = await api.get(`${path}comments/?limit=2`);
    const second = await api.get(/<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '');
    const timeline = await api.get(`${path}timeline/?limit=4`);
    const rest = await api.get(/<([^>]+)>/.exec(timeline.headers.get('link') ?? '')?.[1] ?? '');

    expect([...first.body, ...second.body].map(({ text }) => text)).to.deep.equal(['three', 'two', 'one']);
    expect([...timeline.body, ...rest.body].map(({ action }) => action)).to.deep.equal([
      ...['commented', 'commented', 'commented', 'document_added', 'created'],
    ]);
  });

  it('tells in the timeline who did what, and what it changed', async () => {
    const [api, operator] = [await doors.person(), await doors.person('operator')];
    const order = await doors.draft(api);
    await api.patch(`${PORT_ORDERS}${order.id}/`, { losing_carrier: 'Older Telecom' });
    await moveThrough(order.id, [api, 'submitted'], [operator, 'exception']);

    const entries = (await api.get(`${PORT_ORDERS}${order.id}/timeline/`)).body;

    const told = entries.map(({ action, by, by_user_id, changes }: never) => [action, by, by_user_id, changes]);
    const me = api.actor.userId;
    const exception = { code: 'pin_invalid', message: 'Wrong PIN' };
    expect(told).to.deep.equal([
      [
        'status_changed',
        'operator',
        null,
        { status: { from: 'submitted', to: 'exception' }, exception: { from: null, to: exception } },
      ],
      ['status_changed', 'account', me, { status: { from: 'draft', to: 'submitted' } }],
      ['updated', 'account', me, { losing_carrier: { from: 'Old Telecom', to: 'Older Telecom' } }],
      ['document_added', 'account', me, {}],
      ['created', 'account', me, { status: { from: null, to: 'draft' } }],
    ]);
    expect(entries[3].document).to.include({ kind: 'loa', file_name: 'loa.pdf' });
  });

  it('is told on the account’s event log, as the change left it', async () => {
    const [api, operator] = [await doors.person(), await doors.person('operator')];
    const order = await doors.draft(api);
    const path = `${PORT_ORDERS}${order.id}/`;
    await api.patch(path, { requested_for: '2026-12-24' });
    await operator.post(`${path}comments/`, { text: 'Seen.' });
    await move(api, order.id, 'submitted');

    const events = await doors.events(api.actor.accountId);

    expect(events.map(({ type }) => type)).to.deep.equal([
      ...['port_order.created', 'port_order.updated', 'port_order.updated'],
      ...['port_order.commented', 'port_order.status_changed'],
    ]);
    expect(events.map(({ subjectId }) => subjectId)).to.deep.equal(events.map(() => order.id));
    expect(events[1]?.payload.documents).to.have.lengthOf(1);
    expect(events[2]?.payload).to.include({ requested_for: '2026-12-24', status: 'draft' });
    expect(events[3]?.payload.comment).to.include({ text: 'Seen.', by: 'operator' });
    const { numbers, subscriber, ...shown } = (await api.get(path)).body;
    expect(events[4]?.payload).to.deep.equal({
      ...shown,
      subscriber: { name: subscriber.name, address: subscriber.address },
    });
    expect(numbers).to.deep.equal([]);
    expect(await typesOf(operator.actor.accountId)).to.deep.equal([]);
  });

  it('tells nothing of what was refused', async () => {
    const api = await doors.person();
    const order = await doors.draft(api);
    const before = await typesOf(api.actor.accountId);

    await move(api, order.id, 'ported');
    await upload(api, order.id, { content: Buffer.from('no document') });
    await api.patch(`${PORT_ORDERS}${order.id}/`, { phone_numbers: ['x'] });

    expect(await typesOf(api.actor.accountId)).to.deep.equal(before);
    expect((await api.get(`${PORT_ORDERS}${order.id}/timeline/`)).body).to.have.lengthOf(2);
  });
});
