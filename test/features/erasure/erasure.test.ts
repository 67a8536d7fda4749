import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { createErasureRule } from '../../../src/features/erasure/index.js';
import { createEventTail } from '../../../src/features/events/index.js';
import { newId } from '../../../src/lib/ids.js';
import { startSystem, type TestSystem } from '../../support/system.js';
import { until } from '../../support/until.js';
import { drained } from '../ingestion/lines.js';
import { BASE, createScenes, ERASURES, nationalOf, newNumber } from './scenes.js';

const PATH = ERASURES;

describe('erasure', function () {
  this.timeout(60_000);
  let system: TestSystem;

  before(async () => {
    // Without the role worker: the test itself drains and erases.
    system = await startSystem({ env: { ROLES: 'api,live' } });
  });
  after(() => system.stop());

  const { get, setUp, tell, call, erase, finished, heardOf, dump } = createScenes(() => system);

  it('leaves the number nowhere in the database, in no spelling, and the counts as they were', async () => {
    const scene = await setUp({ country: 'DE' });
    const { party, admin } = scene;
    await tell(scene, call(scene, 'one'));
    await tell(scene, call(scene, 'two', { from: `0${nationalOf(party).slice(0, 3)} ${nationalOf(party).slice(3)}` }));
    await tell(scene, call(scene, 'three', { data: { note: `call ${party} back` } }));
    await tell(scene, {
      ...call(scene, 'four'),
      path: `/?caller=${encodeURIComponent(party)}`,
      headers: { 'x-caller': party },
    });
    await tell(scene, call(scene, 'five', { from: `sip:${party}@example.com` }));
    await tell(scene, call(scene, 'other', { from: '+4915199999999' }));
    // As PHP writes JSON.
    const slashed = `0${nationalOf(party).slice(0, 3)}/${nationalOf(party).slice(3)}`;
    const php = call(scene, 'six', { from: '+4915199999999', data: { note: slashed } });
    await tell(scene, { ...php, body: Buffer.from(String(php.body).replaceAll('/', '\\/')) });
    const [{ id }] = await get(scene, '/api/call_logs/');
    await system.ask('PATCH', `/api/call_logs/${id}/`, {
      token: admin.token,
      body: { note: `Ring ${party.replace('+', '00')}`, tags: [party] },
    });
    await system.ask('PATCH', `/api/call_logs/${id}/`, { token: admin.token, body: { note: 'rung' } });
    const before = await get(scene, '/api/reports/calls/?group_by=country,direction');

    const { id: erasureId } = await erase(scene);
    const done = await finished(scene, erasureId);

    const left = (await dump()).split('\n').filter((row) => row.replaceAll(/[^0-9]/g, '').includes(nationalOf(party)));
    const calls = await get(scene, '/api/call_logs/');
    const callers = calls.map((one: { caller_number: string }) => one.caller_number).sort();
    expect(left).to.deep.equal([]);
    expect(done.pseudonym).to.match(/^erased-de-[0-9a-f]{24}$/);
    expect(callers).to.deep.equal(
      [
        ...Array(2).fill('+4915199999999'),
        ...Array(4).fill(done.pseudonym),
        `sip:${done.pseudonym}@example.com`,
      ].sort(),
    );
    expect(await get(scene, `/api/call_logs/?caller_number=${done.pseudonym}`)).to.have.lengthOf(4);
    expect(await get(scene, '/api/reports/calls/?group_by=country,direction')).to.deep.equal(before);
    expect(done.changed).to.include({ call_logs: 6, inbound_webhooks: 6, call_log_changes: 2 });
  });

  it('leaves every webhook understood as before, the number aside', async () => {
    const scene = await setUp();
    await tell(scene, call(scene, 'a', { from: Number(scene.party.slice(1)) }));
    const [{ id }] = await get(scene, '/api/inbound_webhooks/');
    const before = await get(scene, `/api/inbound_webhooks/${id}/`);

    const { id: erasureId } = await erase(scene);
    const { pseudonym } = await finished(scene, erasureId);

    const after = await get(scene, `/api/inbound_webhooks/${id}/`);
    expect(after.understood.signals[0]).to.deep.equal({ ...before.understood.signals[0], from: pseudonym });
    expect(after.status).to.equal('processed');
  });

  it('is not undone by late webhooks, by replays, or by the same call going on', async () => {
    const scene = await setUp();
    const { admin, party } = scene;
    await tell(scene, call(scene, 'gone', { type: 'call.ringing' }));
    const { id } = await erase(scene);
    await tell(scene, call(scene, 'meanwhile'));
    const { pseudonym } = await finished(scene, id);

    await tell(scene, call(scene, 'gone', { occurred_at: new Date(BASE + 5000).toISOString() }));
    await tell(scene, call(scene, 'later', { from: party.replace('+', '') }));
    await tell(scene, call(scene, 'dialled', { from: party.replace('+', '00') }));
    await tell(scene, call(scene, 'from afar', { from: party.replace('+', '011') }));
    await tell(scene, call(scene, 'returned', { direction: 'outgoing', from: scene.number, to: party }));
    await tell(scene, call(scene, 'nobody', { to: newNumber('+4940') }));
    await system.ask('POST', '/api/inbound_webhooks/replay/', { token: admin.token, body: {} });
    await drained(system);

    const calls = await get(scene, '/api/call_logs/');
    const parties = calls.map((one: Record<string, string>) =>
      one.direction === 'incoming' ? one.caller_number : one.called_number,
    );
    expect(parties).to.deep.equal(Array(6).fill(pseudonym));
    expect((await dump()).includes(party.slice(1))).to.equal(false);
    const logged = await get(scene, '/api/call_events/?after=0&limit=500');
    expect(logged.map((event: { type: string }) => event.type)).to.include.members(['call.ringing', 'call.ended']);
  });

  it('keeps an erased party out of a call log that was made before, and is rebuilt from its facts', async () => {
    const scene = await setUp();
    await tell(scene, call(scene, 'open', { type: 'call.answered' }));
    const { id } = await erase(scene);

    await tell(scene, call(scene, 'open', { from: undefined, to: undefined, direction: undefined }));

    const [{ caller_number, status }] = await get(scene, '/api/call_logs/');
    const { pseudonym } = await finished(scene, id);
    expect([caller_number, status]).to.deep.equal([pseudonym, 'ended']);
  });

  it('is not begun while another process may not have heard of it', async () => {
    const scene = await setUp();
    await tell(scene, call(scene, 'early'));
    const { id } = await erase(scene);

    await system.system.features.erasure.work();

    expect((await get(scene, `${PATH}${id}/`)).status).to.equal('pending');
    expect((await get(scene, '/api/call_logs/'))[0].caller_number).to.equal(scene.party);
  });

  it('waits for transactions that may not have heard of it', async () => {
    const scene = await setUp();
    await tell(scene, call(scene, 'x'));
    const release = { now: (): void => undefined };
    const held = system.db.transaction(async (tx) => {
      await tx.raw('select 1');
      await new Promise<void>((resolve) => {
        release.now = resolve;
      });
    });
    const { id } = await erase(scene);
    await heardOf(id);
    const work = system.system.features.erasure.work();
    await pause(200);

    // Nor may an id be renamed: who has not heard of it would look for the call under the old one.
    const [begun] = await system.db('erasures').where({ id });
    expect([begun.status, begun.ids_since]).to.deep.equal(['pending', null]);
    release.now();
    await held;
    await work;
    expect((await get(scene, `${PATH}${id}/`)).status).to.equal('done');
  });

  it('makes live readers forget the events that they hold in memory', async () => {
    const scene = await setUp();
    const tail = createEventTail(system.system.platform);
    const ignore = { events: () => undefined, broken: () => undefined };
    const following = await tail.follow(scene.admin.accountId, ignore);
    const begin = following.position();
    await tell(scene, call(scene, 'seen'));
    await following.reach(begin + 1);
    expect(JSON.stringify(following.recent(begin))).to.include(scene.party);

    await finished(scene, (await erase(scene)).id);

    await until('it is forgotten', () => following.recent(begin) === null);
    await tail.close();
  });

  it('goes on after a change of the encryption key, and fails webhooks rather than let the number in without it', async () => {
    const scene = await setUp();
    const other = await setUp();
    await tell(scene, call(scene, 'first'));
    const { pseudonym } = await finished(scene, (await erase(scene)).id);
    const rotated = { ENCRYPTION_KEY: 'n'.repeat(40) };
    const previous = { ENCRYPTION_KEY_PREVIOUS: 'e'.repeat(40) };

    const renewing = await startSystem({ beside: system, env: { ...rotated, ...previous, ROLES: 'api' } });
    const { features } = renewing.system;
    const old = await system.db('erasure_keys').where({ account_id: scene.admin.accountId }).first();
    const resealed = await features.erasure.reseal();
    await renewing.stop();
    const keyless = createErasureRule(system.system.platform);

    expect(resealed.unreadable).to.deep.equal([]);
    expect(resealed.resealed).to.be.above(0);
    const erasedIn = await keyless.erasedIn();
    expect(() => erasedIn(scene.admin.accountId, scene.party)).to.throw('not at hand');
    expect(erasedIn(other.admin.accountId, scene.party)).to.equal(null);
    await system.db('erasure_keys').where({ account_id: scene.admin.accountId }).update({ sealed_key: old.sealed_key });
    const found = (await createErasureRule(system.system.platform).erasedIn())(scene.admin.accountId, scene.party);
    expect(found?.pseudonym).to.equal(pseudonym);
  });

  it('touches no other account, where the same number has another pseudonym', async () => {
    const mine = await setUp();
    const other = { ...(await setUp()), party: mine.party };
    await tell(mine, call(mine, 'm'));
    await tell(other, call(other, 'o'));

    const first = await finished(mine, (await erase(mine)).id);

    expect((await get(other, '/api/call_logs/'))[0].caller_number).to.equal(mine.party);
    const second = await finished(other, (await erase(other)).id);
    expect(second.pseudonym).to.not.equal(first.pseudonym);
  });

  it('keeps no number once it is done, and asked twice is the same erasure', async () => {
    const scene = await setUp();
    const first = await erase(scene);
    await finished(scene, first.id);

    const again = await erase(scene, scene.party.replace('+', ''));

    const row = await system.db('erasures').where({ account_id: scene.admin.accountId });
    expect(again.id).to.equal(first.id);
    expect(row).to.have.lengthOf(1);
    await finished(scene, again.id);
    expect((await system.db('erasures').where({ id: first.id }).first()).sealed_number).to.equal(null);
    expect((await get(scene, PATH)).map((one: { id: string }) => one.id)).to.deep.equal([first.id]);
  });

  it('refuses the account’s own numbers, malformed ones, members, and what is not there', async () => {
    const scene = await setUp();
    const member = await system.createMember(scene.admin);
    const ask = (body: unknown, token = scene.admin.token) => system.ask('POST', PATH, { token, body });

    const own = await ask({ phone_number: scene.number });
    const malformed = await ask({ phone_number: '12' });
    const missing = await ask({});
    const nationally = await ask({ phone_number: '0151 1234567', country: 'DE' });

    expect([own.status, own.body.phone_number]).to.deep.equal([
      400,
      ['A virtual number of the account cannot be erased.'],
    ]);
    expect([malformed.status, malformed.body.phone_number]).to.deep.equal([400, ['Phone number must be 8-15 digits']]);
    expect([missing.status, missing.body.phone_number]).to.deep.equal([400, ['This field is required.']]);
    expect(nationally.status).to.equal(202);
    expect((await ask({ phone_number: scene.party }, member.token)).status).to.equal(403);
    expect((await system.ask('GET', `${PATH}${newId()}/`, { token: scene.admin.token })).status).to.equal(404);
  });
});
