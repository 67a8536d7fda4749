import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import pg from 'pg';
import { startSystem, type TestSystem } from '../../support/system.js';
import { until } from '../../support/until.js';
import { createRandom } from '../carriers/providers/mutations.js';
import { createScenes, nationalOf, type Scene } from '../erasure/scenes.js';
import { type Delivery, deliver, drained, signedHeaders } from './lines.js';
import { shuffled } from './scenario-runs.js';

const CALLS = 80;
const ERASED = 3;
const FACTS = ['initiated', 'ringing', 'answered', 'ended'] as const;
/** Calls that are told of at the same time. */
const AT_ONCE = 4;

const began = Date.now() - 3_600_000;

interface Process {
  readonly system: TestSystem;
  /** How many webhooks it has stored in a statement of their own. */
  inserts: number;
}

describe('the same webhooks one by one at two processes that work them off as they store them', function () {
  this.timeout(120_000);

  async function open() {
    const first = await startSystem();
    const processes = await Promise.all(
      [first, await startSystem({ beside: first })].map(async (system): Promise<Process> => {
        const counted: Process = { system, inserts: 0 };
        system.db.on('query', ({ sql }: { sql: string }) => {
          if (/insert into inbound_webhooks/.test(sql)) counted.inserts += 1;
        });
        return counted;
      }),
    );
    const third = await startSystem({ beside: first });
    const [one, other] = processes as [Process, Process];
    const close = async (): Promise<void> => {
      // Each connection writes its statistics down at its end, if not before.
      for (const { system } of [third, other.system, first]) await system.close();
    };
    return { one, other, third, database: first.database, close };
  }

  /** Each with its signature, so that it is one delivery wherever it arrives. Every other id holds the caller's number. */
  function deliveriesOf(system: TestSystem, scene: Scene, parties: readonly string[]): Delivery[][] {
    return Array.from({ length: CALLS }, (_, call) =>
      FACTS.map((fact, second) => {
        const party = parties[call % parties.length] as string;
        const id = call % 2 === 0 ? `call-${call}` : `call-${call}-${party}`;
        const told = { type: `call.${fact}`, from: party, occurred_at: new Date(began + second * 1000).toISOString() };
        const delivery = createScenes(() => system).call(scene, id, told);
        return { ...delivery, headers: signedHeaders(system, scene.line, delivery) };
      }),
    );
  }

  /** One at a time, those of a few calls mixed; answers how many were worked off as they were stored. */
  async function play(to: Process, scene: Scene, calls: readonly Delivery[][], seed: number): Promise<number> {
    const random = createRandom(seed);
    const before = to.inserts;
    let sent = 0;
    for (let from = 0; from < calls.length; from += AT_ONCE) {
      for (const delivery of shuffled(calls.slice(from, from + AT_ONCE).flat(), random)) {
        expect(await deliver(to.system, scene.line, delivery)).to.equal(204);
        sent += 1;
        await pause(random(20));
      }
    }
    return sent - (to.inserts - before);
  }

  async function expectToldOnce({ db }: TestSystem, { admin }: Scene): Promise<void> {
    const events = await db('events').where({ account_id: admin.accountId }).orderBy('seq').select('*');
    const facts = events.filter(({ type }) => type.startsWith('call.') && type !== 'call.updated');
    const names = facts.map(({ type, subject_id }) => `${subject_id} ${type}`);
    expect(new Set(names).size).to.equal(names.length);
    expect(names).to.have.length(CALLS * FACTS.length);
    expect(events.map(({ seq }) => Number(seq))).to.deep.equal(events.map((_, place) => place + 1));
    const rows = await db('seen_webhooks').where({ account_id: admin.accountId }).select('status', 'deliveries');
    expect(rows).to.have.length(CALLS * FACTS.length);
    expect(new Set(rows.map(({ status }) => status))).to.deep.equal(new Set(['processed']));
  }

  /** Not all: where both are told the same at the same moment, one stores it the usual way, for a while. */
  const expectBothDidSo = (atOnce: readonly number[]): void => {
    for (const count of atOnce) expect(count).to.be.above(0);
  };

  const deadlocksOf = async (url: string): Promise<number> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query('select deadlocks from pg_stat_database where datname = current_database()');
    await client.end();
    return Number(rows[0].deadlocks);
  };

  it('tell every fact once, without a hole, and lock nobody out', async () => {
    const { one, other, third, database, close } = await open();
    const scene = await createScenes(() => third).setUp();
    const before = await deadlocksOf(database.url);
    const calls = deliveriesOf(third, scene, [scene.party]);

    const atOnce = await Promise.all([play(one, scene, calls, 1), play(other, scene, calls, 2)]);

    await until('nothing is pending', async () => {
      const [row] = await third.db('seen_webhooks').where({ status: 'pending' }).limit(1).select('id');
      return row === undefined;
    });
    await expectToldOnce(third, scene);
    expectBothDidSo(atOnce);
    await close();
    expect(await deadlocksOf(database.url)).to.equal(before);
    await database.drop();
  });

  it('do so while a third erases numbers and replays, and nothing of the numbers is left', async () => {
    const { one, other, third, database, close } = await open();
    const scenes = createScenes(() => third);
    const scene = await scenes.setUp();
    const parties = Array.from({ length: ERASED }, (_, place) => `+4915177${String(10_000 + place * 7919)}`);
    const calls = deliveriesOf(third, scene, parties);

    const playing = Promise.all([play(one, scene, calls, 3), play(other, scene, calls, 4)]);
    for (const party of parties) {
      const { id } = await scenes.erase(scene, party);
      await scenes.finishedInTime(scene, id);
      await third.ask('POST', '/api/inbound_webhooks/replay/', { token: scene.admin.token, body: {} });
    }
    const atOnce = await playing;

    await drained(third);
    await expectToldOnce(third, scene);
    const left = (await scenes.dump()).split('\n').filter((row) => {
      const digits = row.replaceAll(/[^0-9]/g, '');
      return parties.some((party) => digits.includes(nationalOf(party)));
    });
    expect(left).to.deep.equal([]);
    expectBothDidSo(atOnce);
    await close();
    await database.drop();
  });
});
