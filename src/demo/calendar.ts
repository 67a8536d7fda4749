/** When people call: by weekday, hour and season, on the clocks of one place. */
import { zoneClock } from '../lib/zone-clock.js';
import type { Random } from '../simulator/random.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Monday first. */
const WEEKDAYS = [1.25, 1.05, 1, 1, 0.9, 0.3, 0.12];
/** From midnight on; two peaks around noon. */
const HOURS = [
  0.02, 0.01, 0.01, 0.01, 0.02, 0.05, 0.15, 0.5, 1.1, 1.7, 1.9, 1.6, 0.9, 1.2, 1.6, 1.5, 1.2, 0.8, 0.45, 0.3, 0.2, 0.12,
  0.07, 0.04,
];
const HOLIDAYS = new Set(['01-01', '05-01', '12-24', '12-25', '12-26', '12-31']);
/** One day in so many nearly everything goes wrong. */
const BAD_DAY_ODDS = 60;

export interface Moment {
  readonly at: number;
  /** How many callers are not reached just then, 0 to 1. */
  readonly missedShare: number;
}

export interface Calendar {
  /** Moments in order, each as often as people call then. */
  moments(count: number): Generator<Moment>;
}

interface Slot {
  readonly from: number;
  readonly weight: number;
  readonly missedShare: number;
}

export function createCalendar(wish: {
  readonly from: number;
  readonly until: number;
  readonly timeZone: string;
  readonly random: Random;
}): Calendar {
  const { until, random } = wish;
  const slots = [...hourSlots(wish)];
  const whole = slots.reduce((sum, { weight }) => sum + weight, 0);
  return {
    *moments(count) {
      let given = 0;
      let weight = 0;
      for (const slot of slots) {
        weight += slot.weight;
        const due = Math.round((count * weight) / whole) - given;
        given += due;
        const length = Math.min(HOUR, until - slot.from);
        const times = Array.from({ length: due }, () => slot.from + Math.floor(random.next() * length));
        for (const at of times.sort((a, b) => a - b)) yield { at, missedShare: slot.missedShare };
      }
    },
  };
}

function* hourSlots({ from, until, timeZone, random }: Parameters<typeof createCalendar>[0]): Generator<Slot> {
  const clock = zoneClock(timeZone);
  let today = '';
  let mood = 1;
  let isBad = false;
  for (let at = from; at < until; at += HOUR) {
    const local = new Date(clock.localOf(at));
    const date = local.toISOString().slice(0, 10);
    if (date !== today) {
      today = date;
      mood = 0.8 + 0.4 * random.next();
      isBad = random.chance(1 / BAD_DAY_ODDS);
    }
    const weekday = (local.getUTCDay() + 6) % 7;
    const hour = local.getUTCHours();
    const season = 1 + 0.15 * Math.cos(((local.getTime() % (365 * DAY)) / (365 * DAY)) * 2 * Math.PI);
    const holiday = HOLIDAYS.has(date.slice(5)) ? 0.1 : 1;
    const weight = (WEEKDAYS[weekday] ?? 1) * (HOURS[hour] ?? 1) * season * holiday * mood + 1e-6;
    yield { from: at, weight, missedShare: isBad ? 0.65 : missedShare(weekday, hour) };
  }
}

/** Monday mornings and lunch are the worst; at night and on Sundays hardly anyone is there. */
function missedShare(weekday: number, hour: number): number {
  if (weekday === 6 || hour < 7 || hour >= 19) return 0.7;
  if (weekday === 0 && hour >= 8 && hour < 11) return 0.38;
  if (hour === 12) return 0.42;
  return weekday === 5 ? 0.3 : 0.14;
}
