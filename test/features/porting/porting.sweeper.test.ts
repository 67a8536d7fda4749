import { expect } from 'chai';
import { createEventLog } from '../../../src/features/events/index.js';
import { createPorting } from '../../../src/features/porting/index.js';
import { openSecrets, sealSecrets } from '../../../src/features/porting/subscriber-secrets.js';
import { createSecretBox } from '../../../src/platform/secret-box.js';
import { moveThrough, NOW, openPortDoors, PORT_ORDERS, type PortDoors } from './port-doors.js';

const DAY = 86_400_000;

describe('what time does to port orders', () => {
  let doors: PortDoors;

  beforeEach(async () => {
    doors = await openPortDoors();
  });
  afterEach(() => doors.close());

  it('cancels a draft that nobody has touched for 30 days, and tells so', async () => {
    const api = await doors.person();
    const old = await doors.draft(api);
    const touched = await doors.draft(api);
    const submitted = await doors.draft(api);
    await moveThrough(submitted.id, [api, 'submitted']);
    doors.time.now = NOW + 15 * DAY;
    await api.patch(`${PORT_ORDERS}${touched.id}/`, { losing_carrier: 'Another' });

    doors.time.now = NOW + 30 * DAY - 1;
    const early = await doors.porting.tend();
    doors.time.now = NOW + 30 * DAY;
    const due = await doors.porting.tend();
    const again = await doors.porting.tend();

    expect([early.expired, due.expired, again.expired]).to.deep.equal([0, 1, 0]);
    const expired = (await api.get(`${PORT_ORDERS}${old.id}/`)).body;
    expect(expired).to.include({ status: 'canceled', cancel_reason: 'draft_expired', expires_at: null });
    expect(expired.canceled_at).to.equal(new Date(doors.time.now).toISOString());
    expect(await doors.statusOf(touched.id)).to.equal('draft');
    expect(await doors.statusOf(submitted.id)).to.equal('submitted');
    const [entry] = (await api.get(`${PORT_ORDERS}${old.id}/timeline/`)).body;
    expect(entry).to.deep.include({ action: 'status_changed', by: 'system', by_user_id: null });
    const last = (await doors.events(api.actor.accountId)).at(-1);
    expect(last).to.include({ type: 'port_order.status_changed', subjectId: old.id });
  });

  it('expires drafts once, however many processes look', async () => {
    const api = await doors.person();
    for (let i = 0; i < 3; i++) await doors.draft(api);
    doors.time.now = NOW + 31 * DAY;

    const tended = await Promise.all([doors.porting.tend(), doors.porting.tend()]);

    expect(tended.reduce((sum, { expired }) => sum + expired, 0)).to.equal(3);
    const told = (await doors.events(api.actor.accountId)).filter(({ type }) => type === 'port_order.status_changed');
    expect(told).to.have.lengthOf(3);
  });

  it('tells once that a promised day has passed, and once more after another', async () => {
    const [api, operator] = [await doors.person(), await doors.person('operator')];
    const order = await doors.draft(api);
    await moveThrough(order.id, [api, 'submitted'], [operator, 'in_process'], [operator, 'foc_confirmed']);
    const told = await doors.events(api.actor.accountId);

    doors.time.now = Date.parse('2026-12-01T23:59:59.999Z');
    const onTheDay = await doors.porting.tend();
    doors.time.now += 1;
    const after = [await doors.porting.tend(), await doors.porting.tend()];
    await operator.patch(`${PORT_ORDERS}${order.id}/`, { foc_date: '2026-12-03' });
    doors.time.now += 2 * DAY;
    const later = await doors.porting.tend();

    expect([onTheDay, ...after, later].map(({ overdue }) => overdue)).to.deep.equal([0, 1, 0, 1]);
    const news = (await doors.events(api.actor.accountId)).slice(told.length);
    expect(news.map(({ payload }) => [payload.foc_date, payload.foc_overdue])).to.deep.equal([
      ['2026-12-01', true],
      ['2026-12-03', false],
      ['2026-12-03', true],
    ]);
    const [entry] = (await api.get(`${PORT_ORDERS}${order.id}/timeline/`)).body;
    expect(entry).to.include({ action: 'foc_overdue', by: 'system', foc_date: '2026-12-03' });
  });

  it('leaves an account that canceled its draft the reason', async () => {
    const api = await doors.person();
    const order = await doors.draft(api);

    const canceled = await moveThrough(order.id, [api, 'canceled']);

    expect(canceled.body).to.include({ cancel_reason: 'requested', canceled_at: new Date(NOW).toISOString() });
  });

  it('seals anew what was sealed with the previous key, and leaves what no key opens', async () => {
    const api = await doors.person();
    const [stale, lost] = [await doors.draft(api), await doors.draft(api)];
    const { db } = doors.door.platform;
    const [previous, gone] = [createSecretBox('o'.repeat(40), null), createSecretBox('g'.repeat(40), null)];
    const secrets = { accountNumber: 'A-1', pin: '123456' };
    const keep = (id: string, sealed: string | null) =>
      db('port_orders').where({ id }).update('subscriber_secrets', sealed);
    await keep(stale.id, sealSecrets(previous, stale.id, secrets));
    await keep(lost.id, sealSecrets(gone, lost.id, secrets));
    const box = createSecretBox('n'.repeat(40), 'o'.repeat(40));
    const eventLog = createEventLog(db, doors.door.platform.wakeups);
    const porting = createPorting({ ...doors.door.platform, secrets: box }, { eventLog, numbers: doors.numbers });

    const resealed = await porting.reseal();

    const sealed = (await db('port_orders').where({ id: stale.id }).first('subscriber_secrets')).subscriber_secrets;
    expect(resealed).to.deep.equal({ looked: 2, resealed: 1, unreadable: [lost.id] });
    expect(box.isStale(sealed)).to.equal(false);
    expect(openSecrets(box, { id: stale.id, subscriberSecrets: sealed })).to.deep.equal(secrets);
    expect((await api.get(`${PORT_ORDERS}${lost.id}/`)).body.subscriber).to.include({
      account_number: null,
      pin: null,
    });
  });
});
