import { expect } from 'chai';
import { awaitBacklog } from '../../src/simulator/evidence.js';
import { follow } from '../../src/simulator/follow.js';
import { compareHeard } from '../../src/simulator/heard.js';
import { createJournal } from '../../src/simulator/journal.js';
import { noCounts, play } from '../../src/simulator/play.js';
import { createRandom } from '../../src/simulator/random.js';
import { newRun, setScene } from '../../src/simulator/scene.js';
import { startSystem } from '../support/system.js';
import { planOf } from './runs.js';

const PATIENCE = 10_000;
const CUTS = 25;

describe('a live listener whose line is cut', function () {
  this.timeout(120_000);

  it('has every event once and in order', async () => {
    const system = await startSystem();
    const { token } = await system.createAdmin();
    const run = newRun();
    const signedIn = { token: async () => token, as: 'an admin' };
    const providers: [string, ...string[]] = ['generic', 'twilio'];
    const options = { url: system.url, signedIn, patience: PATIENCE, account: null, providers, numbers: 3 };
    const scene = await setScene(options, run);
    const { lines, numbers, afterSeq } = scene;
    const plan = planOf({ calls: 60, rate: 150, providers, numbers, run, base: Date.now() });
    const carriers = Object.fromEntries([...lines].map(([provider, { carrierId }]) => [provider, carrierId]));
    const journal = createJournal({ run, url: system.url, seed: 'one', calls: 60, carriers, numbers, afterSeq }, null);
    const overMs = plan.deliveries.at(-1)?.due ?? 0;

    const follower = follow({
      ...{ url: system.url, token: scene.token, after: afterSeq, cuts: CUTS, overMs },
      random: createRandom('cuts'),
    });
    const counts = noCounts(plan.deliveries.length);
    const signal = new AbortController().signal;
    await play({ plan, lines, journal, counts, concurrency: 16, giveUpAfter: PATIENCE, signal });
    await awaitBacklog(scene.api, journal.facts, PATIENCE);
    const stored: number[] = [];
    for await (const { seq } of scene.api.all(`/api/call_events/?after=${afterSeq}&limit=500`))
      stored.push(Number(seq));
    // The cuts go on for as long as each new connection takes on a machine that has much else to do.
    const hasReached = await follower.hasReached(stored.at(-1) ?? 0, 6 * PATIENCE);
    follower.close();
    await system.stop();

    expect(hasReached).to.equal(true);
    expect(stored.length).to.be.above(100);
    expect(compareHeard(follower.seqs, stored)).to.deep.equal({ lost: 0, doubled: 0, disordered: 0, unknown: 0 });
    expect(follower.connections()).to.be.above(CUTS);
  });
});
