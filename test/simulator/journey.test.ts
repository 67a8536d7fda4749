import { expect } from 'chai';
import { createApi } from '../../src/simulator/api.js';
import { awaitBacklog, gatherEvidence } from '../../src/simulator/evidence.js';
import { createJournal } from '../../src/simulator/journal.js';
import { noCounts, play } from '../../src/simulator/play.js';
import { newRun, setScene } from '../../src/simulator/scene.js';
import { type SignedIn, signIn } from '../../src/simulator/sign-in.js';
import { type Findings, findDifferences } from '../../src/simulator/verify.js';
import { startSystem, type TestSystem } from '../support/system.js';
import { PROVIDERS, planOf } from './runs.js';

const PATIENCE = 10_000;

const asOwner = (system: TestSystem): Promise<SignedIn> =>
  signIn({ url: system.url, login: null, config: system.config, patience: PATIENCE });

async function simulate(url: string, signedIn: SignedIn): Promise<Findings> {
  const run = newRun();
  const options = { url, signedIn, patience: PATIENCE, account: null, providers: PROVIDERS, numbers: 3 };
  const { api, lines, numbers, afterSeq } = await setScene(options, run);
  const plan = planOf({ calls: 100, rate: 0, lose: 8, numbers, run, base: Date.now() });
  const carriers = Object.fromEntries([...lines].map(([provider, { carrierId }]) => [provider, carrierId]));
  const journal = createJournal({ run, url, seed: 'one', calls: 100, carriers, numbers, afterSeq }, null);
  const counts = noCounts(plan.deliveries.length);
  const sending = { concurrency: 16, giveUpAfter: PATIENCE, signal: new AbortController().signal };
  await play({ plan, lines, journal, counts, ...sending });
  expect(counts).to.include({ answered: plan.deliveries.length, refused: 0, givenUp: 0 });
  expect(await awaitBacklog(api, journal.facts, PATIENCE)).to.equal(true);
  return findDifferences(journal, await gatherEvidence(api, journal.facts), { tolerance: 250, now: Date.now() });
}

describe('a simulated run against the whole product', function () {
  // Every provider is played, worked off and compared: 22 s were seen at a load of 30.
  this.timeout(60_000);

  const started: TestSystem[] = [];

  before(async () => {
    started.push(await startSystem());
  });

  after(async () => {
    for (const system of started) await system.stop();
  });

  function systemOf(): TestSystem {
    const [system] = started;
    if (!system) throw new Error('The product did not start.');
    return system;
  }

  it('finds every call log of every provider right', async () => {
    const system = systemOf();
    await system.createOperator();

    const findings = await simulate(system.url, await asOwner(system));

    expect(findings.differences).to.deep.equal([]);
    expect(findings.right).to.equal(findings.calls);
    expect(findings.calls).to.be.above(90);
  });

  it('lets the owner of the installation in as its first operator', async () => {
    const system = systemOf();
    const operator = await system.createOperator();
    const { token, as } = await asOwner(system);

    const me = await createApi({ url: system.url, token, patience: PATIENCE }).get('/api/users/me/');

    expect(me.role).to.equal('operator');
    expect(as).to.contain('first operator');
    expect(operator.userId).to.be.a('string');
  });

  it('signs in with a login, and says so when that is wrong', async () => {
    const system = systemOf();
    const admin = await system.createAdmin();
    const options = { url: system.url, config: system.config, patience: PATIENCE };

    const { as } = await signIn({ ...options, login: admin });
    const wrong = await signIn({ ...options, login: { ...admin, password: 'another one' } }).catch((error) => error);

    expect(as).to.equal(admin.username);
    expect(wrong.message).to.contain('cannot sign in');
  });

  it('says what is missing when it finds no way in', async () => {
    const { url, config } = systemOf();
    const stranger = { ...config, jwtSecret: null, databaseUrl: null, dataDir: '/nowhere' };

    const refused = await signIn({ url, config: stranger, login: null, patience: PATIENCE }).catch((error) => error);

    expect(refused.message).to.contain('--username');
  });
});
