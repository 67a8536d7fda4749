import { expect } from 'chai';
import { readRebuildCommand, runRebuild } from '../../../src/cli/rebuild-calls.js';
import { startSystem, type TestSystem, unique } from '../../support/system.js';
import { deliver, drained, genericCall, handClock, type Line, openLine } from './lines.js';
import {
  BASE,
  makePlayer,
  NUMBERS,
  type Player,
  play,
  recordsOf,
  SCENARIO_PROVIDERS,
  scenariosOf,
  timedSteps,
} from './scenario-runs.js';

const at = (seconds: number): string => new Date(BASE + seconds * 1000).toISOString();

/** What the adapter reads now stands in the body; what it read when the webhook came is what was delivered. */
describe('rebuilding calls', function () {
  this.timeout(60_000);
  const clock = handClock(Date.now());
  let system: TestSystem;
  let player: Player;
  before(async () => {
    system = await startSystem({ clock });
    player = await makePlayer(system, clock);
    clock.set(BASE + 3_600_000);
  });
  after(() => system.stop());

  const ask = async (method: string, path: string, body?: unknown) =>
    (await system.ask(method, path, { token: player.admin.token, body })).body;

  async function rebuild(...args: string[]): Promise<string[]> {
    const lines: string[] = [];
    await runRebuild(system.system.features.ingestion, readRebuildCommand(args), (line) => lines.push(line));
    return lines;
  }

  interface Told {
    readonly line: Line;
    readonly callId: string;
    /** Has the adapter read otherwise what was told in that place. */
    reread(place: number, members: Record<string, unknown>): Promise<void>;
  }

  async function tell(...webhooks: Record<string, unknown>[]): Promise<Told> {
    const line = await openLine(system, player.admin, 'generic');
    const callId = unique('call');
    const base = { call_id: callId, to: NUMBERS[0] };
    for (const members of webhooks) {
      expect(await deliver(system, line, genericCall({ ...base, ...members }))).to.equal(204);
    }
    await drained(system);
    const stored = await system.db('seen_webhooks').where({ carrier_id: line.id }).orderBy('id');
    return {
      ...{ line, callId },
      async reread(place, members) {
        const body = genericCall({ ...base, ...webhooks[place], ...members }).body;
        await system.db('inbound_webhooks').where({ id: stored[place].id }).update({ body });
      },
    };
  }

  const callOf = async ({ callId }: Told) => {
    const calls: Record<string, unknown>[] = await ask('GET', '/api/call_logs/?limit=500');
    return calls.find((call) => call.carrier_call_id === callId) as Record<string, unknown>;
  };
  const typesOf = async (told: Told): Promise<string[]> => {
    const entries = await ask('GET', `/api/call_logs/${(await callOf(told)).id}/events/`);
    return entries
      .sort((a: { seq: number }, b: { seq: number }) => a.seq - b.seq)
      .map((entry: { type: string }) => entry.type);
  };
  const newestSeq = async (): Promise<number> => (await ask('GET', '/api/calls/live/')).seq;

  it('finds nothing to correct in what was read rightly, legs and variants of every provider included', async () => {
    const lines: Line[] = [];
    for (const provider of SCENARIO_PROVIDERS) {
      lines.push(await play(player, provider, scenariosOf(provider).flatMap(timedSteps)));
    }
    const before = await Promise.all(lines.map((line) => recordsOf(player, line)));
    const seq = await newestSeq();

    const [summary, ...more] = await rebuild();

    expect(summary).to.match(/^\d+ calls looked at, 0 changed\.$/);
    expect(more).to.deep.equal([]);
    expect(await Promise.all(lines.map((line) => recordsOf(player, line)))).to.deep.equal(before);
    expect(await newestSeq()).to.equal(seq);
  });

  it('shows the difference first, then writes it as call.updated, and leaves what people wrote', async () => {
    const told = await tell(
      { type: 'call.ringing', occurred_at: at(0) },
      { type: 'call.ended', occurred_at: at(9), disposition: 'busy', hangup_cause: 'user_busy' },
    );
    const before = await callOf(told);
    await ask('PATCH', `/api/call_logs/${before.id}/`, { tags: ['vip'], note: 'Call back.' });
    const marked = await callOf(told);
    await told.reread(1, { disposition: 'rejected', hangup_cause: 'call_rejected' });

    const shown = await rebuild('--dry-run', '--call', String(before.id));
    const unchanged = await callOf(told);
    const written = await rebuild('--call', String(before.id));

    const line = `${before.id} generic ${told.callId}: disposition: busy → rejected; hangup_cause: user_busy → call_rejected`;
    expect(shown).to.deep.equal([line, '1 calls looked at, 1 would change.']);
    expect(unchanged).to.deep.equal(marked);
    expect(written).to.deep.equal([line, '1 calls looked at, 1 changed.']);
    expect(await callOf(told)).to.deep.include({
      ...{ id: before.id, disposition: 'rejected', hangup_cause: 'call_rejected' },
      ...{ virtual_number_id: before.virtual_number_id, tags: ['vip'], note: 'Call back.' },
    });
    expect((await typesOf(told)).slice(-2)).to.deep.equal(['call.updated', 'call.updated']);
    expect(await rebuild('--call', String(before.id))).to.deep.equal(['1 calls looked at, 0 changed.']);
  });

  it('corrects a call log that no longer shows what its facts say', async () => {
    const told = await tell({ type: 'call.ringing', occurred_at: at(0) });
    const { id } = await callOf(told);
    await system.db('call_logs').where({ id }).update({ direction: 'outgoing' });

    const [line] = await rebuild('--call', String(id));

    expect(line).to.equal(`${id} generic ${told.callId}: direction: outgoing → incoming`);
    expect(await callOf(told)).to.include({ direction: 'incoming' });
  });

  it('gives a fact that is understood only now its own event', async () => {
    const told = await tell(
      { type: 'call.ringing', occurred_at: at(0) },
      { type: 'call.picked_up', occurred_at: at(4) },
      { type: 'call.ended', occurred_at: at(9) },
    );
    const { id } = await callOf(told);
    await told.reread(1, { type: 'call.answered' });

    const shown = await rebuild('--dry-run', '--call', String(id));
    await rebuild('--call', String(id));

    expect(shown[0]).to.include('answered_at: none → ').and.include('disposition: no_answer → completed');
    expect(shown.at(-1)).to.equal('1 webhooks would be processed again.');
    expect(await callOf(told)).to.include({ answered_at: at(4), duration: 5, disposition: 'completed' });
    expect(await typesOf(told)).to.deep.equal(['call.ringing', 'call.ended', 'call.answered']);
  });

  it('never tells a state twice, though it was taken back in between', async () => {
    const told = await tell(
      { type: 'call.ringing', occurred_at: at(0) },
      { type: 'call.answered', occurred_at: at(4) },
    );
    const { id } = await callOf(told);
    await told.reread(1, { type: 'call.ringing' });
    await rebuild('--call', String(id));
    const takenBack = await callOf(told);

    await told.reread(1, { type: 'call.answered' });
    await rebuild('--call', String(id));

    expect(takenBack).to.include({ status: 'ringing', answered_at: null });
    expect(await callOf(told)).to.include({ status: 'answered', answered_at: at(4) });
    expect(await typesOf(told)).to.deep.equal(['call.ringing', 'call.answered', 'call.updated', 'call.updated']);
  });

  it('leaves a call alone unless all its webhooks are kept', async () => {
    const told = await tell(
      { type: 'call.ringing', occurred_at: at(0) },
      { type: 'call.ended', occurred_at: at(9), disposition: 'busy' },
    );
    const { id, ...before } = await callOf(told);
    await told.reread(1, { disposition: 'failed' });
    const oldest = system.db('seen_webhooks').where({ carrier_id: told.line.id }).orderBy('id').limit(1).select('id');
    await system.db('inbound_webhooks').whereIn('id', oldest).delete();

    const lines = await rebuild('--call', String(id));

    expect(lines).to.deep.equal([
      '1 calls looked at, 0 changed.',
      '1 left alone: not all of their webhooks are kept or can be read.',
    ]);
    expect(await callOf(told)).to.deep.equal({ id, ...before });
  });

  it('leaves a call alone of which nothing is said any more', async () => {
    const told = await tell({ type: 'call.ringing', occurred_at: at(0) });
    const { id } = await callOf(told);
    await told.reread(0, { type: 'call.moved' });

    expect((await rebuild('--call', String(id))).at(-1)).to.match(/^1 left alone: their webhooks say nothing/);
    expect(await callOf(told)).to.include({ id, status: 'ringing' });
  });

  it('processes what turns out to speak of another leg, or of a number that is held here, once more', async () => {
    const told = await tell({ type: 'call.ringing', occurred_at: at(0) }, { type: 'call.ringing', to: '+12025550199' });
    const other = { ...told, callId: unique('call') };
    await told.reread(1, { call_id: other.callId, to: NUMBERS[0] });

    await rebuild('--provider', 'generic');
    await drained(system);

    expect(await callOf(other)).to.include({ status: 'ringing', called_number: NUMBERS[0] });
    expect(await callOf(told)).to.include({ status: 'ringing' });
  });

  it('refuses arguments that it does not understand', () => {
    for (const args of [['--call', 'x'], ['--provider', 'x'], ['--after', 'soon'], ['--dry'], ['x']]) {
      expect(() => readRebuildCommand(args), args.join(' ')).to.throw();
    }
  });
});
