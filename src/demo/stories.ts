/** What happens: who calls whom, whether anyone answers, and what comes after it. */
import type { Disposition, HangupSource } from '../features/carriers/index.js';
import type { Random } from '../simulator/random.js';
import type { Moment } from './calendar.js';
import type { People } from './people.js';

export interface OwnNumber {
  readonly id: string;
  readonly number: string;
  readonly userId: string | null;
  readonly carrier: { readonly id: string; readonly provider: string };
}

/** One leg, as it will be recorded. Times in ms. */
export interface Leg {
  readonly own: OwnNumber;
  readonly direction: 'incoming' | 'outgoing';
  readonly party: string;
  readonly startedAt: number;
  readonly ringingAt: number | null;
  readonly answeredAt: number | null;
  readonly endedAt: number;
  readonly disposition: Disposition;
  readonly cause: string;
  readonly source: HangupSource;
  readonly tags: readonly string[];
  readonly note: string | null;
  /** The leg that this one was forwarded from. */
  readonly parent: Leg | null;
}

const ENDS: Readonly<Record<string, readonly [Disposition, string, HangupSource]>> = {
  answered: ['completed', 'normal_clearing', 'caller'],
  no_answer: ['no_answer', 'ring_timeout', 'system'],
  hung_up: ['canceled', 'originator_cancel', 'caller'],
  busy: ['busy', 'user_busy', 'callee'],
  rejected: ['rejected', 'call_rejected', 'callee'],
  failed: ['failed', 'network_error', 'system'],
};
const MISSED = { no_answer: 55, hung_up: 28, busy: 9, rejected: 6, failed: 2 };
const NOTES = ['Asked for a quote', 'Will call back on Monday', 'Wrong department', 'Invoice sent again'] as const;
const TOPICS = { sales: 30, support: 45, invoice: 15, complaint: 10 };
const SECOND = 1000;

export interface Storyteller {
  /** The legs of one moment: the call, a forwarded leg, a second try of who was not reached. */
  tell(moment: Moment): Leg[];
}

export function createStoryteller(parts: {
  readonly random: Random;
  readonly people: People;
  readonly numbers: readonly [OwnNumber, ...OwnNumber[]];
  /** Nothing happens later. */
  readonly until: number;
}): Storyteller {
  const { random, people, numbers, until } = parts;
  // Some numbers are on every letterhead, others on none.
  const anyNumber = (): OwnNumber => numbers[Math.floor(numbers.length * random.next() ** 1.7)] ?? numbers[0];

  function leg(wish: { own: OwnNumber; party: string; at: number; direction: Leg['direction']; missed: number }): Leg {
    const end = random.chance(wish.missed) ? random.weighted(MISSED) : 'answered';
    const [disposition, cause, source] = ENDS[end] ?? ['failed', 'unknown', 'system'];
    const ring = end === 'no_answer' ? random.between(25, 45) : random.skewed(7, [1, 24]);
    const ringingAt = end === 'failed' ? null : wish.at + random.between(150, 1500);
    const answeredAt = end === 'answered' && ringingAt !== null ? ringingAt + ring * SECOND : null;
    const talk = random.chance(0.05) ? random.between(1, 9) : random.skewed(140, [10, 5400]);
    return {
      ...{ own: wish.own, party: wish.party, direction: wish.direction, startedAt: wish.at, ringingAt, answeredAt },
      endedAt: answeredAt === null ? (ringingAt ?? wish.at) + ring * SECOND : answeredAt + talk * SECOND,
      ...{ disposition, cause, source: answeredAt !== null && random.chance(0.5) ? 'callee' : source },
      tags: tagsOf(wish.party, answeredAt === null),
      note: random.chance(0.015) ? random.pick(NOTES) : null,
      parent: null,
    };
  }

  function tagsOf(party: string, isMissed: boolean): string[] {
    const tags = people.isRegular(party) ? ['vip'] : [];
    if (isMissed && random.chance(0.2)) tags.push('callback');
    if (!isMissed && random.chance(0.18)) tags.push(random.weighted(TOPICS));
    return tags;
  }

  return {
    tell({ at, missedShare }) {
      const isIncoming = random.chance(0.72);
      const wish = { own: anyNumber(), party: people.anyone(), at };
      const call = leg({
        ...wish,
        direction: isIncoming ? 'incoming' : 'outgoing',
        missed: isIncoming ? missedShare : 0.22,
      });
      const legs = [call];
      if (isIncoming && call.answeredAt !== null && random.chance(0.06)) {
        const forwarded = { own: call.own, party: people.anyone(), at: call.answeredAt + 2 * SECOND };
        legs.push({ ...leg({ ...forwarded, direction: 'outgoing', missed: 0.1 }), parent: call });
      }
      if (isIncoming && call.answeredAt === null && random.chance(0.45)) {
        const again = call.endedAt + random.skewed(240, [20, 3600]) * SECOND;
        legs.push(leg({ ...wish, at: again, direction: 'incoming', missed: missedShare * 0.7 }));
      }
      return legs.filter(({ endedAt }) => endedAt < until);
    },
  };
}
