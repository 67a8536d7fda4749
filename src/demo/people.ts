/** The outside world: callers with numbers that no one has, from the ranges that plans reserve for fiction. */
import type { Random } from '../simulator/random.js';

/** Beginnings, with how many digits follow. */
const RANGES: Readonly<
  Record<string, { readonly weight: number; readonly begin: readonly [string, ...string[]]; readonly digits: number }>
> = {
  DE: { weight: 62, begin: ['+493023125', '+494066969', '+496990009', '+49221471', '+498999998'], digits: 3 },
  GB: { weight: 12, begin: ['+441134960', '+441214960', '+441314960', '+441614960', '+442079460'], digits: 3 },
  FR: { weight: 12, begin: ['+3319900', '+3326191', '+3335301', '+3363998'], digits: 4 },
  US: { weight: 14, begin: ['+1212555', '+1312555', '+1415555', '+1617555', '+1702555'], digits: 4 },
};

export function inventNumber(random: Random): string {
  const weights = Object.fromEntries(Object.entries(RANGES).map(([country, { weight }]) => [country, weight]));
  const range = RANGES[random.weighted(weights)];
  if (!range) throw new Error('There is no such range.');
  // In the USA only 0100 to 0199 is fiction.
  const last = range.begin[0].startsWith('+1') ? random.between(100, 199) : random.between(0, 10 ** range.digits - 1);
  return random.pick(range.begin) + String(last).padStart(range.digits, '0');
}

/** A number of the account itself. */
export const inventOwnNumber = (random: Random): string =>
  `+493023125${String(random.between(0, 999)).padStart(3, '0')}`;

export interface People {
  /** Some call every week, most once. */
  anyone(): string;
  isRegular(number: string): boolean;
}

const REGULARS = 0.02;

export function inventPeople(random: Random, calls: number): People {
  const count = Math.max(5, Math.ceil(calls / 5));
  const numbers = Array.from({ length: count }, () => inventNumber(random));
  const regulars = new Set(numbers.slice(0, Math.ceil(count * REGULARS)));
  return {
    anyone: () => numbers[Math.floor(count * random.next() ** 3)] ?? '+12125550100',
    isRegular: (number) => regulars.has(number),
  };
}
