import { expect } from 'chai';
import { startSystem, type TestSystem } from '../../support/system.js';
import { createRandom } from '../carriers/providers/mutations.js';
import { handClock } from './lines.js';
import {
  callsOf,
  expectLeg,
  expectScenario,
  makePlayer,
  type Player,
  play,
  recordsOf,
  SCENARIO_PROVIDERS,
  scenariosOf,
  shuffled,
  type TimedStep,
  timedSteps,
} from './scenario-runs.js';

const SEEDS = [1, 2, 3];

describe('the sample calls of every provider', function () {
  this.timeout(60_000);
  const clock = handClock(Date.now());
  let system: TestSystem;
  let player: Player;
  before(async () => {
    system = await startSystem({ clock });
    player = await makePlayer(system, clock);
  });
  after(() => system.stop());

  for (const provider of SCENARIO_PROVIDERS) {
    const scenarios = scenariosOf(provider);
    // Variants tell of the same call in other encodings: to the switch they are one delivery.
    const whole = scenarios.filter((scenario) => !scenario.name.startsWith('variant'));

    for (const scenario of scenarios) {
      it(`come out as they were, in order: ${provider} ${scenario.name}`, async () => {
        const line = await play(player, provider, timedSteps(scenario));

        await expectScenario(player, line, scenario);
      });
    }

    it(`come out the same in any order, doubled and mixed with each other: ${provider}`, async () => {
      const steps = whole.flatMap(timedSteps);
      const inOrder = await play(player, provider, steps);
      const expected = await recordsOf(player, inOrder);

      for (const seed of SEEDS) {
        const order: readonly TimedStep[] = shuffled([...steps, ...steps], createRandom(seed));
        const line = await play(player, provider, order);

        expect(await recordsOf(player, line), `seed ${seed}`).to.deep.equal(expected);
        const calls = await callsOf(player, line);
        for (const leg of whole.flatMap((scenario) => scenario.expect.legs)) await expectLeg(player, calls, leg);
      }
    });
  }
});
