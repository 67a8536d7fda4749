/**
 * A run before it is played: which calls there are, which webhooks they make, and in which order these are sent, with
 * what is sent twice, late or never. It comes from the seed alone; only the clock and the run's mark are added.
 */
import { createRandom, type Random } from './random.js';
import type { Webhook } from './senders/sender.js';
import { senderOf } from './senders/senders.js';
import { type CallStory, type StoryOptions, tellStory } from './stories.js';

export interface PlanOptions extends StoryOptions {
  readonly calls: number;
  readonly providers: readonly [string, ...string[]];
  /** Webhooks a second; 0: as fast as they are answered. */
  readonly rate: number;
  /** Percent of the webhooks that are sent twice, late, never. */
  readonly duplicate: number;
  readonly reorder: number;
  readonly lose: number;
  /** Eight hexadecimal digits that no other run has. */
  readonly run: string;
  /** When the run begins, ms. */
  readonly base: number;
}

/** One sending of a webhook; a webhook that is sent twice has two. */
export interface Delivery {
  readonly call: number;
  /** Place of the webhook in its call. */
  readonly place: number;
  readonly attempt: number;
  /** When it is due, ms after the beginning. */
  readonly due: number;
}

export interface PlannedCall {
  readonly index: number;
  readonly provider: string;
  /** Places of the webhooks that are never sent. */
  readonly lost: readonly number[];
  /** Tells the call again: the same each time. */
  webhooks(): readonly Webhook[];
}

export interface Plan {
  readonly calls: readonly PlannedCall[];
  /** In the order in which they are sent. */
  readonly deliveries: readonly Delivery[];
}

interface Draft {
  readonly provider: string;
  /** When its webhooks are made, ms after it begins. */
  readonly times: readonly number[];
  readonly story: (start: number) => CallStory;
}

/** Where a delivery stands among the others, before it has a time. */
interface Spot {
  readonly call: number;
  readonly place: number;
  readonly attempt: number;
  readonly position: number;
}

export function makePlan(options: PlanOptions): Plan {
  const drafts = Array.from({ length: options.calls }, (_, index) => draftCall(index, options));
  const lost = drafts.map(() => new Set<number>());
  const random = createRandom(options.seed, 'order');
  const spots = drafts.flatMap((draft, call) => placeCall(draft, call, { options, random, lost: lost[call] }));
  spots.sort((a, b) => a.position - b.position || a.call - b.call || a.place - b.place || a.attempt - b.attempt);
  const gap = options.rate === 0 ? 0 : 1000 / options.rate;
  const deliveries = spots.map(({ call, place, attempt }, i) => ({ call, place, attempt, due: Math.round(i * gap) }));
  const starts = startTimes(drafts, deliveries);
  const calls = drafts.map(({ provider, story }, index) => ({
    index,
    provider,
    lost: [...(lost[index] ?? [])],
    webhooks: () => inOrder(senderOf(provider).tell(story(options.base + (starts[index] ?? 0)), options.run)),
  }));
  return { calls, deliveries };
}

const inOrder = (webhooks: readonly Webhook[]): Webhook[] => [...webhooks].sort((a, b) => a.at - b.at);

function draftCall(index: number, options: PlanOptions): Draft {
  const provider = options.providers[index % options.providers.length] ?? options.providers[0];
  const story = tellStory(index, provider, options);
  const times = inOrder(senderOf(provider).tell(story(0), options.run)).map(({ at }) => at);
  return { provider, story, times };
}

/** How many webhooks of other calls come between two of one call, about. */
const BETWEEN = 12;

interface Placing {
  readonly options: PlanOptions;
  readonly random: Random;
  readonly lost: Set<number> | undefined;
}

function placeCall(draft: Draft, call: number, { options, random, lost }: Placing): Spot[] {
  const percent = (share: number): boolean => random.chance(share / 100);
  const count = draft.times.length;
  const start = call * 3.5;
  const positions = draft.times.map((_, place) => start + (place + random.next()) * BETWEEN);
  const spots: Spot[] = [];
  for (let place = 0; place < count; place += 1) {
    // All are drawn for each webhook, so that one setting does not change what another one hits.
    const [isLost, isLate, isTwice] = [percent(options.lose), percent(options.reorder), percent(options.duplicate)];
    const [behind, again] = [random.between(place + 1, Math.max(place + 1, count - 1)), random.next()];
    if (isLost) {
      lost?.add(place);
      continue;
    }
    const after = positions[behind] ?? (positions[place] ?? start) + BETWEEN * 3;
    const position = isLate ? after + 0.5 : (positions[place] ?? start);
    spots.push({ call, place, attempt: 1, position });
    if (isTwice) spots.push({ call, place, attempt: 2, position: position + 0.1 + again * BETWEEN * 3 });
  }
  return spots;
}

/** Every call is as late as it can be with all its webhooks sent after what they tell of, as real ones are. */
function startTimes(drafts: readonly Draft[], deliveries: readonly Delivery[]): number[] {
  const starts = drafts.map(() => Number.POSITIVE_INFINITY);
  for (const { call, place, due } of deliveries) {
    const made = drafts[call]?.times[place] ?? 0;
    starts[call] = Math.min(starts[call] ?? 0, due - made);
  }
  return starts.map((start) => (start === Number.POSITIVE_INFINITY ? 0 : start));
}
