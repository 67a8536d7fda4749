import { expect } from 'chai';
import type { Caller } from '../../support/door.js';
import { allScopesBut } from '../../support/door.js';
import {
  freshNumber,
  move,
  moveThrough,
  openPortDoors,
  PORT_ORDERS,
  type PortDoors,
  SUBSCRIBER,
  submittable,
} from './port-doors.js';

describe('port orders', () => {
  let doors: PortDoors;

  before(async () => {
    doors = await openPortDoors();
  });
  after(() => doors.close());

  const one = (order: { id: string }): string => `${PORT_ORDERS}${order.id}/`;

  it('begins as a draft that shows what it was given, numbers as E.164 and the PIN masked', async () => {
    const api = await doors.person();

    const made = await api.post(PORT_ORDERS, submittable({ phone_numbers: ['1 (415) 555-0199', 14155550198] }));

    expect(made.status).to.equal(201);
    expect(made.headers.get('location')).to.equal(one(made.body));
    expect(made.body).to.deep.include({
      account_id: api.actor.accountId,
      phone_numbers: ['+14155550199', '+14155550198'],
      losing_carrier: 'Old Telecom',
      subscriber: { ...SUBSCRIBER, pin: '****52' },
      requested_for: '2026-12-01',
      status: 'draft',
      exception: null,
      foc_date: null,
      foc_overdue: false,
      documents: [],
      numbers: [],
      expires_at: '2026-12-22T12:00:00.000Z',
      created_at: '2026-11-22T12:00:00.000Z',
      updated_at: '2026-11-22T12:00:00.000Z',
    });
    expect((await api.get(one(made.body))).body).to.deep.equal(made.body);
  });

  it('takes an empty draft', async () => {
    const api = await doors.person();

    const draft = (await api.post(PORT_ORDERS, {})).body;

    expect(draft).to.deep.include({ phone_numbers: [], losing_carrier: null, requested_for: null });
    expect(draft.subscriber).to.deep.equal({ name: null, address: null, account_number: null, pin: null });
  });

  const refused: readonly (readonly [string, object, string, RegExp])[] = [
    ['a number that is none', { phone_numbers: ['call me'] }, 'phone_numbers', /^Phone number must be 8-15 digits$/],
    ['a number in national form', { phone_numbers: ['0201234567'] }, 'phone_numbers', /8-15 digits/],
    ['null among the numbers', { phone_numbers: [null] }, 'phone_numbers', /^This field may not be null\.$/],
    ['no list of numbers', { phone_numbers: '+14155550100' }, 'phone_numbers', /^Must be a list\.$/],
    ['null for the numbers', { phone_numbers: null }, 'phone_numbers', /may not be null/],
    ['a number twice', { phone_numbers: ['+14155550100', '1 415 555 0100'] }, 'phone_numbers', /stands here twice/],
    ['more numbers than 500', { phone_numbers: Array.from({ length: 501 }, freshNumber) }, 'phone_numbers', /At most/],
    ['a blank carrier', { losing_carrier: ' ' }, 'losing_carrier', /^This field may not be blank\.$/],
    ['a carrier that is no text', { losing_carrier: 7 }, 'losing_carrier', /^Not a valid string\.$/],
    ['a text for the subscriber', { subscriber: 'Jane' }, 'subscriber', /^Must be an object\.$/],
    ['a blank name', { subscriber: { name: '' } }, 'subscriber', /may not be blank/],
    ['an unknown member of the subscriber', { subscriber: { nick: 'J' } }, 'subscriber', /^Unknown field\.$/],
    [
      'a day in another spelling',
      { requested_for: '01.12.2026' },
      'requested_for',
      /^Not a valid date \(YYYY-MM-DD\)\.$/,
    ],
    ['a time without a zone', { requested_for: '2026-12-01T00:00:00' }, 'requested_for', /Not a valid date/],
    ['a day that does not exist', { requested_for: '2026-02-30' }, 'requested_for', /Not a valid date/],
    ['a status from the start', { status: 'submitted' }, 'status', /^Unknown field\.$/],
    ['an unknown member', { pin: '1' }, 'pin', /^Unknown field\.$/],
  ];
  for (const [what, body, member, sentence] of refused) {
    it(`refuses ${what}`, async () => {
      const api = await doors.person();

      const answer = await api.post(PORT_ORDERS, body);

      expect(answer.status).to.equal(400);
      expect(answer.body[member]).to.have.lengthOf(1);
      expect(answer.body[member][0]).to.match(sentence);
      expect((await api.get(PORT_ORDERS)).body).to.deep.equal([]);
    });
  }

  it('takes a time for the day it is in', async () => {
    const api = await doors.person();

    const days = [];
    for (const requestedFor of ['2026-12-01T00:00:00.000Z', '2026-12-01T23:30:00-02:00']) {
      days.push((await api.post(PORT_ORDERS, { requested_for: requestedFor })).body.requested_for);
    }

    expect(days).to.deep.equal(['2026-12-01', '2026-12-02']);
  });

  it('keeps what a refused submission would have edited as it was', async () => {
    const api = await doors.person();
    const order = await doors.draft(api);

    const refused = await move(api, order.id, 'submitted', { losing_carrier: null });

    expect(refused.status).to.equal(400);
    expect((await api.get(one(order))).body.losing_carrier).to.equal('Old Telecom');
  });

  it('is edited by its account in draft and exception alone', async () => {
    const [api, operator] = [await doors.person(), await doors.person('operator')];
    const order = await doors.draft(api);
    const edit = (by: Caller) => by.patch(one(order), { losing_carrier: `Carrier ${doors.time.now}` });
    const seen: Record<string, readonly [number, number]> = {};

    for (const status of [
      'draft',
      'exception',
      'submitted',
      'in_process',
      'foc_confirmed',
      'cancel_pending',
      'ported',
      'canceled',
    ] as const) {
      await doors.place(order.id, status);
      seen[status] = [(await edit(api)).status, (await edit(operator)).status];
    }
    const last = await edit(api);

    expect(seen).to.deep.equal({
      draft: [200, 403],
      exception: [200, 403],
      ...{ submitted: [409, 403], in_process: [409, 403], foc_confirmed: [409, 403] },
      ...{ cancel_pending: [409, 403], ported: [409, 403], canceled: [409, 403] },
    });
    expect(last.body).to.include({ code: 'not_editable', detail: 'A port order that is canceled cannot be changed.' });
  });

  it('changes of the subscriber only what is named, and takes its own mask for the PIN that is there', async () => {
    const [api, operator] = [await doors.person(), await doors.person('operator')];
    const order = await doors.draft(api);

    await api.patch(one(order), { subscriber: { address: '2 Side St', pin: '****52' } });
    const whole = await operator.get(one(order));
    await api.patch(one(order), { subscriber: { pin: null, account_number: '' } });

    expect(whole.body.subscriber).to.deep.equal({ ...SUBSCRIBER, address: '2 Side St' });
    expect((await api.get(one(order))).body.subscriber).to.deep.equal({
      name: 'Jane Doe',
      address: '2 Side St',
      account_number: null,
      pin: null,
    });
  });

  it('shows the PIN whole to operators alone, and stores, logs and tells it nowhere', async () => {
    const [api, operator] = [await doors.person(), await doors.person('operator')];
    const subscriber = { ...SUBSCRIBER, pin: '73519264', account_number: 'QX-55501' };
    const order = await doors.draft(api, { subscriber });
    await moveThrough(order.id, [api, 'submitted'], [operator, 'in_process'], [operator, 'exception']);
    await api.patch(one(order), { subscriber: { pin: '73519265' } });

    const { db } = doors.door.platform;
    const { rows } = await db.raw('select o::text as row from port_orders o where id = ?', [order.id]);
    const timeline = await operator.get(`${one(order)}timeline/`);
    const told = [
      ...doors.door.logged,
      rows[0].row,
      timeline.text,
      JSON.stringify(await doors.events(api.actor.accountId)),
    ].join('\n');
    expect((await operator.get(one(order))).body.subscriber.pin).to.equal('73519265');
    expect((await operator.get(PORT_ORDERS)).text).to.not.include('7351926');
    expect((await api.get(one(order))).body.subscriber).to.include({ pin: '****65', account_number: 'QX-55501' });
    expect(told).to.not.include('7351926');
    expect(told).to.not.include('QX-55501');
    expect(timeline.body[0].changes).to.deep.equal({ 'subscriber.pin': { from: '****', to: '****' } });
  });

  it('is not found by other accounts, whatever they try', async () => {
    const [api, stranger] = [await doors.person(), await doors.person()];
    const order = await doors.draft(api);
    const documentId = (await api.get(one(order))).body.documents[0].id;

    const answers = [
      await stranger.get(one(order)),
      await stranger.patch(one(order), { losing_carrier: 'Mine' }),
      await stranger.patch(one(order), { nonsense: true }),
      await stranger.get(`${one(order)}documents/${documentId}/`),
      await stranger.delete(`${one(order)}documents/${documentId}/`),
      await stranger.get(`${one(order)}comments/`),
      await stranger.post(`${one(order)}comments/`, { text: 'Hello' }),
      await stranger.get(`${one(order)}timeline/`),
      await stranger.get(`${PORT_ORDERS}no-id/`),
    ];

    expect(answers.map(({ status, body }) => [status, body.code])).to.deep.equal(answers.map(() => [404, 'not_found']));
    expect((await stranger.get(`${PORT_ORDERS}?account_id=${api.actor.accountId}`)).body).to.deep.equal([]);
  });

  it('is closed to members, to strangers and to keys without the scope', async () => {
    const api = await doors.person();
    const order = await doors.draft(api);
    const member = await doors.person('member', api.actor.accountId);
    const reader = doors.key(api.actor.accountId, ['port_orders:read']);
    const outsider = doors.key(api.actor.accountId, allScopesBut('port_orders:read'));

    expect((await member.get(PORT_ORDERS)).body).to.include({ status: 403, code: 'permission_denied' });
    expect((await member.post(PORT_ORDERS, {})).status).to.equal(403);
    expect((await doors.door.stranger.get(PORT_ORDERS)).status).to.equal(401);
    expect((await reader.get(one(order))).body.subscriber.pin).to.equal('****52');
    expect((await reader.patch(one(order), {})).body.code).to.equal('insufficient_scope');
    expect((await outsider.get(one(order))).body.code).to.equal('insufficient_scope');
  });

  it('is listed newest first, page by page, to operators across accounts', async () => {
    const [api, other, operator] = [await doors.person(), await doors.person(), await doors.person('operator')];
    const made = [await doors.draft(api), await doors.draft(other), await doors.draft(api)];
    await moveThrough(made[0].id, [api, 'submitted']);
    const both = `account_id=${api.actor.accountId},${other.actor.accountId}`;
    const ids = async (by: Caller, query: string) =>
      (await by.get(`${PORT_ORDERS}?${query}`)).body.map(({ id }: { id: string }) => id);

    const first = await operator.get(`${PORT_ORDERS}?${both}&limit=2`);
    const link = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await operator.get(link);

    expect([...first.body, ...second.body].map(({ id }) => id)).to.deep.equal([made[2].id, made[1].id, made[0].id]);
    expect(second.headers.get('link')).to.equal(null);
    expect(first.body[0].documents).to.have.lengthOf(1);
    expect(await ids(api, '')).to.deep.equal([made[2].id, made[0].id]);
    expect(await ids(operator, `${both}&status=submitted,ported`)).to.deep.equal([made[0].id]);
    expect(await ids(operator, `${both}&phone_number=${encodeURIComponent(made[1].phone_numbers[0])}`)).to.deep.equal([
      made[1].id,
    ]);
    expect((await api.get(`${PORT_ORDERS}?status=lost`)).body.status).to.deep.equal([
      'Must be a comma list of: draft, submitted, in_process, foc_confirmed, exception, cancel_pending, ported, canceled.',
    ]);
    expect((await api.get(`${PORT_ORDERS}?colour=red`)).body.colour).to.deep.equal(['Unknown filter.']);
    expect((await api.get(`${PORT_ORDERS}?cursor=abc`)).body.cursor).to.deep.equal(['Not a valid cursor.']);
  });

  it('has the day that the losing carrier promised, and says when it has passed', async () => {
    const [api, operator] = [await doors.person(), await doors.person('operator')];
    const order = await doors.draft(api);
    await moveThrough(order.id, [api, 'submitted'], [operator, 'in_process']);

    const early = await operator.patch(one(order), { foc_date: '2026-11-30' });
    const accounts = await api.patch(one(order), { foc_date: '2026-11-30' });
    const astray = await move(operator, order.id, 'exception', { foc_date: '2026-11-30' });
    const byWish = await move(operator, order.id, 'foc_confirmed');
    const later = await operator.patch(one(order), { foc_date: '2026-11-22' });
    const today = later.body.foc_overdue;
    doors.time.now += 86_400_000;
    const overdue = await api.get(`${PORT_ORDERS}?foc_overdue=true`);
    const notDue = await api.get(`${PORT_ORDERS}?foc_overdue=false`);
    doors.time.now -= 86_400_000;

    expect(early.body).to.include({ status: 409, code: 'not_editable' });
    expect(accounts.status).to.equal(403);
    expect(astray.body.foc_date).to.deep.equal(['Only with the status foc_confirmed, or alone.']);
    expect(byWish.body).to.include({ foc_date: '2026-12-01', foc_overdue: false });
    expect(later.body).to.include({ status: 'foc_confirmed', foc_date: '2026-11-22' });
    expect(today).to.equal(false);
    expect(overdue.body.map(({ id, foc_overdue }: never) => [id, foc_overdue])).to.deep.equal([[order.id, true]]);
    expect(notDue.body).to.deep.equal([]);
  });

  it('answers a request that changes nothing with the order, and tells nobody', async () => {
    const api = await doors.person();
    const order = await doors.draft(api);
    const before = await doors.events(api.actor.accountId);

    const same = await api.patch(one(order), { losing_carrier: 'Old Telecom', subscriber: { pin: SUBSCRIBER.pin } });

    expect(same.status).to.equal(200);
    expect(await doors.events(api.actor.accountId)).to.have.lengthOf(before.length);
  });
});
