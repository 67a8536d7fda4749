import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readImportCommand, runImport } from '../../../src/cli/import-webhooks.js';
import { newId } from '../../../src/lib/ids.js';
import { makeScratchDirectory } from '../../support/scratch.js';
import { startSystem, type TestSystem, unique } from '../../support/system.js';
import { readPayload } from '../carriers/providers/samples.js';
import { deliver, drained, genericCall, type Line, openLine } from './lines.js';
import { callsOf, expectScenario, makePlayer, type Player, scenariosOf } from './scenario-runs.js';

const A_LEG = '83ebf68f-52c5-41af-a34d-7753f0a66726';

describe('importing webhooks from files', function () {
  this.timeout(30_000);
  let system: TestSystem;
  let player: Player;
  before(async () => {
    system = await startSystem();
    player = await makePlayer(system, { now: Date.now, set: () => undefined });
  });
  after(() => system.stop());

  async function load(line: Line, ...args: string[]): Promise<string[]> {
    const lines: string[] = [];
    const command = readImportCommand(['--carrier', line.id, ...args]);
    await runImport(system.system.features.ingestion, command, (text) => lines.push(text));
    return lines;
  }

  function files(contents: Readonly<Record<string, string | Buffer>>): (name: string) => string {
    const folder = makeScratchDirectory();
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, name), content);
    return (name) => join(folder, name);
  }

  const webhooksOf = (line: Line) => system.db('seen_webhooks').where({ carrier_id: line.id }).orderBy('id');

  it('takes the records that FreeSWITCH left, and counts none twice, neither again nor delivered', async () => {
    const line = await openLine(system, player.admin, 'freeswitch');
    const [scenario] = scenariosOf('freeswitch');
    const record = readPayload('freeswitch/inbound-answered.02-cdr-a.json');
    const path = files({
      [`a_${A_LEG}.cdr.json`]: record,
      'b.cdr.json': readPayload('freeswitch/inbound-answered.01-cdr-b.json'),
    });
    const both = [path(`a_${A_LEG}.cdr.json`), path('b.cdr.json')];

    const first = await load(line, ...both);
    const again = await load(line, ...both);
    const delivered = await deliver(system, line, { contentType: 'application/json', body: record });
    await drained(system);

    expect(first).to.deep.equal(['2 stored, 0 were here already, 0 could not be read.']);
    expect(again).to.deep.equal(['0 stored, 2 were here already, 0 could not be read.']);
    expect(delivered).to.equal(204);
    if (scenario) await expectScenario(player, line, scenario);
    expect((await webhooksOf(line)).map(({ method }) => method)).to.deep.equal(['IMPORT', 'IMPORT']);
  });

  it('dates a webhook by its file, unless told otherwise or the file’s time says nothing', async () => {
    const line = await openLine(system, player.admin, 'freeswitch');
    const record = (name: string) =>
      JSON.stringify({ variables: { uuid: unique(name), start_uepoch: '1772464325000000' } });
    const path = files({ a: record('a'), b: record('b'), c: record('c') });
    const written = new Date('2026-03-02T16:00:00Z');
    utimesSync(path('a'), written, written);
    utimesSync(path('b'), new Date(0), new Date(0));
    const begun = Date.now();

    await load(line, path('a'), path('b'));
    await load(line, '--received-at', '2026-03-05T00:00:00Z', path('c'));

    const [a, b, c] = (await webhooksOf(line)).map(({ received_at }) => received_at.getTime());
    expect(a).to.equal(written.getTime());
    expect(b).to.be.at.least(begun - 1000);
    expect(c).to.equal(Date.parse('2026-03-05T00:00:00Z'));
  });

  it('takes bodies line by line, bare or with their headers, path and arrival', async () => {
    const line = await openLine(system, player.admin, 'generic');
    const body = genericCall({ type: 'call.ringing', call_id: unique('bare') }).body.toString();
    const kept = genericCall({ type: 'call.ringing', call_id: unique('kept') }).body.toString('base64');
    const envelope = {
      ...{ body: kept, body_encoding: 'base64', headers: { 'Webhook-Id': 'msg_kept' } },
      ...{ path: `/webhooks/${line.id}/sub?x=1`, received_at: '2026-03-02T15:00:00.000Z' },
    };
    const path = files({ 'saved.ndjson': `${body}\n\n${JSON.stringify(envelope)}\nnot a body\n` });

    const lines = await load(line, path('saved.ndjson'));

    expect(lines).to.deep.equal([
      'saved.ndjson:4: not read, it is neither JSON nor a form that this provider sends.',
      '2 stored, 0 were here already, 1 could not be read.',
    ]);
    const [bare, whole] = await webhooksOf(line);
    expect(bare.path).to.equal(`/webhooks/${line.id}/`);
    expect(whole).to.include({ delivery_key: 'msg_kept', path: `/webhooks/${line.id}/sub?x=1`, status: 'processed' });
    expect(whole.received_at.toISOString()).to.equal(envelope.received_at);
    expect(await callsOf(player, line)).to.have.lengthOf(2);
  });

  it('shows in the inspector that no signature was checked', async () => {
    const line = await openLine(system, player.admin, 'generic');
    const path = files({ 'one.json': genericCall({ type: 'call.ringing', call_id: unique('call') }).body });
    await load(line, '--header', 'X-Saved-By: backup', '--path', '/status', path('one.json'));
    const [{ id }] = await webhooksOf(line);

    const { body } = await system.ask('GET', `/api/inbound_webhooks/${id}/`, { token: player.admin.token });

    expect(body.verdict.signature).to.equal('not_checked');
    expect(body).to.include({ method: 'IMPORT', path: `/webhooks/${line.id}/status` });
    expect(body.headers).to.deep.equal({ 'content-type': 'application/json', 'x-saved-by': 'backup' });
  });

  it('refuses an unknown carrier and arguments that it does not understand', async () => {
    const { ingestion } = system.system.features;

    for (const args of [
      [],
      ['--carrier', 'x', 'f'],
      ['--carrier', newId()],
      ['--carrier', newId(), '--header', 'x', 'f'],
    ]) {
      expect(() => readImportCommand(args), args.join(' ')).to.throw();
    }
    const error = await ingestion.importWebhooks(newId(), []).catch((thrown: Error) => thrown);
    expect(error).to.be.an('error').with.property('message', 'No such carrier.');
  });
});
