/** The manifest's scenarios over the whole product: signed, through the door, worked off, read back as call logs. */
import { expect } from 'chai';
import { API_KEY_SCOPES } from '../../../src/http/actor.js';
import type { Person, TestSystem } from '../../support/system.js';
import { type ExpectedLeg, readScenarios, type Scenario, type Step } from '../carriers/providers/samples.js';
import { claimNumber, type Delivery, deliver, drained, type HandClock, type Line, openLine } from './lines.js';

export const SCENARIO_PROVIDERS = [
  ...['twilio', 'telnyx', 'vonage', 'plivo', 'signalwire', 'jambonz', 'bandwidth', 'sinch', 'freeswitch'],
] as const;

export const BASE = Date.UTC(2026, 2, 2, 15);
/** The virtual numbers of the samples. */
export const NUMBERS = Array.from({ length: 9 }, (_, place) => `+120255501${String(place).padStart(2, '0')}`);

/** A step with the moment of its arrival: that of the carrier's time, else behind the step before it. */
export interface TimedStep extends Step {
  readonly sentAt: number;
  readonly arrivesAt: number;
}

export function timedSteps(scenario: Scenario): TimedStep[] {
  const first = scenario.steps.find((step) => step.occurredAt !== null)?.occurredAt;
  let last = first ? Date.parse(first) - 5000 : BASE;
  return scenario.steps.map((step) => {
    const sentAt = step.occurredAt ? Date.parse(step.occurredAt) : last + 1000;
    last = Math.max(last, sentAt);
    return { ...step, sentAt, arrivesAt: sentAt + 250 };
  });
}

export interface Player {
  readonly system: TestSystem;
  readonly clock: HandClock;
  readonly admin: Person;
}

/**
 * An admin's API key, because tokens end by the machine's clock as well; asked for in the present, and then the clock
 * goes back to the time of the samples.
 */
export async function makePlayer(system: TestSystem, clock: HandClock): Promise<Player> {
  const person = await system.createAdmin();
  for (const number of NUMBERS) await claimNumber(system, person, number);
  const { body } = await system.ask('POST', '/api/api_keys/', {
    token: person.token,
    body: { name: 'player', scopes: API_KEY_SCOPES },
  });
  clock.set(BASE);
  return { system, clock, admin: { ...person, token: body.key } };
}

const deliveryOf = (step: TimedStep): Delivery => ({
  path: `${step.path}${step.query ? `?${step.query}` : ''}`,
  contentType: step.contentType,
  body: step.body,
  at: step.sentAt,
});

/** Delivers the steps in the given order, each arriving at its own time, on a line of their own. */
export async function play(player: Player, provider: string, steps: readonly TimedStep[]): Promise<Line> {
  const { system, clock, admin } = player;
  const line = await openLine(system, admin, provider);
  for (const step of steps) {
    clock.set(step.arrivesAt);
    expect(await deliver(system, line, deliveryOf(step)), step.file).to.be.within(200, 204);
  }
  clock.set(BASE + 3_600_000);
  await drained(system);
  return line;
}

// biome-ignore lint/suspicious/noExplicitAny: a call log as the wire shows it
export type Call = any;

export async function callsOf({ system, admin }: Player, line: Line): Promise<Call[]> {
  const { body } = await system.ask('GET', `/api/call_logs/?carrier_id=${line.id}&limit=500`, { token: admin.token });
  return body;
}

/** What must be the same however the webhooks came: all but ids and when it was written. */
export async function recordsOf(player: Player, line: Line): Promise<Record<string, unknown>[]> {
  const calls = await callsOf(player, line);
  const nameOf = new Map(calls.map((call) => [call.id, call.carrier_call_id]));
  const records = calls.map(({ id, updated_at, carrier_id, parent_call_log_id, ...rest }) => ({
    ...rest,
    parent: nameOf.get(parent_call_log_id) ?? null,
  }));
  return records.sort((a, b) => (a.carrier_call_id < b.carrier_call_id ? -1 : 1));
}

export async function toldOf({ system, admin }: Player, call: Call): Promise<string[]> {
  const { body } = await system.ask('GET', `/api/call_logs/${call.id}/events/`, { token: admin.token });
  return body.map((entry: { type: string }) => entry.type).filter((type: string) => type !== 'call.updated');
}

const STATES = ['initiated', 'ringing', 'answered', 'ended'];
const digits = (party: string): string => party.replace('+', '');
const cut = (time: string): string => new Date(Date.parse(time)).toISOString();

export async function expectScenario(player: Player, line: Line, scenario: Scenario): Promise<void> {
  const calls = await callsOf(player, line);
  expect(calls).to.have.lengthOf(scenario.expect.legs.length);
  for (const leg of scenario.expect.legs) await expectLeg(player, calls, leg);
}

export async function expectLeg(player: Player, calls: readonly Call[], leg: ExpectedLeg): Promise<void> {
  const call = calls.find(({ carrier_call_id }) => carrier_call_id === leg.id);
  const parent = calls.find(({ carrier_call_id }) => carrier_call_id === leg.parent);
  expect(call, leg.id).to.include({ status: 'ended', disposition: leg.disposition, hangup_cause: leg.hangupCause });
  expect(call.parent_call_log_id).to.equal(parent?.id ?? null);
  if (leg.direction) expect(call.direction).to.equal(leg.direction);
  if (leg.from) expect(digits(call.caller_number)).to.equal(digits(leg.from));
  if (leg.to) expect(digits(call.called_number)).to.equal(digits(leg.to));
  for (const [told, at] of [
    [leg.startedAt, call.started_at],
    [leg.answeredAt, call.answered_at],
    [leg.endedAt, call.ended_at],
  ]) {
    if (told) expect(at).to.equal(cut(told));
  }
  // A manifest's talk may be cut where the contract rounds.
  if (leg.talkSec !== null) expect(call.duration - leg.talkSec).to.be.within(0, 1);
  const told = await toldOf(player, call);
  const states = leg.states.filter((state) => STATES.includes(state)).map((state) => `call.${state}`);
  expect([...told].sort()).to.deep.equal(states.sort());
}

export const scenariosOf = (provider: string): readonly Scenario[] => readScenarios(provider);

export function shuffled<T>(items: readonly T[], random: (below: number) => number): T[] {
  const left = [...items];
  const out: T[] = [];
  while (left.length > 0) out.push(...left.splice(random(left.length), 1));
  return out;
}
