import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { readRebuildCommand, runRebuild } from '../../../src/cli/rebuild-calls.js';
import { startSystem, type TestSystem } from '../../support/system.js';
import { type Delivery, deliver, drained, openLine } from '../ingestion/lines.js';
import { BASE, createScenes, nationalOf, newNumber, type Scene } from './scenes.js';

type Row = Record<string, string | null>;

describe('erasure of numbers in the keys of deliveries', function () {
  this.timeout(60_000);
  let system: TestSystem;

  before(async () => {
    // Without the role worker: the test itself drains and erases.
    system = await startSystem({ env: { ROLES: 'api,live' } });
  });
  after(() => system.stop());

  const { get, setUp, tell, call, erase, finished, dump } = createScenes(() => system);

  /** As the sender names it. */
  function named({ line }: Pick<Scene, 'line'>, id: string, delivery: Delivery): Delivery {
    const now = new Date();
    const signature = new Webhook(line.signer.credentials.secret as string).sign(id, now, delivery.body.toString());
    const time = String(Math.floor(now.getTime() / 1000));
    return {
      ...delivery,
      headers: { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature },
    };
  }

  const at = (seconds: number): string => new Date(BASE + seconds * 1000).toISOString();
  /** Holds the number in its key alone. */
  const keyed = (scene: Scene, key: string, callId: string, more: Readonly<Record<string, unknown>> = {}): Delivery =>
    named(scene, key, call(scene, callId, { from: '+12025550111', ...more }));

  const keysOf = (scene: Scene): Promise<string[]> =>
    system.db('seen_webhooks').where({ carrier_id: scene.line.id }).orderBy('id').pluck('delivery_key');
  const idsOf = (scene: Scene): Promise<string[]> =>
    system.db('seen_webhooks').where({ carrier_id: scene.line.id }).orderBy('id').pluck('id');
  const rowsWith = async (scene: Scene): Promise<string[]> =>
    (await dump())
      .split('\n')
      .filter((row) => row.includes(scene.admin.accountId))
      .filter((row) => row.replaceAll(/[^0-9]/g, '').includes(nationalOf(scene.party)));

  /** Call logs with their facts. */
  const stored = (scene: Scene): Promise<Row[]> =>
    system.db('call_logs').where({ account_id: scene.admin.accountId }).orderBy('carrier_call_id');
  const rankKeys = async (scene: Scene): Promise<string[]> => {
    const rows: { facts: { end?: unknown; registers: object } }[] = (await stored(scene)) as never;
    const told = rows.flatMap(({ facts }) => [...(facts.end ? [facts.end] : []), ...Object.values(facts.registers)]);
    return [...new Set((told as { rank: string[] }[]).map(({ rank }) => rank[3] as string))].sort();
  };
  const said = async (scene: Scene) => (await stored(scene)).map(({ last_news_at, updated_at, ...rest }) => rest);

  const eventTypes = async (scene: Scene): Promise<string[]> =>
    (await get(scene, '/api/call_events/?after=0&limit=500')).map(({ type }: { type: string }) => type);

  async function replayAll(scene: Scene): Promise<void> {
    await system.ask('POST', '/api/inbound_webhooks/replay/', { token: scene.admin.token, body: {} });
    await drained(system);
  }

  async function rebuilt(scene: Scene): Promise<string[]> {
    const lines: string[] = [];
    const command = readRebuildCommand(['--account', scene.admin.accountId]);
    await runRebuild(system.system.features.ingestion, command, (line) => lines.push(line));
    await drained(system);
    return lines;
  }

  it('leaves it in none, neither of those before nor of those after, and a repeat changes nothing', async () => {
    const scene = await setUp();
    const { party } = scene;
    const early = keyed(scene, `evt-${party}-1`, 'one', { type: 'call.ringing' });
    await tell(scene, early, keyed(scene, `evt%2B${party.slice(1)}`, 'one', { occurred_at: at(9) }));
    await tell(scene, keyed(scene, `evt:0${nationalOf(party).slice(0, 3)}%20${nationalOf(party).slice(3)}`, 'two'));
    const typesBefore = await eventTypes(scene);

    const { pseudonym } = await finished(scene, (await erase(scene)).id);
    const left = await rowsWith(scene);
    const keysLeft = await rankKeys(scene);
    const before = await get(scene, '/api/call_logs/');
    await tell(scene, early);
    await tell(
      scene,
      keyed(scene, `late-${party}`, 'three'),
      keyed(scene, `unplaced-${party}`, 'x', { to: '+493099' }),
    );
    const after = (await get(scene, '/api/call_logs/')).filter(({ carrier_call_id: id }: Row) => id !== 'three');

    expect(left).to.deep.equal([]);
    expect(keysLeft).to.deep.equal([`evt:${pseudonym}`, `evt${pseudonym}`]);
    expect(await rowsWith(scene)).to.deep.equal([]);
    expect(await rankKeys(scene)).to.deep.equal([...keysLeft, `late-${pseudonym}`].sort());
    expect(after).to.deep.equal(before);
    expect(await eventTypes(scene)).to.deep.equal([...typesBefore, 'call.ended']);
    const told = ['evt-P-1', 'evtP', 'evt:P', 'evt-P-1', 'late-P', 'unplaced-P'];
    const ids = await idsOf(scene);
    expect(await keysOf(scene)).to.deep.equal(told.map((key, place) => `${key.replace('P', pseudonym)}~${ids[place]}`));
  });

  it('has the calls understood as before: replays and rebuilding change nothing', async () => {
    const scene = await setUp();
    const { party } = scene;
    const early = keyed(scene, `evt-${party}-1`, 'one', { type: 'call.ringing' });
    await tell(
      scene,
      early,
      keyed(scene, `evt-${party}-2`, 'one', { occurred_at: at(9), price: '1', currency: 'EUR' }),
    );
    await tell(scene, keyed(scene, 'plain', 'two'));
    await finished(scene, (await erase(scene)).id);
    await tell(scene, early, keyed(scene, `late-${party}`, 'three'), keyed(scene, `evt-${party}-3`, 'two'));
    const before = await said(scene);

    const looked = await rebuilt(scene);
    const afterRebuilding = await said(scene);
    await replayAll(scene);

    expect(looked).to.deep.equal(['3 calls looked at, 0 changed.']);
    expect(afterRebuilding).to.deep.equal(before);
    expect(await said(scene)).to.deep.equal(before);
    expect(await rowsWith(scene)).to.deep.equal([]);
  });

  it('leaves a call alone of whose webhooks one is not kept, whose key held the number', async () => {
    const scene = await setUp();
    await tell(scene, keyed(scene, `evt-${scene.party}-1`, 'one', { type: 'call.ringing' }));
    await tell(
      scene,
      keyed(scene, `evt-${scene.party}-2`, 'one', { type: 'call.updated', price: '1', currency: 'EUR' }),
    );
    await finished(scene, (await erase(scene)).id);
    await system
      .db('inbound_webhooks')
      .where({ id: (await idsOf(scene))[1] as string })
      .delete();
    const before = await said(scene);

    const looked = await rebuilt(scene);

    expect(looked[1]).to.match(/^1 left alone: not all of their webhooks are kept/);
    expect(await said(scene)).to.deep.equal(before);
  });

  it('keeps rows apart whose keys differ in the spelling alone, before the erasure and after, in one batch as well', async () => {
    const scene = await setUp();
    const { party } = scene;
    const spelled = [party, party.slice(1), `00${party.slice(1)}`, `0${nationalOf(party)}`].map((key) => `k:${key}`);
    const tellAll = (name: string) =>
      tell(scene, ...spelled.map((key, place) => keyed(scene, key, `${name}${place}`, { type: 'call.ringing' })));
    await tellAll('a');

    const { pseudonym, changed } = await finished(scene, (await erase(scene)).id);
    await tellAll('b');
    await finished(scene, (await erase(scene)).id);

    const ids = await idsOf(scene);
    expect(changed.inbound_webhooks).to.equal(4);
    expect(ids).to.have.lengthOf(8);
    expect(await keysOf(scene)).to.deep.equal(ids.map((id) => `k:${pseudonym}~${id}`));
    expect(await rankKeys(scene)).to.deep.equal([`k:${pseudonym}`]);
    const statuses = await system.db('seen_webhooks').where({ carrier_id: scene.line.id }).pluck('status');
    expect(statuses).to.deep.equal(Array(8).fill('processed'));
    expect(await rebuilt(scene)).to.deep.equal(['8 calls looked at, 0 changed.']);
  });

  it('takes out two numbers, one after the other', async () => {
    const scene = await setUp();
    const second = newNumber('+49152');
    await tell(scene, keyed(scene, `${scene.party}>${second}`, 'one', { type: 'call.ringing' }));
    const a = await finished(scene, (await erase(scene)).id);
    const b = await finished(scene, (await erase(scene, second)).id);
    await tell(scene, keyed(scene, `${second}<${scene.party}`, 'one', { occurred_at: at(5) }));

    const ids = await idsOf(scene);
    const [one, two] = [`${a.pseudonym}>${b.pseudonym}`, `${b.pseudonym}<${a.pseudonym}`];
    expect(await keysOf(scene)).to.deep.equal([`${one}~${ids[0]}`, `${two}~${ids[1]}`]);
    expect(await rankKeys(scene)).to.deep.equal([two]);
    expect(await rebuilt(scene)).to.deep.equal(['1 calls looked at, 0 changed.']);
  });

  it('orders reports of one instant by the keys as they are now, whichever comes first', async () => {
    const callersOf = async (order: readonly number[]): Promise<unknown[]> => {
      const scene = await setUp();
      await finished(scene, (await erase(scene)).id);
      const ringing = (key: string, from: string) => keyed(scene, key, 'one', { type: 'call.ringing', from });
      const told = [ringing(`k${scene.party}`, '+12025550119'), ringing('k5', '+12025550115')];
      const rows = () => system.db('inbound_webhooks').where({ carrier_id: scene.line.id });
      for (const place of order) {
        expect(await deliver(system, scene.line, told[place] as Delivery)).to.equal(204);
        await rows().update({ received_at: new Date(BASE) });
        await drained(system);
      }
      const caller = async () => (await stored(scene))[0]?.caller_number;
      const first = await caller();
      await replayAll(scene);
      const replayed = await caller();
      expect(await rebuilt(scene)).to.deep.equal(['1 calls looked at, 0 changed.']);
      return [first, replayed, await caller()];
    };

    // Of `k+49…` and `k5` the second is the greater, of `kerased…` and `k5` the first.
    expect(await callersOf([0, 1])).to.deep.equal(Array(3).fill('+12025550119'));
    expect(await callersOf([1, 0])).to.deep.equal(Array(3).fill('+12025550119'));
  });

  it('takes it out of the facts of a call that goes on before the erasure has come to it', async () => {
    const scene = await setUp();
    await tell(
      scene,
      keyed(scene, `evt-${scene.party}-1`, 'open', { type: 'call.answered', price: '1', currency: 'EUR' }),
    );
    const { id } = await erase(scene);

    await tell(scene, keyed(scene, 'end', 'open', { from: undefined, to: undefined, direction: undefined }));

    const keys = await rankKeys(scene);
    const { pseudonym } = await finished(scene, id);
    expect(keys).to.deep.equal(['end', `evt-${pseudonym}-1`]);
    expect(await rankKeys(scene)).to.deep.equal(keys);
  });

  it('takes it out of the facts of a call that is rebuilt before the erasure has come to it', async () => {
    const scene = await setUp();
    await tell(scene, keyed(scene, `evt-${scene.party}`, 'one', { type: 'call.ringing' }));
    const { id, pseudonym } = await erase(scene);

    await rebuilt(scene);

    const keys = await rankKeys(scene);
    await finished(scene, id);
    expect(keys).to.deep.equal([`evt-${pseudonym}`]);
    expect(await rankKeys(scene)).to.deep.equal(keys);
  });

  it('goes through those once more that were left when the number was erased before', async () => {
    const scene = await setUp();
    const key = `evt-${scene.party}`;
    await tell(scene, keyed(scene, key, 'one', { type: 'call.ringing' }));
    const [before] = await stored(scene);
    const { pseudonym } = await finished(scene, (await erase(scene)).id);
    await system.db('inbound_webhooks').where({ carrier_id: scene.line.id }).update({ delivery_key: key });
    await system.db('call_logs').where({ id: before?.id }).update({ facts: before?.facts });

    await finished(scene, (await erase(scene)).id);

    expect(await keysOf(scene)).to.deep.equal([`evt-${pseudonym}~${(await idsOf(scene))[0]}`]);
    expect(await rankKeys(scene)).to.deep.equal([`evt-${pseudonym}`]);
  });

  it('does so where the key is made of the id of the call', async () => {
    const scene = await setUp();
    const line = await openLine(system, scene.admin, 'freeswitch');
    const own = { ...scene, line };
    const record = (leg: string): Delivery => ({
      contentType: 'application/json',
      body: Buffer.from(
        JSON.stringify({
          'core-uuid': 'core',
          variables: { uuid: leg, direction: 'inbound', start_epoch: String(Math.floor(BASE / 1000)) },
          callflow: [{ caller_profile: { caller_id_number: '+12025550111', destination_number: scene.number } }],
        }),
      ),
    });
    await tell(own, record(`a-${scene.party}`));

    const { pseudonym } = await finished(scene, (await erase(scene)).id);
    await tell(own, record(`a-${scene.party}`), record(`b-${scene.party}`));
    await replayAll(scene);

    const ids = await idsOf(own);
    expect(await keysOf(own)).to.deep.equal(
      ['a', 'a', 'b'].map((name, place) => `core:${name}-${pseudonym}~${ids[place]}`),
    );
    const names = (await stored(scene)).map(({ carrier_call_id: id }) => id);
    expect(names).to.deep.equal([`a-${pseudonym}`, `b-${pseudonym}`]);
    expect(await rowsWith(scene)).to.deep.equal([]);
    expect(await rebuilt(scene)).to.deep.equal(['2 calls looked at, 0 changed.']);
  });

  it('touches no other account', async () => {
    const mine = await setUp();
    const other = { ...(await setUp()), party: mine.party };
    const key = `evt-${mine.party}`;
    const twice = keyed(other, key, 'o', { type: 'call.ringing' });
    await tell(mine, keyed(mine, key, 'm', { type: 'call.ringing' }));
    await tell(other, twice);
    const before = await said(other);

    await finished(mine, (await erase(mine)).id);
    await tell(other, twice);

    expect(await keysOf(other)).to.deep.equal([key]);
    expect(await said(other)).to.deep.equal(before);
    expect(await rankKeys(mine)).to.not.deep.equal(await rankKeys(other));
    expect(await rowsWith(mine)).to.deep.equal([]);
  });
});
