import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { readRebuildCommand, runRebuild } from '../../../src/cli/rebuild-calls.js';
import { lockFamilies } from '../../../src/features/calls/calls.repository.js';
import { type CallIdRule, renameCallIds, renameOf } from '../../../src/features/calls/index.js';
import { createErasureRule } from '../../../src/features/erasure/index.js';
import { newId } from '../../../src/lib/ids.js';
import { isTransient } from '../../../src/platform/db/errors.js';
import { run } from '../../../src/platform/db/statement.js';
import { startSystem, type TestSystem, unique } from '../../support/system.js';
import { until } from '../../support/until.js';
import { type Delivery, deliver, drained, type Line, openLine } from '../ingestion/lines.js';
import { createScenes, nationalOf, newNumber, type Scene } from './scenes.js';

type Row = Record<string, string | null>;

describe('erasure of numbers in the ids of calls', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let operator: { readonly token: string };

  before(async () => {
    // Without the role worker: the test itself drains and erases.
    system = await startSystem({ env: { ROLES: 'api,live' } });
    operator = await system.createOperator();
  });
  after(() => system.stop());

  const scenes = createScenes(() => system);
  const { get, setUp, tell, erase, finished, finishedInTime, heardOf, dump } = scenes;
  // On a shared carrier a call is nobody's that began before its number was held.
  const began = Date.now() + 3_600_000;
  const at = (seconds: number): string => new Date(began + seconds * 1000).toISOString();
  const call: typeof scenes.call = (scene, id, more) => scenes.call(scene, id, { occurred_at: at(0), ...more });

  const sharedLine = async (provider = 'generic'): Promise<Line> =>
    openLine(system, operator as never, provider, { shared: true });

  const KINDS: readonly (readonly [string, (provider?: string) => Promise<Scene>])[] = [
    [
      'an own carrier',
      async (provider = 'generic') => {
        const scene = await setUp();
        return provider === 'generic' ? scene : { ...scene, line: await openLine(system, scene.admin, provider) };
      },
    ],
    ['a shared carrier', async (provider) => setUp({ line: await sharedLine(provider) })],
  ];

  const telnyx = (scene: Scene, type: string, leg: string, session: string, more: Row = {}): Delivery => ({
    contentType: 'application/json',
    body: Buffer.from(
      JSON.stringify({
        data: {
          ...{ id: newId(), event_type: type, occurred_at: more.at ?? at(0) },
          payload: { call_leg_id: leg, call_session_id: session, from: scene.party, to: scene.number, ...more },
        },
      }),
    ),
  });

  const calls = async (scene: Pick<Scene, 'admin'>): Promise<Row[]> => get(scene, '/api/call_logs/?limit=500');
  const callOf = async (scene: Scene, id: string): Promise<Row> => {
    const found = (await calls(scene)).filter((one) => one.carrier_call_id === id);
    expect(found, id).to.have.lengthOf(1);
    return found[0] as Row;
  };
  const typesOf = async (scene: Scene, id: string | null | undefined): Promise<string[]> =>
    (await get(scene, `/api/call_logs/${id}/events/`)).map((event: { type: string }) => event.type);
  const rowsWith = async (text: string): Promise<string[]> =>
    (await dump()).split('\n').filter((row) => row.replaceAll(/[^0-9]/g, '').includes(text));

  async function replayAll(scene: Scene): Promise<void> {
    await system.ask('POST', '/api/inbound_webhooks/replay/', { token: scene.admin.token, body: {} });
    await drained(system);
  }

  /** What a call log says, its moments of change aside. */
  const said = async (scene: Scene) =>
    (await calls(scene)).map(({ updated_at, ...rest }) => rest).sort((a, b) => Number(`${a.id}` > `${b.id}`) - 0.5);

  async function rebuild(scene: Scene, ...args: string[]): Promise<string[]> {
    const lines: string[] = [];
    const command = readRebuildCommand(['--account', scene.admin.accountId, ...args]);
    await runRebuild(system.system.features.ingestion, command, (line) => lines.push(line));
    await drained(system);
    return lines;
  }

  async function rebuilt(scene: Scene): Promise<string[]> {
    const lines = await rebuild(scene);
    expect(lines.pop()).to.match(/ calls looked at, 0 changed/);
    return lines;
  }

  for (const [kind, open] of KINDS) {
    describe(`of ${kind}`, () => {
      it('leaves it nowhere, in no spelling, and what comes late with the old ids joins the calls', async () => {
        const scene = await open();
        const { party } = scene;
        const spelled = [
          `out-${party}-1`,
          party.slice(1),
          `x/00${party.slice(1)}.17`,
          `0${nationalOf(party)}@host`,
          `call ${nationalOf(party).slice(0, 3)} ${nationalOf(party).slice(3)};a`,
        ].map((id) => (id === party.slice(1) ? id : `${unique('c').replaceAll(/[0-9]/g, 'd')}:${id}`));
        for (const id of spelled) await tell(scene, call(scene, id, { type: 'call.ringing' }));
        const before = (await calls(scene)).map(({ id }) => id).sort();
        // As of a webhook that speaks of several legs, one of which is unknown.
        const legKeys = [spelled[0], `gone-${party}`].map((id) => `leg:${scene.line.id}:${id}`);
        await system.db('inbound_webhooks').where({ call_log_id: before[0] }).update({ leg_keys: legKeys });

        const { pseudonym } = await finished(scene, (await erase(scene)).id);
        const left = await rowsWith(nationalOf(party));
        for (const id of spelled) {
          await tell(
            scene,
            call(scene, id, { from: undefined, to: undefined, direction: undefined, occurred_at: at(9) }),
          );
        }
        await replayAll(scene);

        const after = await calls(scene);
        expect(left).to.deep.equal([]);
        expect(await rowsWith(nationalOf(party))).to.deep.equal([]);
        expect(after.map(({ id }) => id).sort()).to.deep.equal(before);
        expect(after.every(({ carrier_call_id }) => `${carrier_call_id}`.includes(pseudonym))).to.equal(true);
        expect(after.map(({ status }) => status)).to.deep.equal(spelled.map(() => 'ended'));
        expect(await typesOf(scene, after[0]?.id)).to.deep.equal(['call.ringing', 'call.ended']);
      });

      it('keeps parents joined, those that come later as well', async () => {
        const scene = await open();
        const root = `root-${scene.party}`;
        const child = (id: string) =>
          call(scene, id, { direction: 'outgoing', from: '+12025550111', to: '+12025550122', parent_call_id: root });
        await tell(scene, call(scene, root, { type: 'call.answered' }), child(`a-${root}`));

        const { pseudonym } = await finished(scene, (await erase(scene)).id);
        await tell(scene, child(`b-${root}`), call(scene, root, { occurred_at: at(9) }));
        await replayAll(scene);

        const parent = await callOf(scene, `root-${pseudonym}`);
        const children = (await calls(scene)).filter(({ id }) => id !== parent.id);
        expect(parent.status).to.equal('ended');
        expect(children.map(({ carrier_call_id }) => carrier_call_id).sort()).to.deep.equal([
          `a-root-${pseudonym}`,
          `b-root-${pseudonym}`,
        ]);
        expect(children.map((one) => one.parent_call_log_id)).to.deep.equal([parent.id, parent.id]);
        expect(await rowsWith(nationalOf(scene.party))).to.deep.equal([]);
      });

      it('keeps sessions joined, with legs that come before and after', async () => {
        const scene = await open('telnyx');
        const session = `s:${scene.party}`;
        const leg = (id: string, type: string, more: Row = {}) => telnyx(scene, type, id, session, more);
        const inner = { direction: 'outgoing', from: '+12025550111', to: '+12025550122' };
        await tell(scene, leg('root', 'call.initiated', { direction: 'incoming' }));
        await tell(scene, leg('one', 'call.initiated', inner));

        await finished(scene, (await erase(scene)).id);
        await tell(scene, leg('two', 'call.initiated', inner), leg('one', 'call.hangup', { at: at(5), ...inner }));
        const { parent_call_log_id: parent } = await callOf(scene, 'two');
        await replayAll(scene);
        const before = await said(scene);

        expect(await rebuilt(scene)).to.deep.equal([]);
        expect(await said(scene)).to.deep.equal(before);
        const root = await callOf(scene, 'root');
        expect([parent, (await callOf(scene, 'one')).parent_call_log_id]).to.deep.equal([root.id, root.id]);
        expect((await callOf(scene, 'one')).status).to.equal('ended');
        const sessions = await system.db('call_logs').where({ carrier_id: scene.line.id }).distinct('session_id');
        expect(sessions).to.have.lengthOf(1);
        expect(await rowsWith(nationalOf(scene.party))).to.deep.equal([]);
      });

      it('takes up what waits for its other half, or for its parent', async () => {
        const scene = await open();
        const { party } = scene;
        const [root, half, again, both] = ['root', 'half', 'again', 'both'].map((id) => `${id}-${party}`) as string[];
        const nothing = { from: undefined, to: undefined, direction: undefined };
        const child = (id: string) =>
          call(scene, id, { direction: 'outgoing', from: '+12025550111', to: '+12025550122', parent_call_id: root });
        await tell(scene, child('early'), call(scene, half, nothing));
        expect(await calls(scene)).to.deep.equal([]);

        const { pseudonym } = await finished(scene, (await erase(scene)).id);
        await tell(scene, child('late'), call(scene, again, nothing));
        await tell(scene, call(scene, both, { type: 'call.updated' }));
        await tell(scene, call(scene, both, nothing));
        const waiting = await rowsWith(nationalOf(party));
        expect(waiting.filter((row) => row.includes(scene.admin.accountId))).to.deep.equal([]);
        await tell(scene, call(scene, root), call(scene, half, { type: 'call.ringing' }));
        await tell(scene, call(scene, again, { type: 'call.ringing' }));

        const parent = await callOf(scene, `root-${pseudonym}`);
        for (const id of ['early', 'late']) expect((await callOf(scene, id)).parent_call_log_id).to.equal(parent.id);
        for (const id of ['half', 'again', 'both']) {
          expect((await callOf(scene, `${id}-${pseudonym}`)).status).to.equal('ended');
        }
        const left = await system.db('seen_webhooks').where({ carrier_id: scene.line.id, status: 'waiting' });
        expect(left).to.deep.equal([]);
        expect(await calls(scene)).to.have.lengthOf(6);
        expect(await rowsWith(nationalOf(party))).to.deep.equal([]);
      });

      it('names calls that begin later by the pseudonym at once, and finds them by the old id and the new', async () => {
        const scene = await open();
        const { pseudonym } = await finished(scene, (await erase(scene)).id);
        const id = `new-${scene.party}`;

        await tell(scene, call(scene, id, { type: 'call.initiated' }), call(scene, id, { type: 'call.answered' }));
        await tell(scene, call(scene, `new-${pseudonym}`, { from: pseudonym, occurred_at: at(7) }));

        const { status, id: callId } = await callOf(scene, `new-${pseudonym}`);
        expect(status).to.equal('ended');
        expect(await calls(scene)).to.have.lengthOf(1);
        expect(await typesOf(scene, callId)).to.deep.equal(['call.initiated', 'call.answered', 'call.ended']);
        expect(await rowsWith(nationalOf(scene.party))).to.deep.equal([]);
        expect(await rebuilt(scene)).to.deep.equal([]);
      });

      it('loses and doubles nothing while workers drain, and the same calls go on', async () => {
        const scene = await open();
        // One of them works off from memory what it is delivered.
        const beside = await Promise.all(
          ['api', 'api,live,worker'].map((ROLES) => startSystem({ beside: system, env: { ROLES } })),
        );
        const ids = Array.from({ length: 24 }, (_, place) => `r${place}-${scene.party}`);
        const states = ['initiated', 'ringing', 'answered', 'ended'] as const;
        // The parties are told once: until then the other webhooks of the call wait for that one.
        const told = states.flatMap((state, step) =>
          ids.map((id, place) =>
            call(scene, id, {
              ...{ type: `call.${state}`, occurred_at: at(step) },
              ...(place % 4 !== step && { from: undefined, to: undefined, direction: undefined }),
              ...(place > 0 && place % 3 === 0 && { parent_call_id: ids[0] }),
              ...(place % 2 === step % 2 && { data: { note: `ring ${scene.party}` } }),
            }),
          ),
        );
        const shuffled = told.map((one) => ({ one, key: Math.random() })).sort((a, b) => a.key - b.key);
        const { id: erasureId } = await erase(scene);
        let isDone = false;
        const erased = finishedInTime(scene, erasureId).then((done) => {
          isDone = true;
          return done;
        });
        const drains = [system, ...beside].map(async (one) => {
          while (!isDone) {
            // A deadlock may end a run, as any passing fault of the database; the next look begins again.
            await one.system.features.ingestion.drain().catch((error: unknown) => {
              if (!isTransient(error)) throw error;
            });
          }
        });

        for (let from = 0; from < shuffled.length; from += 4) {
          const some = shuffled.slice(from, from + 4);
          const doors = some.map((_, place) => [system, ...beside][(from + place) % 3] as TestSystem);
          const answers = await Promise.all(
            some.map(({ one }, place) => deliver(doors[place] as TestSystem, scene.line, one)),
          );
          expect(answers).to.deep.equal(some.map(() => 204));
          await pause(100);
        }
        const { pseudonym } = await erased;
        await Promise.all(drains);
        await drained(system);
        await replayAll(scene);
        await Promise.all(beside.map((one) => one.stop()));

        const after = await calls(scene);
        expect(after.map((one) => one.carrier_call_id).sort()).to.deep.equal(
          ids.map((id) => id.replace(scene.party, pseudonym)).sort(),
        );
        expect(after.map(({ status }) => status)).to.deep.equal(ids.map(() => 'ended'));
        const root = await callOf(scene, `r0-${pseudonym}`);
        expect(after.filter((one) => one.parent_call_log_id === root.id)).to.have.lengthOf(7);
        for (const one of after)
          expect(await typesOf(scene, one.id)).to.include.members(states.map((s) => `call.${s}`));
        expect(await rowsWith(nationalOf(scene.party))).to.deep.equal([]);
        expect(await rebuilt(scene)).to.deep.equal([]);
      });
    });
  }

  it('leaves the calls of another account of the carrier as they are, whose ids hold the same number', async () => {
    const line = await sharedLine();
    const mine = await setUp({ line });
    const other = { ...(await setUp({ line })), party: mine.party };
    await tell(mine, call(mine, `m-${mine.party}`, { type: 'call.ringing' }));
    await tell(other, call(other, `o-${mine.party}`, { type: 'call.ringing' }));
    await tell(mine, call(mine, 'm0', { parent_call_id: `o-${mine.party}` }));
    const before = await said(other);

    const first = await finished(mine, (await erase(mine)).id);
    await tell(mine, call(mine, `m-${mine.party}`), call(mine, `m2-${mine.party}`));

    expect(await said(other)).to.deep.equal(before);
    await tell(
      other,
      call(other, `o-${mine.party}`),
      call(other, `o2-${mine.party}`, { parent_call_id: `m-${mine.party}` }),
    );
    await tell(mine, call(mine, `m3-${mine.party}`, { parent_call_id: `o-${mine.party}` }));
    const left = (await rowsWith(nationalOf(mine.party))).filter((row) => row.includes(mine.admin.accountId));
    expect(left).to.deep.equal([]);
    const names = (rows: Row[]) => rows.map((one) => one.carrier_call_id).sort();
    expect(names(await calls(other))).to.deep.equal([`o-${mine.party}`, `o2-${mine.party}`]);
    expect((await callOf(other, `o-${mine.party}`)).status).to.equal('ended');
    expect(names(await calls(mine))).to.deep.equal(
      ['m', 'm2', 'm3']
        .map((name) => `${name}-${first.pseudonym}`)
        .concat('m0')
        .sort(),
    );
    const second = await finished(other, (await erase(other)).id);
    await tell(other, call(other, `o-${mine.party}`, { type: 'call.answered' }));
    expect(names(await calls(other))).to.deep.equal(['o', 'o2'].map((name) => `${name}-${second.pseudonym}`));
    expect(names(await calls(mine))).to.deep.equal(
      ['m', 'm2', 'm3']
        .map((name) => `${name}-${first.pseudonym}`)
        .concat('m0')
        .sort(),
    );
    expect(await rowsWith(nationalOf(mine.party))).to.deep.equal([]);
  });

  it('keeps the parents of another account in a session of both, also when its calls are made anew', async () => {
    const line = await sharedLine('telnyx');
    const mine = await setUp({ line });
    const other = await setUp({ line });
    const session = `s:${mine.party}`;
    const outgoing = { direction: 'outgoing', from: other.number, to: '+12025550122' };
    await tell(mine, telnyx(mine, 'call.initiated', 'root', session, { direction: 'incoming' }));
    for (const leg of ['one', 'two']) await tell(other, telnyx(other, 'call.initiated', leg, session, outgoing));
    const before = await said(other);

    await finished(mine, (await erase(mine)).id);
    await tell(other, telnyx(other, 'call.initiated', 'three', session, outgoing));

    expect(await rebuilt(other)).to.deep.equal([]);
    expect(before.map((one) => one.parent_call_log_id)).to.deep.equal([null, null]);
    expect((await said(other)).filter(({ carrier_call_id: id }) => id !== 'three')).to.deep.equal(before);
    expect((await callOf(other, 'three')).parent_call_log_id).to.equal(null);
  });

  it('keeps two calls apart whose ids differ in the spelling alone', async () => {
    const scene = await setUp();
    const [one, two] = [`c-${scene.party}`, `c-${scene.party.slice(1)}`];
    await tell(scene, call(scene, one, { type: 'call.ringing' }), call(scene, two, { type: 'call.answered' }));
    const before = new Map((await calls(scene)).map(({ id, status }) => [id, status]));

    const { pseudonym } = await finished(scene, (await erase(scene)).id);
    await tell(scene, call(scene, one, { occurred_at: at(5), price: '1', currency: 'EUR' }));
    await tell(scene, call(scene, two, { occurred_at: at(6), price: '2', currency: 'EUR' }));

    const after = await calls(scene);
    expect(after.map(({ id }) => id).sort()).to.deep.equal([...before.keys()].sort());
    expect(after.map((row) => row.carrier_call_id).sort()).to.deep.equal([`c-${pseudonym}`, `c-${pseudonym}~2`]);
    for (const { id, price } of after) expect(price).to.equal(before.get(id as string) === 'ringing' ? '1' : '2');
  });

  it('renames what holds two numbers once for each, and finds it by all that it was called', async () => {
    const scene = await setUp();
    const second = newNumber('+49152');
    const id = `${scene.party}>${second}`;
    await tell(scene, call(scene, id, { type: 'call.ringing' }));

    const a = await finished(scene, (await erase(scene)).id);
    const b = await finished(scene, (await erase(scene, second)).id);
    await tell(scene, call(scene, `${a.pseudonym}>${second}`, { type: 'call.answered' }), call(scene, id));

    const { status } = await callOf(scene, `${a.pseudonym}>${b.pseudonym}`);
    expect(status).to.equal('ended');
    expect(await calls(scene)).to.have.lengthOf(1);
    expect(await rowsWith(nationalOf(second))).to.deep.equal([]);
  });

  it('does so with ids as long as they may be', async () => {
    const scene = await setUp();
    const id = `${scene.party}${'x'.repeat(255 - scene.party.length)}`;
    await tell(scene, call(scene, id, { type: 'call.ringing' }));

    const { pseudonym } = await finished(scene, (await erase(scene)).id);
    await tell(scene, call(scene, id));
    await replayAll(scene);

    expect((await callOf(scene, id.replace(scene.party, pseudonym))).status).to.equal('ended');
    const statuses = await system.db('seen_webhooks').where({ carrier_id: scene.line.id }).pluck('status');
    expect(statuses).to.deep.equal(['processed', 'processed']);
  });

  it('leaves ids and webhooks as they came until everybody knows, and takes all of them then', async () => {
    const scene = await setUp();
    const id = `soon-${scene.party}`;
    const half = `half-${scene.party}`;
    const { id: erasureId } = await erase(scene);

    await tell(scene, call(scene, id, { type: 'call.ringing' }));
    await tell(scene, call(scene, half, { direction: undefined, type: 'call.updated' }));
    const early = await callOf(scene, id);
    await replayAll(scene);
    await tell(scene, call(scene, half, { type: 'call.ringing' }));
    expect(await calls(scene)).to.have.lengthOf(2);
    const { pseudonym } = await finished(scene, erasureId);
    await replayAll(scene);

    expect(early.caller_number).to.equal(pseudonym);
    expect((await callOf(scene, `soon-${pseudonym}`)).id).to.equal(early.id);
    expect(await calls(scene)).to.have.lengthOf(2);
    expect(await rowsWith(nationalOf(scene.party))).to.deep.equal([]);
  });

  it('joins what was still pending when its webhook was rewritten', async () => {
    const scene = await setUp();
    const id = `pending-${scene.party}`;
    expect(await deliver(system, scene.line, call(scene, id, { type: 'call.ringing' }))).to.equal(204);

    const { pseudonym } = await finished(scene, (await erase(scene)).id);
    await tell(scene, call(scene, 'child', { parent_call_id: id }));
    const child = await callOf(scene, 'child');
    await tell(scene, call(scene, id, { from: undefined, to: undefined, direction: undefined }));

    const parent = await callOf(scene, `pending-${pseudonym}`);
    expect([parent.status, child.parent_call_log_id]).to.deep.equal(['ended', parent.id]);
    expect(await calls(scene)).to.have.lengthOf(2);
  });

  it('looks again under the locks whether an id was renamed meanwhile', async () => {
    const scene = await setUp();
    await finished(scene, (await erase(scene)).id);
    const names = { legs: [{ carrierId: scene.line.id, callId: 'r-5551234567' }], parents: [], sessions: [] };
    const rename = { kind: 'leg', carrierId: scene.line.id, from: 'r-5551234567', to: 'renamed' } as const;
    const rule = await createErasureRule(system.system.platform).callIds();
    await tell(scene, call(scene, rename.from, { type: 'call.ringing' }));
    expect(await deliver(system, scene.line, call(scene, rename.from))).to.equal(204);

    const { draining } = await system.db.transaction(async (tx) => {
      await run(tx, lockFamilies(names));
      const begun = { draining: system.system.features.ingestion.drain() };
      await until('the drain waits for the lock', async () => {
        const { rows } = await tx.raw(`select 1 from pg_locks where locktype = 'advisory' and not granted`);
        return rows.length > 0;
      });
      await renameCallIds(tx, [renameOf(rule as CallIdRule, rename)]);
      return begun;
    });
    await draining;

    expect((await callOf(scene, 'renamed')).status).to.equal('ended');
    expect(await calls(scene)).to.have.lengthOf(1);
  });

  it('renames nothing while a transaction is open that may not know of it', async () => {
    const scene = await setUp();
    await tell(scene, call(scene, `open-${scene.party}`));
    const { id } = await erase(scene);
    await heardOf(id);
    let isDone = false;

    const { work } = await system.db.transaction(async (tx) => {
      await tx.raw('select 1');
      const begun = system.system.features.erasure.work().then(() => {
        isDone = true;
      });
      await until('it is to be done', async () => {
        const row = await system.db('erasures').where({ id }).first();
        return row.ids_since !== null;
      });
      await pause(200);
      expect(isDone).to.equal(false);
      await callOf(scene, `open-${scene.party}`);
      return { work: begun };
    });
    await work;

    const { pseudonym } = await finished(scene, id);
    await callOf(scene, `open-${pseudonym}`);
  });

  it('renames nothing for what is only shown', async () => {
    const scene = await setUp();
    const id = `shown-${scene.party}`;
    await tell(scene, call(scene, id));
    const { id: callId } = await callOf(scene, id);
    const erasure = await erase(scene);
    await system.db('erasures').where({ id: erasure.id }).update({ ids_since: system.db.fn.now() });

    const shown = await rebuild(scene, '--dry-run');

    const unchanged = await callOf(scene, id);
    const { pseudonym } = await finished(scene, erasure.id);
    expect(shown).to.deep.equal([
      `${callId} generic ${id}: caller_number: ${scene.party} → ${pseudonym}`,
      '1 calls looked at, 1 would change.',
    ]);
    expect(unchanged.caller_number).to.equal(scene.party);
    await callOf(scene, `shown-${pseudonym}`);
  });

  it('leaves ids where the number was erased before ids were renamed, until that is asked for again', async () => {
    const scene = await setUp();
    const id = `old-${scene.party}`;
    await finished(scene, (await erase(scene)).id);
    await system.db('erasures').where({ account_id: scene.admin.accountId }).update({ ids_since: null });
    await system.db.raw('select pg_sleep(1.1)');

    await tell(scene, call(scene, id, { type: 'call.ringing' }), call(scene, id, { occurred_at: at(5) }));
    const kept = await callOf(scene, id);
    const rows = await rowsWith(nationalOf(scene.party));
    expect(rows.filter((row) => row.startsWith('seen_webhooks'))).to.deep.equal([]);
    const { pseudonym } = await finished(scene, (await erase(scene)).id);
    await replayAll(scene);

    expect([kept.status, kept.caller_number]).to.deep.equal(['ended', pseudonym]);
    expect((await callOf(scene, `old-${pseudonym}`)).id).to.equal(kept.id);
    expect(await calls(scene)).to.have.lengthOf(1);
    expect(await rowsWith(nationalOf(scene.party))).to.deep.equal([]);
  });

  it('knows renamed ids after a change of the encryption key', async () => {
    const first = await startSystem({ env: { ROLES: 'api' } });
    const own = createScenes(() => first);
    const scene = await own.setUp();
    const id = `kept-${scene.party}`;
    await own.tell(scene, call(scene, id, { type: 'call.ringing' }));
    const { pseudonym } = await own.finished(scene, (await own.erase(scene)).id);
    expect(await deliver(first, scene.line, call(scene, id))).to.equal(204);
    const env = { ENCRYPTION_KEY: 'n'.repeat(40), ROLES: 'api' };
    const renewing = await startSystem({ beside: first, env: { ...env, ENCRYPTION_KEY_PREVIOUS: 'e'.repeat(40) } });
    const resealed = await renewing.system.features.erasure.reseal();
    await renewing.system.features.carriers.service.reseal();
    await renewing.stop();

    const renewed = await startSystem({ beside: first, env });
    await renewed.system.features.ingestion.drain();
    const { body } = await renewed.ask('GET', '/api/call_logs/', { token: scene.admin.token });
    await renewed.stop();
    await first.stop();

    expect(resealed).to.deep.equal({ looked: 2, resealed: 2, unreadable: [] });
    expect(body.map((one: Row) => [one.carrier_call_id, one.status])).to.deep.equal([[`kept-${pseudonym}`, 'ended']]);
  });

  it('asks the database nothing more where nothing was erased in the carrier’s account', async () => {
    const [scene, calm] = [await setUp(), await setUp()];
    await finished(scene, (await erase(scene)).id);
    const asked: string[] = [];
    const listen = ({ sql }: { sql: string }) => asked.push(sql);
    const looks = () => asked.filter((sql) => sql.includes('renamed_call_ids')).length;
    system.db.on('query', listen);

    await tell(calm, call(calm, `calm-${calm.party}`));
    const inCalm = looks();
    await tell(scene, call(scene, `keen-${scene.party}`));
    await until('it was heard of', async () => looks() > 0);
    system.db.removeListener('query', listen);

    expect(inCalm).to.equal(0);
  });
});
