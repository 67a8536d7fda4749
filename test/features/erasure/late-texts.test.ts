import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { readImportCommand, runImport } from '../../../src/cli/import-webhooks.js';
import { readRebuildCommand, runRebuild } from '../../../src/cli/rebuild-calls.js';
import { makeScratchDirectory } from '../../support/scratch.js';
import { startSystem, type TestSystem, unique } from '../../support/system.js';
import { claimNumber, type Delivery, deliver, drained, type Line, openLine } from '../ingestion/lines.js';
import { BASE, createScenes, nationalOf, newNumber, type Scene } from './scenes.js';

type Row = Record<string, string | null>;

describe('erasure of numbers that late webhooks hold where nothing is read', function () {
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
  const { setUp, tell, erase, finished, finishedInTime, dump } = scenes;
  // On a shared carrier a call is nobody's that began before its number was held.
  const began = Date.now() + 3_600_000;
  const at = (seconds: number): string => new Date(began + seconds * 1000).toISOString();
  /** With parties that nobody erases. */
  const call = (scene: Scene, id: string, more: Readonly<Record<string, unknown>> = {}): Delivery =>
    scenes.call(scene, id, { from: '+12025550111', occurred_at: at(0), ...more });
  const sharedLine = (): Promise<Line> => openLine(system, operator as never, 'generic', { shared: true });

  const digitsOf = (row: string): string =>
    row.replaceAll(/%[0-9A-Fa-f]{2}|\\+u[0-9A-Fa-f]{4}/g, '').replaceAll(/[^0-9]/g, '');
  const rowsWith = async (scene: Pick<Scene, 'party'>): Promise<string[]> =>
    (await dump()).split('\n').filter((row) => digitsOf(row).includes(nationalOf(scene.party)));
  const webhooksOf = (scene: Pick<Scene, 'line'>) =>
    system.db('seen_webhooks').where({ carrier_id: scene.line.id }).orderBy('id');
  const bodiesOf = async (scene: Scene): Promise<string[]> =>
    (await webhooksOf(scene)).map(({ body }: { body: Buffer }) => body.toString());
  const said = async (scene: Scene) =>
    (await system.db('call_logs').where({ account_id: scene.admin.accountId }).orderBy('carrier_call_id')).map(
      ({ last_news_at, updated_at, ...rest }) => rest,
    );

  async function replayAll(scene: Scene): Promise<void> {
    await system.ask('POST', '/api/inbound_webhooks/replay/', { token: scene.admin.token, body: {} });
    await drained(system);
  }

  async function rebuilt(scene: Scene): Promise<string | undefined> {
    const lines: string[] = [];
    const command = readRebuildCommand(['--account', scene.admin.accountId]);
    await runRebuild(system.system.features.ingestion, command, (line) => lines.push(line));
    await drained(system);
    return lines.pop();
  }

  /** Neither replays nor rebuilding change what the account's calls say. */
  async function expectSettled(scene: Scene): Promise<void> {
    const before = await said(scene);
    await replayAll(scene);
    expect(await said(scene)).to.deep.equal(before);
    expect(await rebuilt(scene)).to.match(/ calls looked at, 0 changed/);
    expect(await said(scene)).to.deep.equal(before);
  }

  const SPELLINGS: Readonly<Record<string, (party: string) => string>> = {
    international: (party) => party,
    'with 00': (party) => party.replace('+', '00'),
    nationally: (party) => `0${nationalOf(party)}`,
    'with signs between digits': (party) =>
      `${party.slice(0, 3)} (${party.slice(3, 6)}) ${party.slice(6, 9)}-${party.slice(9)}`,
    'nationally with a slash, as PHP writes JSON': (party) => `0${party.slice(3, 6)}\\/${party.slice(6)}`,
    'with an escaped plus': (party) => party.replace('+', '\\u002b'),
    'as forms write it': (party) => party.replace('+', '%2B'),
  };

  /** With the text as it is written in place of `NOTE`. */
  const noted = (delivery: Delivery, text: string): Delivery => ({
    ...delivery,
    body: Buffer.from(delivery.body.toString().replaceAll('NOTE', text)),
  });

  it('takes it out of notes, however they spell it', async () => {
    const scene = await setUp();
    const { pseudonym } = await finished(scene, (await erase(scene)).id);

    for (const [name, spell] of Object.entries(SPELLINGS)) {
      await tell(scene, noted(call(scene, name, { data: { note: 'ring NOTE back' } }), spell(scene.party)));
      expect(await rowsWith(scene), name).to.deep.equal([]);
      expect(JSON.parse((await bodiesOf(scene)).pop() as string).data.note, name).to.equal(`ring ${pseudonym} back`);
    }

    await expectSettled(scene);
  });

  it('takes it out of headers, queries and bare numbers', async () => {
    const scene = await setUp();
    const { party } = scene;
    const { pseudonym } = await finished(scene, (await erase(scene)).id);

    await tell(scene, { ...call(scene, 'header'), headers: { 'x-caller': `Anna <${party}>` } });
    await tell(scene, { ...call(scene, 'query'), path: `/?caller=${encodeURIComponent(party)}&x=1` });
    await tell(scene, call(scene, 'bare', { data: { contact: Number(party.slice(1)) } }));

    expect(await rowsWith(scene)).to.deep.equal([]);
    const [header, query, bare] = await webhooksOf(scene);
    expect(header.headers['x-caller']).to.equal(`Anna <${pseudonym}>`);
    expect(query.path).to.match(new RegExp(`/\\?caller=${pseudonym}&x=1$`));
    expect(JSON.parse(bare.body).data.contact).to.equal(pseudonym);
    await expectSettled(scene);
  });

  it('takes it out of what is ignored or failed, out of the type of an event as well', async () => {
    const scene = await setUp();
    const { party } = scene;
    const { pseudonym } = await finished(scene, (await erase(scene)).id);
    const note = { data: { note: party } };

    await tell(scene, call(scene, 'sms', { type: 'sms.sent', ...note }));
    await tell(scene, call(scene, 'type', { type: `busy.${party}` }));
    await tell(scene, call(scene, 'impossible', { occurred_at: 'at noon', ...note }));
    await tell(scene, call(scene, '', note));
    await tell(scene, call(scene, 'nobody’s', { to: '+12025550199', ...note }));
    await tell(scene, call(scene, 'waiting', { from: undefined, to: undefined, direction: undefined, ...note }));

    expect(await rowsWith(scene)).to.deep.equal([]);
    const codes = (await webhooksOf(scene)).map(({ code }: Row) => code);
    const expected = ['impossible_time', 'missing_call_id', 'unknown_number', 'unknown_call'];
    expect(codes).to.deep.equal(['unknown_event', 'unknown_event', ...expected]);
    expect((await webhooksOf(scene))[1].event_type).to.equal(`busy.${pseudonym}`);
    await expectSettled(scene);
    expect((await webhooksOf(scene)).map(({ code }: Row) => code)).to.deep.equal(codes);
  });

  it('searches those before the erasure by the type of their event as well', async () => {
    const scene = await setUp();
    await tell(scene, call(scene, 'type', { type: `busy.${scene.party}` }));
    const [{ id }] = await webhooksOf(scene);
    const kept = { body: Buffer.from('{"type":"busy"}'), detail: null };
    await system.db('inbound_webhooks').where({ id }).update(kept);

    const { pseudonym } = await finished(scene, (await erase(scene)).id);

    expect((await webhooksOf(scene))[0].event_type).to.equal(`busy.${pseudonym}`);
  });

  it('takes the international spelling whole although another webhook of the batch has the national one', async () => {
    const scene = await setUp();
    const { party } = scene;
    const { pseudonym } = await finished(scene, (await erase(scene)).id);
    const spaced = `${party.slice(0, 3)} ${party.slice(3)}`;

    for (const delivery of [
      call(scene, 'a', { data: { note: `0${nationalOf(party)}` } }),
      call(scene, 'b', { data: { note: `0${nationalOf(party)}, ${spaced}` } }),
    ])
      expect(await deliver(system, scene.line, delivery)).to.equal(204);
    await drained(system);
    await tell(scene, call(scene, 'c', { from: spaced, data: { note: `0${nationalOf(party)}, ${spaced}` } }));

    const told = (await bodiesOf(scene)).map((body) => JSON.parse(body));
    const both = `${pseudonym}, ${pseudonym}`;
    expect(told.map(({ data }) => data.note)).to.deep.equal([pseudonym, both, both]);
    expect(told[2].from).to.equal(pseudonym);
    await expectSettled(scene);
  });

  it('gives each of two accounts its own pseudonym, in one batch', async () => {
    const mine = await setUp();
    const other = { ...(await setUp()), party: mine.party };
    const first = await finished(mine, (await erase(mine)).id);
    const second = await finished(other, (await erase(other)).id);

    for (const scene of [mine, other]) {
      const told = call(scene, 'both', { from: scene.party, data: { note: scene.party } });
      expect(await deliver(system, scene.line, told)).to.equal(204);
    }
    await drained(system);

    for (const [scene, { pseudonym }] of [
      [mine, first],
      [other, second],
    ] as const) {
      const told = JSON.parse((await bodiesOf(scene))[0] as string);
      expect([told.from, told.data.note]).to.deep.equal([pseudonym, pseudonym]);
      await expectSettled(scene);
    }
  });

  it('leaves the webhooks of another account as they came', async () => {
    const mine = await setUp();
    const other = { ...(await setUp()), party: mine.party };
    const keen = await setUp();
    await finished(mine, (await erase(mine)).id);
    await finished(keen, (await erase(keen)).id);

    for (const scene of [other, { ...keen, party: mine.party }]) {
      const told = call(scene, 'theirs', { data: { note: mine.party } });
      await tell(scene, told);
      expect(await bodiesOf(scene)).to.deep.equal([told.body.toString()]);
    }
  });

  it('looks through those of a shared carrier by whose call they are, and through nobody’s when they become somebody’s', async () => {
    const line = await sharedLine();
    const scene = await setUp({ line });
    const other = await setUp({ line });
    const free = newNumber('+4940');
    const note = { data: { note: scene.party } };
    await finished(scene, (await erase(scene)).id);

    await tell(scene, call(scene, unique('mine'), note));
    expect(await rowsWith(scene)).to.deep.equal([]);
    await tell(scene, call(other, unique('theirs'), note));
    await tell(scene, call({ ...scene, number: free }, unique('nobody’s'), note));
    expect(await rowsWith(scene)).to.have.lengthOf(2);
    await claimNumber(system, scene.admin, free);
    await drained(system);

    const left = await rowsWith(scene);
    expect(left).to.have.lengthOf(1);
    expect(left[0]).to.include(other.admin.accountId);
    expect(await said(scene)).to.have.lengthOf(2);
    await expectSettled(scene);
  });

  it('looks through what was set aside when it finds its call', async () => {
    const scene = await setUp({ line: await sharedLine() });
    const note = { data: { note: scene.party } };
    const nothing = { from: undefined, to: undefined, direction: undefined };
    const [later, joined] = [unique('later'), unique('joined')];
    await finished(scene, (await erase(scene)).id);

    await tell(scene, call(scene, later, { ...nothing, ...note }));
    await tell(scene, call(scene, joined, { type: 'call.updated', ...note }));
    expect(await rowsWith(scene)).to.have.lengthOf(2);
    await tell(scene, call(scene, later, { type: 'call.ringing' }));
    // Neither of the two makes a call log alone.
    await tell(scene, call(scene, joined, nothing));

    expect(await rowsWith(scene)).to.deep.equal([]);
    expect((await said(scene)).map(({ status }) => status)).to.deep.equal(['ended', 'ended']);
    await expectSettled(scene);
  });

  it('looks through imported ones', async () => {
    const scene = await setUp();
    await finished(scene, (await erase(scene)).id);
    const folder = makeScratchDirectory();
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'saved.json');
    writeFileSync(file, call(scene, 'saved', { data: { note: scene.party } }).body);

    const command = readImportCommand(['--carrier', scene.line.id, '--header', `X-From: ${scene.party}`, file]);
    await runImport(system.system.features.ingestion, command, () => undefined);

    expect(await rowsWith(scene)).to.deep.equal([]);
    expect(await said(scene)).to.have.lengthOf(1);
    await expectSettled(scene);
  });

  it('leaves it to the erasure itself in what comes between, so that late webhooks still find their calls', async () => {
    const scene = await setUp();
    const { party } = scene;
    const note = { data: { note: party } };
    const id = `soon-${party}`;
    const { id: erasureId } = await erase(scene);

    await tell(scene, call(scene, id, { type: 'call.ringing', ...note }));
    await tell(scene, call(scene, 'plain', { type: 'call.ringing', ...note }));
    await tell(scene, call(scene, 'sms', { type: 'sms.sent', ...note }));
    expect((await bodiesOf(scene)).filter((body) => body.includes(party))).to.have.lengthOf(3);
    await replayAll(scene);
    const { pseudonym } = await finished(scene, erasureId);

    expect(await rowsWith(scene)).to.deep.equal([]);
    await tell(scene, call(scene, id, note), call(scene, 'plain', note));
    const calls = await said(scene);
    expect(calls.map((one) => [one.carrier_call_id, one.status])).to.deep.equal([
      ['plain', 'ended'],
      [`soon-${pseudonym}`, 'ended'],
    ]);
    expect(await rowsWith(scene)).to.deep.equal([]);
    await expectSettled(scene);
  });

  it('takes it out where it was erased before ids were renamed, unless the id of a call holds it too', async () => {
    const scene = await setUp();
    const { party } = scene;
    const note = { data: { note: party } };
    await finished(scene, (await erase(scene)).id);
    await system.db('erasures').where({ account_id: scene.admin.accountId }).update({ ids_since: null });
    await system.db.raw('select pg_sleep(1.1)');

    await tell(scene, call(scene, `old-${party}`, { type: 'call.ringing', ...note }), call(scene, 'plain', note));
    await replayAll(scene);

    const bodies = await bodiesOf(scene);
    expect(bodies.map((body) => body.includes(party))).to.deep.equal([true, false]);
    expect(await said(scene)).to.have.lengthOf(2);
    await finished(scene, (await erase(scene)).id);
    expect(await rowsWith(scene)).to.deep.equal([]);
    await expectSettled(scene);
  });

  it('misses none of those that come while the erasure is under way, at several processes', async () => {
    const scene = await setUp();
    const { party, admin } = scene;
    const inactive = await openLine(system, admin, 'generic', { is_active: false });
    // One works off from memory what it is delivered.
    const beside = await startSystem({ beside: system, env: { ROLES: 'api,live,worker' } });
    const told = (round: number): readonly (readonly [TestSystem, Line, Delivery])[] => {
      const note = { data: { note: `ring ${party}` }, occurred_at: at(round) };
      return [
        [beside, scene.line, call(scene, `c${round % 5}-${party}`, note)],
        [system, scene.line, call(scene, `c${round % 5}-${party}`, { ...note, type: 'call.ringing' })],
        [beside, scene.line, call(scene, 'x', { ...note, type: `sms.${party}` })],
        [system, scene.line, call(scene, `plain-${round}`, note)],
        [round % 2 === 0 ? beside : system, inactive, call(scene, 'kept', note)],
      ];
    };
    const sent: Promise<number>[] = [];
    let isDone = false;
    const { id } = await erase(scene);
    const erased = finishedInTime(scene, id).finally(() => {
      isDone = true;
    });

    let round = 0;
    for (let left = 20; left > 0; left -= isDone ? 1 : 0) {
      sent.push(...told(round).map(([door, line, delivery]) => deliver(door, line, delivery)));
      round += 1;
      await pause(20);
    }
    const { pseudonym } = await erased;
    expect([...new Set(await Promise.all(sent))]).to.deep.equal([204]);
    await drained(system);
    await beside.stop();
    await drained(system);

    expect(await rowsWith(scene)).to.deep.equal([]);
    const codes = await system.db('seen_webhooks').where({ carrier_id: inactive.id }).pluck('code');
    expect(codes).to.deep.equal(Array(round).fill('carrier_inactive'));
    const named = (await said(scene)).map((one) => one.carrier_call_id);
    expect(named.filter((name) => name.startsWith('c'))).to.deep.equal(
      [0, 1, 2, 3, 4].map((place) => `c${place}-${pseudonym}`),
    );
    expect(named).to.have.lengthOf(round + 5);
    await replayAll(scene);
    expect(await said(scene)).to.have.lengthOf(round + 6);
    await expectSettled(scene);
    expect(await rowsWith(scene)).to.deep.equal([]);
  });

  describe('while a webhook cannot be processed', () => {
    /** The last try is the next. */
    async function tellBad(scene: Scene, worker: TestSystem = system): Promise<void> {
      expect(await deliver(system, scene.line, call(scene, 'bad', { data: { note: scene.party } }))).to.equal(204);
      await system.db('inbound_webhooks').where({ carrier_id: scene.line.id }).update({ attempts: 4 });
      await worker.system.features.ingestion.drain();
    }

    it('takes it out when that is given up', async () => {
      const scene = await setUp();
      const { pseudonym } = await finished(scene, (await erase(scene)).id);
      await system.db.raw(`alter table call_logs add constraint no_bad check (carrier_call_id <> 'bad') not valid`);

      await tellBad(scene);
      await system.db.raw('alter table call_logs drop constraint no_bad');

      const [row] = await webhooksOf(scene);
      expect([row.status, row.code]).to.deep.equal(['failed', 'processing_failed']);
      expect(JSON.parse(row.body).data.note).to.equal(pseudonym);
      expect(await rowsWith(scene)).to.deep.equal([]);
      await replayAll(scene);
      expect(await said(scene)).to.have.lengthOf(1);
    });

    it('fails it without the account’s key as well, and takes it out when it is replayed with the key', async () => {
      const scene = await setUp();
      await finished(scene, (await erase(scene)).id);
      const keys = () => system.db('erasure_keys').where({ account_id: scene.admin.accountId });
      const { sealed_key } = await keys().first();
      await keys().update({ sealed_key: 'not to be opened' });
      const keyless = await startSystem({ beside: system, env: { ROLES: 'api' } });

      await tellBad(scene, keyless);
      await keyless.stop();

      const [row] = await webhooksOf(scene);
      expect([row.status, row.code]).to.deep.equal(['failed', 'processing_failed']);
      await keys().update({ sealed_key });
      await replayAll(scene);
      expect(await rowsWith(scene)).to.deep.equal([]);
      expect(await said(scene)).to.have.lengthOf(1);
    });
  });

  describe('on an inactive carrier', () => {
    async function setUpInactive(): Promise<Scene> {
      const scene = await setUp();
      const path = `/api/carriers/${scene.line.id}/`;
      await system.ask('PATCH', path, { token: scene.admin.token, body: { is_active: false } });
      return scene;
    }

    it('takes it out of what is only kept, from which a replay makes the call', async () => {
      const scene = await setUpInactive();
      const { pseudonym } = await finished(scene, (await erase(scene)).id);
      const told = call(scene, 'kept', { from: scene.party, data: { note: scene.party } });

      expect(await deliver(system, scene.line, told)).to.equal(204);
      await drained(system);

      const [row] = await webhooksOf(scene);
      expect([row.status, row.code, row.event_type, row.call_log_id]).to.deep.equal([
        ...['ignored', 'carrier_inactive', null, null],
      ]);
      expect(row.detail).to.equal('The carrier was inactive when the webhook came.');
      expect(row.processed_at).to.be.an.instanceOf(Date);
      expect(await rowsWith(scene)).to.deep.equal([]);
      expect(await rebuilt(scene)).to.match(/^0 calls looked at/);
      expect(await said(scene)).to.deep.equal([]);
      await replayAll(scene);
      expect((await said(scene)).map((one) => [one.status, one.caller_number])).to.deep.equal([['ended', pseudonym]]);
      expect((await webhooksOf(scene))[0]).to.include({ status: 'processed', code: null });
      await expectSettled(scene);
    });

    it('takes it out of what an import left of it', async () => {
      const scene = await setUpInactive();
      await finished(scene, (await erase(scene)).id);
      const told = call(scene, 'kept', { data: { note: scene.party } });
      const headers = { 'content-type': 'application/json' };
      const saved = { name: 'one', path: '', receivedAt: BASE, headers, body: told.body };

      await system.system.features.ingestion.importWebhooks(scene.line.id, [saved]);
      await drained(system);

      expect((await webhooksOf(scene)).map(({ code }: Row) => code)).to.deep.equal(['carrier_inactive']);
      expect(await rowsWith(scene)).to.deep.equal([]);
    });

    it('keeps it at once, without a worker, where nothing was erased in the account', async () => {
      const keen = await setUp();
      await erase(keen);
      const scene = await setUpInactive();

      expect(await deliver(system, scene.line, call(scene, 'kept'))).to.equal(204);

      const [row] = await webhooksOf(scene);
      expect([row.status, row.code, row.processed_at]).to.deep.equal(['ignored', 'carrier_inactive', row.received_at]);
    });
  });
});
