import { expect } from 'chai';
import type { Disposition, ProviderAdapter, Signal } from '../../../../src/features/carriers/provider.js';
import { dispositionOfCause } from '../../../../src/features/carriers/providers/hangup-causes.js';
import { type ExpectedLeg, readScenarios, requestOfStep, type Scenario, signalsOf } from './samples.js';

/** The manifest's scenarios for providers that leave something to the rules of a call: who is the parent, what is talk. */

const STATES = ['initiated', 'ringing', 'answered', 'ended'] as const;

interface Leg {
  readonly states: readonly string[];
  readonly startedAt: number;
  readonly answeredAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly disposition: Disposition | undefined;
  last<K extends keyof Signal>(name: K): Signal[K];
}

function foldLeg(signals: readonly Signal[]): Leg {
  const last = <K extends keyof Signal>(name: K) => signals.findLast((signal) => signal[name] !== undefined)?.[name];
  const toldTimes = (state: string): number[] =>
    signals.filter((signal) => signal.state === state).flatMap((signal) => signal.occurredAt ?? []);
  const endedAt = toldTimes('ended')[0];
  const before = (seconds: number | undefined): number[] =>
    endedAt !== undefined && seconds ? [endedAt - seconds * 1000] : [];
  const answeredAt = toldTimes('answered')[0] ?? last('answeredAt') ?? before(last('talkSeconds'))[0];
  const toldDisposition = last('disposition');
  const unanswered =
    toldDisposition === 'completed' ? (dispositionOfCause(last('hangupCause') ?? '') ?? 'no_answer') : toldDisposition;
  return {
    states: STATES.filter((state) => signals.some((signal) => signal.state === state)),
    startedAt: Math.min(...STATES.flatMap(toldTimes), ...before(last('totalSeconds'))),
    answeredAt,
    endedAt,
    disposition: answeredAt === undefined ? unanswered : 'completed',
    last: last as Leg['last'],
  };
}

const msOf = (text: string): number => Date.parse(text);
const digitsOf = (party: string | undefined): string => (party ?? '').replace('+', '');

function expectTimes(leg: Leg, expected: ExpectedLeg): void {
  if (expected.startedAt) expect(leg.startedAt, 'started').to.equal(msOf(expected.startedAt));
  if (expected.answeredAt) expect(leg.answeredAt, 'answered').to.equal(msOf(expected.answeredAt));
  if (expected.endedAt) expect(leg.endedAt, 'ended').to.equal(msOf(expected.endedAt));
  if (!expected.talkSec) return;
  const talk = leg.last('talkSeconds') ?? ((leg.endedAt ?? 0) - (leg.answeredAt ?? 0)) / 1000;
  expect(Math.floor(talk), 'talk').to.equal(expected.talkSec);
}

function expectLeg(leg: Leg, expected: ExpectedLeg): void {
  expect(leg.states).to.deep.equal(expected.states.filter((state) => (STATES as readonly string[]).includes(state)));
  expect(leg.disposition).to.equal(expected.disposition);
  expect(leg.last('hangupCause')).to.equal(expected.hangupCause);
  expect([expected.direction, undefined]).to.include(leg.last('direction'));
  expect(digitsOf(leg.last('from'))).to.equal(digitsOf(expected.from ?? ''));
  expect(digitsOf(leg.last('to'))).to.equal(digitsOf(expected.to ?? ''));
  if (expected.group) expect(leg.last('sessionId')).to.equal(expected.group);
  else expect(leg.last('parentCallId') ?? null).to.equal(expected.parent);
  expectTimes(leg, expected);
}

function expectSteps(adapter: ProviderAdapter, scenario: Scenario): readonly Signal[] {
  return scenario.steps.flatMap((step) => {
    const signals = signalsOf(adapter, requestOfStep(step));
    const isState = (STATES as readonly string[]).includes(step.canonical.type);
    const states = signals.filter((signal) => signal.callId === step.leg).map((signal) => signal.state);
    if (isState) expect(states, step.file).to.include(step.canonical.type);
    else expect(states, step.file).to.deep.equal([undefined]);
    return signals;
  });
}

export function describeLegs(adapter: ProviderAdapter): void {
  describe(`the ${adapter.name} scenarios`, () => {
    for (const scenario of readScenarios(adapter.name)) {
      it(`understands ${scenario.name}`, () => {
        const signals = expectSteps(adapter, scenario);

        for (const expected of scenario.expect.legs) {
          expectLeg(foldLeg(signals.filter((signal) => signal.callId === expected.id)), expected);
        }
      });
    }
  });
}
