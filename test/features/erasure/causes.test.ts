import { expect } from 'chai';
import { readRebuildCommand, runRebuild } from '../../../src/cli/rebuild-calls.js';
import { startSystem, type TestSystem } from '../../support/system.js';
import { type Delivery, deliver, drained } from '../ingestion/lines.js';
import { BASE, createScenes, nationalOf, type Scene } from './scenes.js';

type Row = Record<string, unknown>;

describe('erasure of numbers in the causes that carriers tell', function () {
  this.timeout(60_000);
  let system: TestSystem;

  before(async () => {
    // Without the role worker: the test itself drains and erases.
    system = await startSystem({ env: { ROLES: 'api,live' } });
  });
  after(() => system.stop());

  const scenes = createScenes(() => system);
  const { get, setUp, tell, erase, finished, dump } = scenes;
  const at = (seconds: number): string => new Date(BASE + seconds * 1000).toISOString();
  /** Its parties are nobody whom anybody erases. */
  const failed = (scene: Scene, id: string, cause: string, more: Row = {}): Delivery =>
    scenes.call(scene, id, { from: '+12025550111', duration: 0, disposition: 'failed', hangup_cause: cause, ...more });

  const stored = (scene: Scene): Promise<Row[]> =>
    system.db('call_logs').where({ account_id: scene.admin.accountId }).orderBy('carrier_call_id');
  const said = async (scene: Scene) => (await stored(scene)).map(({ last_news_at, updated_at, ...rest }) => rest);
  const causesOf = async (scene: Scene): Promise<unknown[]> =>
    (await stored(scene)).flatMap(({ hangup_cause, provider_cause, facts }) => {
      const { value } = (facts as { registers: { verdict: { value: Row } } }).registers.verdict;
      expect([hangup_cause, provider_cause]).to.deep.equal([value.hangupCause, value.providerCause]);
      expect(provider_cause).to.equal(hangup_cause);
      return [hangup_cause];
    });
  const rowsWith = async (scene: Scene): Promise<string[]> =>
    (await dump()).split('\n').filter((row) => row.replaceAll(/[^0-9]/g, '').includes(nationalOf(scene.party)));

  /** Neither rebuilding nor replays change what the account's calls say; first they agree with the kept webhooks. */
  async function expectSettled(scene: Scene): Promise<void> {
    const before = await said(scene);
    const lines: string[] = [];
    const command = readRebuildCommand(['--account', scene.admin.accountId]);
    await runRebuild(system.system.features.ingestion, command, (line) => lines.push(line));
    expect(lines).to.deep.equal([`${before.length} calls looked at, 0 changed.`]);
    expect(await said(scene)).to.deep.equal(before);
    await system.ask('POST', '/api/inbound_webhooks/replay/', { token: scene.admin.token, body: {} });
    await drained(system);
    expect(await said(scene)).to.deep.equal(before);
  }

  it('leaves it in none of those that were told before', async () => {
    const scene = await setUp();
    const { party } = scene;
    await tell(scene, failed(scene, 'a', `User ${party} busy`));
    await tell(scene, failed(scene, 'b', `User 0${nationalOf(party).slice(0, 3)}/${nationalOf(party).slice(3)} busy`));
    await tell(scene, failed(scene, 'c', 'NO_ROUTE_DESTINATION'));

    const { pseudonym, changed } = await finished(scene, (await erase(scene)).id);

    expect(await rowsWith(scene)).to.deep.equal([]);
    expect(changed.call_logs).to.equal(2);
    const calls = await get(scene, '/api/call_logs/');
    expect(calls.map((one: Row) => one.provider_cause).sort()).to.deep.equal(
      [...Array(2).fill(`User ${pseudonym} busy`), 'NO_ROUTE_DESTINATION'].sort(),
    );
    await expectSettled(scene);
  });

  it('leaves it in none that comes later', async () => {
    const scene = await setUp();
    const { pseudonym } = await finished(scene, (await erase(scene)).id);

    await tell(scene, failed(scene, 'late', `User ${scene.party} busy`));

    expect(await causesOf(scene)).to.deep.equal([`User ${pseudonym} busy`]);
    expect(await rowsWith(scene)).to.deep.equal([]);
    await expectSettled(scene);
  });

  it('leaves it in none that is told before the erasure has come to it, or was and goes on', async () => {
    const scene = await setUp();
    const { party } = scene;
    await tell(scene, failed(scene, 'before', `User ${party} busy`));
    const { id, pseudonym } = await erase(scene);

    await tell(scene, failed(scene, 'between', `User ${party} gone`));
    await tell(
      scene,
      scenes.call(scene, 'before', { type: 'call.ringing', from: '+12025550111', occurred_at: at(-9) }),
    );
    const between = await causesOf(scene);
    await finished(scene, id);

    expect(between).to.deep.equal([`User ${pseudonym} busy`, `User ${pseudonym} gone`]);
    expect(await causesOf(scene)).to.deep.equal(between);
    expect(await rowsWith(scene)).to.deep.equal([]);
    await expectSettled(scene);
  });

  it('agrees with the kept webhooks also in causes as long as may be', async () => {
    const scene = await setUp();
    const long = `${scene.party} ${'x'.repeat(600)}`;
    await tell(scene, failed(scene, 'before', long));

    const { pseudonym } = await finished(scene, (await erase(scene)).id);
    await tell(scene, failed(scene, 'later', long));

    const cut = `${pseudonym} ${'x'.repeat(600)}`.slice(0, 500);
    expect(await causesOf(scene)).to.deep.equal([cut, cut]);
    await expectSettled(scene);
  });

  it('leaves it in those of another account', async () => {
    const mine = await setUp();
    const other = { ...(await setUp()), party: mine.party };
    await finished(mine, (await erase(mine)).id);

    expect(await deliver(system, other.line, failed(other, 'theirs', `User ${other.party} busy`))).to.equal(204);
    await drained(system);

    expect(await causesOf(other)).to.deep.equal([`User ${other.party} busy`]);
  });
});
