import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { createCarrierLines } from '../../../src/features/carriers/carrier-lines.js';
import { type Carriers, createCarriers } from '../../../src/features/carriers/index.js';
import { AppError } from '../../../src/lib/errors.js';
import { newId } from '../../../src/lib/ids.js';
import { createSecretBox } from '../../../src/platform/secret-box.js';
import { type Door, makeActor, openDoor } from '../../support/door.js';

describe('carriers’ lines', () => {
  let door: Door;
  let carriers: Carriers;
  let now = Date.now();

  before(async () => {
    door = await openDoor(
      (platform) => {
        carriers = createCarriers(platform);
        return carriers.routes;
      },
      { clock: { now: () => now } },
    );
  });
  after(() => door.close());

  const signer = () => randomBytes(16).toString('hex');

  async function makeLine(secret = signer()) {
    const api = door.as(makeActor({ accountId: await door.makeAccount() }));
    const line = { provider: 'twilio', name: 'A line', credentials: { auth_token: secret }, country: 'DE' };
    const { body } = await api.post('/api/carriers/', line);
    return { api, id: body.id as string, path: `/api/carriers/${body.id}/` };
  }

  it('opens what the webhook door needs', async () => {
    const secret = signer();
    const { api, id } = await makeLine(secret);

    const line = await carriers.lookUp(id);

    expect(line).to.deep.include({
      id,
      accountId: api.actor.accountId,
      provider: 'twilio',
      secrets: { auth_token: [secret] },
      isActive: true,
      isDeleted: false,
      voiceUrl: null,
      country: 'DE',
      plain: {},
    });
    expect(line?.adapter.name).to.equal('twilio');
    expect(await carriers.lookUp(newId())).to.equal(null);
  });

  it('knows of a change made here at once', async () => {
    const { api, id, path } = await makeLine();
    const [first, second] = [signer(), signer()];
    await carriers.lookUp(id);

    await api.patch(path, { credentials: { auth_token: [second, first] }, is_active: false });
    const line = await carriers.lookUp(id);

    expect(line?.secrets).to.deep.equal({ auth_token: [second, first] });
    expect(line?.isActive).to.equal(false);
  });

  it('is unknown to the door once it is deleted, and still known to the worker, without secrets', async () => {
    const { api, id, path } = await makeLine();
    await carriers.lookUp(id);

    await api.delete(path);

    expect(await carriers.lookUp(id)).to.equal(null);
    expect(await carriers.lookUpKept(id)).to.deep.include({ id, isDeleted: true, secrets: {} });
  });

  it('asks the database once for many webhooks, and again after a second', async () => {
    const { id } = await makeLine();
    let asked = 0;
    const { db, secrets, wakeups } = door.platform;
    const counted = new Proxy(db, {
      get: (target, name) => {
        if (name === 'raw') asked += 1;
        return Reflect.get(target, name);
      },
    });
    const lines = createCarrierLines({ db: counted, clock: { now: () => now }, secrets, wakeups });

    await Promise.all(Array.from({ length: 50 }, () => lines.find(id)));
    for (let i = 0; i < 50; i += 1) await lines.find(id);
    const atOnce = asked;
    now += 1000;
    await lines.find(id);

    expect([atOnce, asked]).to.deep.equal([1, 2]);
    lines.close();
  });

  it('says that it is unavailable when the database cannot be asked, with Retry-After', async () => {
    const broken = new Proxy(door.platform.db, {
      get: (target, name) =>
        name === 'raw' ? () => Promise.reject(new Error('no connection')) : Reflect.get(target, name),
    });
    const { secrets, wakeups } = door.platform;
    const lines = createCarrierLines({ db: broken, clock: { now: () => now }, secrets, wakeups });

    const error = await lines.find(newId()).catch((thrown: unknown) => thrown);

    expect(error).to.be.instanceOf(AppError);
    expect((error as AppError).kind).to.equal('unavailable');
    expect((error as AppError).headers).to.have.property('Retry-After');
    lines.close();
  });

  it('shows the last accepted and the last refused webhook, and counts both', async () => {
    const { api, id, path } = await makeLine();
    const at = Date.UTC(2026, 2, 1, 12);
    const webhook = newId();

    carriers.activity.accepted(id, { at, inboundWebhookId: newId() });
    carriers.activity.accepted(id, { at: at + 1000, inboundWebhookId: webhook });
    carriers.activity.refused(id, { at: at + 2000, code: 'bad_signature', detail: 'Look at the \u0000 token.' });
    await carriers.activity.flush();
    carriers.activity.refused(id, { at: at + 3000, code: 'stale_timestamp', detail: 'Too \ud800 old.' });

    expect((await api.get(path)).body).to.deep.include({
      last_event_at: '2026-03-01T12:00:01.000Z',
      last_accepted: { at: '2026-03-01T12:00:01.000Z', inbound_webhook_id: webhook },
      last_refused: { at: '2026-03-01T12:00:03.000Z', code: 'stale_timestamp', detail: 'Too \ufffd old.' },
      accepted_count: 2,
      refused_count: 2,
    });
  });

  it('keeps what could not be written for the next time', async () => {
    const { api, id, path } = await makeLine();
    const { db } = door.platform;

    await db.raw('alter table carrier_activity rename to carrier_activity_away');
    carriers.activity.accepted(id, { at: now });
    await carriers.activity.flush();
    await db.raw('alter table carrier_activity_away rename to carrier_activity');
    carriers.activity.accepted(id, { at: now });

    expect((await api.get(path)).body.accepted_count).to.equal(2);
  });

  it('passes over what was heard on a line that is not there', async () => {
    const { api, id, path } = await makeLine();

    carriers.activity.refused(newId(), { at: now, code: 'bad_signature', detail: 'x' });
    carriers.activity.refused(id, { at: now, code: 'bad_signature', detail: 'x' });

    expect((await api.get(path)).body.refused_count).to.equal(1);
  });

  it('seals anew what was sealed with the previous key, and names what neither key opens', async () => {
    const secret = signer();
    const { id } = await makeLine(secret);
    const { platform } = door;
    const place = `carriers.credentials:${id}`;
    const old = createSecretBox('the key before the present one, 32+', null);
    const sealed = old.seal(JSON.stringify({ auth_token: [secret] }), place);
    await platform.db('carriers').where({ id }).update({ credentials: sealed });
    const present = 'the present key of 32 or more characters';
    const rotated = createCarriers({
      ...platform,
      secrets: createSecretBox(present, 'the key before the present one, 32+'),
    });
    await platform.db.raw('truncate carrier_activity');
    await platform.db('carriers').whereNot({ id }).del();
    const lost = createSecretBox('a key that nobody has any more, 32+', null).seal('{}', 'elsewhere');
    const row0 = {
      provider: 'twilio',
      name: 'Lost',
      credential_names: [],
      created_at: new Date(),
      updated_at: new Date(),
    };
    const lostId = newId();
    await platform.db('carriers').insert({ ...row0, id: lostId, credentials: lost });

    const first = await rotated.service.reseal();
    const second = await rotated.service.reseal();

    const row = await platform.db('carriers').where({ id }).first();
    expect([first, second]).to.deep.equal([
      { looked: 2, resealed: 1, unreadable: [lostId] },
      { looked: 2, resealed: 0, unreadable: [lostId] },
    ]);
    expect(JSON.parse(createSecretBox(present, null).open(row.credentials, place))).to.deep.equal({
      auth_token: [secret],
    });
  });
});
