import { expect } from 'chai';
import type { Plan } from '../../src/simulator/plan.js';
import { tellStory, USUAL_MIX } from '../../src/simulator/stories.js';
import { BASE, NUMBERS, PROVIDERS, planOf } from './runs.js';

const everything = (plan: Plan) => ({
  calls: plan.calls.map((call) => [call.provider, call.lost, call.webhooks()]),
  deliveries: plan.deliveries,
});

const webhooksIn = (plan: Plan): number => plan.calls.reduce((sum, call) => sum + call.webhooks().length, 0);

describe('plan of a simulated run', () => {
  it('comes out the same for the same seed', () => {
    const [one, two] = [planOf(), planOf()];

    expect(everything(one)).to.deep.equal(everything(two));
  });

  it('comes out otherwise for another seed', () => {
    const [one, two] = [planOf(), planOf({ seed: 'two' })];

    expect(everything(one).deliveries).not.to.deep.equal(everything(two).deliveries);
    expect(everything(one).calls).not.to.deep.equal(everything(two).calls);
  });

  it('marks every id with the run and changes nothing else with it', () => {
    const [one, two] = [planOf(), planOf({ run: 'feedf00d' })];

    expect(JSON.stringify(everything(one)).replaceAll('0badcafe', 'feedf00d')).to.equal(
      JSON.stringify(everything(two)),
    );
    for (const webhook of one.calls.flatMap((call) => call.webhooks())) {
      for (const { leg } of webhook.claims) expect(leg).to.contain('0badcafe');
    }
  });

  it('sends every webhook that is not lost, and no lost one', () => {
    const plan = planOf({ calls: 300, lose: 20 });
    const sent = new Set(plan.deliveries.map(({ call, place }) => `${call}.${place}`));

    const expected = plan.calls.flatMap((call) =>
      call.webhooks().flatMap((_, place) => (call.lost.includes(place) ? [] : [`${call.index}.${place}`])),
    );
    expect([...sent].sort()).to.deep.equal(expected.sort());
  });

  it('duplicates and loses about as many percent as it is told', () => {
    const plan = planOf({ calls: 1000, duplicate: 25, lose: 10 });
    const total = webhooksIn(plan);
    const lost = plan.calls.reduce((sum, call) => sum + call.lost.length, 0);
    const twice = plan.deliveries.filter(({ attempt }) => attempt === 2).length;

    expect(lost / total).to.be.closeTo(0.1, 0.02);
    expect(twice / (total - lost)).to.be.closeTo(0.25, 0.03);
  });

  it('keeps the order of a call when nothing is to be reordered, and breaks it otherwise', () => {
    const inOrder = (plan: Plan): boolean => {
      const last = new Map<number, number>();
      return plan.deliveries.every(({ call, place }) => {
        const before = last.get(call) ?? -1;
        last.set(call, place);
        return place > before;
      });
    };

    expect(inOrder(planOf({ reorder: 0, duplicate: 0 }))).to.equal(true);
    expect(inOrder(planOf({ reorder: 20, duplicate: 0 }))).to.equal(false);
  });

  it('sends at an even pace, and nothing before what it tells of', () => {
    const plan = planOf({ calls: 200, rate: 40 });

    plan.deliveries.forEach(({ call, place, due }, i) => {
      const webhook = plan.calls[call]?.webhooks()[place];
      expect(due).to.equal(i * 25);
      expect(webhook?.at).to.be.at.most(BASE + due);
    });
  });

  it('keeps what jambonz signs as its time within the five minutes that are allowed', () => {
    const plan = planOf({ calls: 300, providers: ['jambonz'], rate: 0, lose: 0 });
    const ages = plan.calls.flatMap((call) => call.webhooks().map(({ at }) => BASE - at));

    expect(Math.max(...ages)).to.be.below(240_000);
    expect(Math.min(...ages)).to.be.at.least(0);
  });
});

describe('story of a simulated call', () => {
  const stories = Array.from({ length: 500 }, (_, index) =>
    tellStory(index, 'twilio', { seed: 'one', mix: USUAL_MIX, numbers: NUMBERS, people: ['+12025550143'] })(0),
  );

  it('goes through its states in order', () => {
    for (const { leg, forwarded } of stories) {
      for (const { initiatedAt, ringingAt, answeredAt, endedAt } of [leg, ...(forwarded ? [forwarded] : [])]) {
        const times = [initiatedAt, ringingAt, answeredAt, endedAt].filter((time) => time !== null);
        expect(times).to.deep.equal([...times].sort((a, b) => a - b));
      }
    }
  });

  it('has every outcome, both directions and forwarded calls', () => {
    const outcomes = new Set(stories.map(({ leg }) => leg.outcome));
    const directions = new Set(stories.map(({ leg }) => leg.direction));

    expect(outcomes.size).to.equal(6);
    expect(directions.size).to.equal(2);
    expect(stories.some(({ forwarded }) => forwarded !== null)).to.equal(true);
  });

  it('is played by every provider', () => {
    const plan = planOf({ calls: PROVIDERS.length });

    expect(plan.calls.map(({ provider }) => provider)).to.deep.equal(PROVIDERS);
  });
});
