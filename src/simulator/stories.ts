/** What truly happened in a call, before any provider tells of it in its own words. */
import { createRandom, type Random } from './random.js';

export const OUTCOMES = ['answered', 'missed', 'busy', 'rejected', 'failed', 'canceled'] as const;
export type Outcome = (typeof OUTCOMES)[number];
export type Direction = 'incoming' | 'outgoing';
export type Party = 'caller' | 'callee' | 'system';

/** Weights: how a call goes, and whether it comes in or goes out (a forwarded one comes in). */
export const MIX_NAMES = [...OUTCOMES, 'forwarded', 'inbound', 'outbound'] as const;
export type Mix = Readonly<Record<(typeof MIX_NAMES)[number], number>>;

export const USUAL_MIX: Mix = {
  answered: 55,
  missed: 15,
  busy: 7,
  rejected: 5,
  failed: 4,
  canceled: 6,
  forwarded: 8,
  inbound: 60,
  outbound: 40,
};

/** Times are milliseconds; null: it did not come to that. */
export interface LegStory {
  readonly direction: Direction;
  readonly from: string;
  readonly to: string;
  readonly initiatedAt: number;
  readonly ringingAt: number | null;
  readonly answeredAt: number | null;
  readonly endedAt: number;
  readonly outcome: Outcome;
  readonly endedBy: Party;
  /** Why a leg of the outcome `failed` did not come about. */
  readonly failure: 'unallocated' | 'congestion';
}

export interface CallStory {
  readonly index: number;
  readonly provider: string;
  readonly leg: LegStory;
  /** The leg that the first one was forwarded to. */
  readonly forwarded: LegStory | null;
  /** What makes the ids of this call, and whatever else its sender chooses: the same each time it is asked. */
  random(purpose: string): Random;
}

export interface StoryOptions {
  readonly seed: string;
  readonly mix: Mix;
  /** The virtual numbers, E.164. */
  readonly numbers: readonly [string, ...string[]];
  /** Those who are not here, E.164. */
  readonly people: readonly [string, ...string[]];
}

/** Half of the people who call in are known by now. */
const PEOPLE = 400;

/** Numbers that are set aside for films and documentation, or not given out. */
const RANGES: readonly [[string, number], ...[string, number][]] = [
  ['+1202555', 4],
  ['+1415555', 4],
  ['+447700900', 3],
  ['+442079460', 3],
  ['+3319900', 4],
  ['+4930231250', 2],
];

export function inventPeople(seed: string): [string, ...string[]] {
  const random = createRandom(seed, 'people');
  const invent = (): string => {
    const [prefix, digits] = random.pick(RANGES);
    return prefix + Array.from({ length: digits }, () => random.between(0, 9)).join('');
  };
  return [invent(), ...Array.from({ length: PEOPLE - 1 }, invent)];
}

/** The call number `index` of a run, as if it began at `start`. */
export function tellStory(index: number, provider: string, options: StoryOptions): (start: number) => CallStory {
  const random = createRandom(options.seed, provider, 'story', index);
  const { inbound, outbound, ...kinds } = options.mix;
  const kind = random.weighted(kinds);
  const direction =
    kind === 'forwarded' || random.weighted({ inbound, outbound }) === 'inbound' ? 'incoming' : 'outgoing';
  const here = random.pick(options.numbers);
  const there = random.pick(options.people);
  const [from, to] = direction === 'incoming' ? [there, here] : [here, there];
  const parties = { direction, from, to } as const;
  const leg = kind === 'forwarded' ? pickedUp(random, parties) : plainLeg(random, parties, kind);
  const forwarded = kind === 'forwarded' ? forwardedLeg(random, leg, random.pick(options.people)) : null;
  const whole = forwarded ? outlast(random, leg, forwarded) : leg;
  return (start) => ({
    ...{ index, provider, leg: shift(whole, start), forwarded: forwarded && shift(forwarded, start) },
    random: (purpose) => createRandom(options.seed, provider, purpose, index),
  });
}

type Parties = Pick<LegStory, 'direction' | 'from' | 'to'>;

function plainLeg(random: Random, parties: Parties, outcome: Outcome): LegStory {
  const failure = random.chance(0.6) ? 'unallocated' : 'congestion';
  const alerting = parties.direction === 'incoming' ? random.between(10, 80) : random.between(300, 2500);
  const rang = (ring: number, endedBy: Party): LegStory => ({
    ...{ ...parties, outcome, endedBy, failure, initiatedAt: 0, ringingAt: alerting, answeredAt: null },
    endedAt: alerting + ring,
  });
  if (outcome === 'missed') return rang(random.between(20_000, 40_000), 'system');
  if (outcome === 'rejected') return rang(random.between(1500, 9000), 'callee');
  if (outcome === 'canceled') return rang(random.between(2000, 19_000), 'caller');
  if (outcome === 'answered') {
    const answeredAt = alerting + random.skewed(7000, [800, 38_000]);
    const endedBy = random.chance(0.55) ? 'caller' : 'callee';
    return { ...rang(0, endedBy), answeredAt, endedAt: answeredAt + talkTime(random) };
  }
  const endedBy = outcome === 'busy' ? 'callee' : 'system';
  return { ...rang(0, endedBy), ringingAt: null, endedAt: random.between(400, 3000) };
}

/** Whole calls stay below 200 seconds: jambonz signs the told time, which must be within 300 of the clock. */
const talkTime = (random: Random): number => random.skewed(22_000, [1200, 100_000]);

/** A leg that the platform answers itself before it dials on. */
function pickedUp(random: Random, parties: Parties): LegStory {
  const answeredAt = random.between(300, 1500);
  const ringingAt = random.between(10, 80);
  const ends = { outcome: 'answered', endedBy: 'callee', failure: 'unallocated', endedAt: answeredAt } as const;
  return { ...parties, ...ends, initiatedAt: 0, ringingAt, answeredAt };
}

function forwardedLeg(random: Random, parent: LegStory, to: string): LegStory {
  const parties = { direction: 'outgoing', from: parent.from, to } as const;
  const leg = plainLeg(random, parties, random.weighted({ answered: 80, missed: 14, busy: 6 }));
  return shift(leg, (parent.answeredAt ?? 0) + random.between(600, 6000));
}

/** The caller's leg ends with the one it was forwarded to, or after a word to the mailbox. */
function outlast(random: Random, leg: LegStory, forwarded: LegStory): LegStory {
  const more = forwarded.answeredAt === null ? random.between(4000, 15_000) : random.between(100, 900);
  const endedBy = forwarded.answeredAt === null ? 'caller' : forwarded.endedBy;
  return { ...leg, endedBy, endedAt: forwarded.endedAt + more };
}

function shift(leg: LegStory, by: number): LegStory {
  const later = (time: number | null): number | null => (time === null ? null : time + by);
  return {
    ...leg,
    initiatedAt: leg.initiatedAt + by,
    ringingAt: later(leg.ringingAt),
    answeredAt: later(leg.answeredAt),
    endedAt: leg.endedAt + by,
  };
}
