import { expect } from 'chai';
import fc from 'fast-check';
import {
  type CallFacts,
  factsOf,
  foldReports,
  joinFacts,
  NO_FACTS,
  newlyStated,
} from '../../../src/features/calls/call-facts.js';
import { viewCall } from '../../../src/features/calls/call-view.js';
import { anyReports, BASE, report } from './call-reports.js';

const RUNS = { numRuns: 500 };
const anyFacts = anyReports.map((reports) => foldReports(reports));

describe('the facts of a call', () => {
  it('join commutatively', () => {
    const pairs = anyReports.chain((reports) => fc.tuple(fc.constant(reports), fc.nat(reports.length)));

    fc.assert(
      fc.property(pairs, ([reports, cut]) => {
        const [a, b] = [foldReports(reports.slice(0, cut)), foldReports(reports.slice(cut))];
        expect(joinFacts(a, b)).to.deep.equal(joinFacts(b, a));
      }),
      RUNS,
    );
  });

  it('join associatively', () => {
    fc.assert(
      fc.property(anyReports, fc.nat(8), fc.nat(8), (reports, i, j) => {
        const [first, second] = [Math.min(i, j), Math.max(i, j)];
        const parts = [reports.slice(0, first), reports.slice(first, second), reports.slice(second)];
        const [a, b, c] = parts.map((part) => foldReports(part)) as [CallFacts, CallFacts, CallFacts];
        expect(joinFacts(joinFacts(a, b), c)).to.deep.equal(joinFacts(a, joinFacts(b, c)));
      }),
      RUNS,
    );
  });

  it('join idempotently', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        expect(joinFacts(facts, facts)).to.deep.equal(facts);
        expect(joinFacts(NO_FACTS, facts)).to.deep.equal(facts);
      }),
      RUNS,
    );
  });

  it('are the same for every order, repeat and split of the same reports', () => {
    const shuffled = anyReports.chain((reports) =>
      fc.tuple(fc.constant(reports), fc.shuffledSubarray([...reports, ...reports], { minLength: reports.length * 2 })),
    );

    fc.assert(
      fc.property(shuffled, fc.array(fc.nat(4), { maxLength: 6 }), ([reports, order], cuts) => {
        let facts = NO_FACTS;
        const rest = [...order];
        for (const size of cuts) facts = joinFacts(facts, foldReports(rest.splice(0, size)));
        facts = foldReports(rest, facts);

        expect(facts).to.deep.equal(foldReports(reports));
        expect(viewCall(facts)).to.deep.equal(viewCall(foldReports(reports)));
      }),
      RUNS,
    );
  });

  it('survive being stored as JSON', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        expect(JSON.parse(JSON.stringify(facts))).to.deep.equal(facts);
      }),
      RUNS,
    );
  });

  it('are read and joined also where they were stored before ends told of the answer', () => {
    const ended = report({ state: 'ended', at: 50_000, talkSeconds: 42 });
    const { rank } = factsOf(ended).end ?? {};
    const stored = { ...factsOf(ended), end: { rank, talkSeconds: 42, totalSeconds: null } } as CallFacts;
    const later = report({ state: 'ended', at: 51_000, answeredAt: BASE + 8500 });

    expect(viewCall(stored)).to.deep.equal(viewCall(factsOf(ended)));
    expect(joinFacts(stored, factsOf(later))).to.deep.equal(foldReports([later, ended]));
  });

  it('tell each stated fact once, whatever the batches', () => {
    fc.assert(
      fc.property(anyReports, (reports) => {
        const told: string[] = [];
        let facts = NO_FACTS;
        for (const one of [...reports, ...reports]) {
          const next = joinFacts(facts, factsOf(one));
          told.push(...newlyStated(facts, next));
          facts = next;
        }
        const stated = new Set(reports.map(({ state }) => state).filter((state) => state !== undefined));
        expect(told.sort()).to.deep.equal([...stated].sort());
      }),
      RUNS,
    );
  });

  it('stay lost once closed, whatever is joined', () => {
    const lost: CallFacts = { ...NO_FACTS, lost: true };

    expect(joinFacts(lost, NO_FACTS)).to.have.property('lost', true);
    expect(joinFacts(NO_FACTS, lost)).to.have.property('lost', true);
    expect(joinFacts(NO_FACTS, NO_FACTS)).not.to.have.property('lost');
  });
});
