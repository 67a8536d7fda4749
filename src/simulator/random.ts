import { createHash } from 'node:crypto';

/** Chance that comes out the same for the same seed, on every machine. */
export interface Random {
  /** 0 inclusive to 1 exclusive. */
  next(): number;
  /** Whole number, both ends inclusive. */
  between(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
  /** One of the names, as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Partial<Record<Name, number>>>): Name;
  /** Log-normal, as ring and talk times are: many short ones, few long ones; cut to the bounds. */
  skewed(median: number, bounds: readonly [least: number, most: number]): number;
  hex(digits: number): string;
  uuid(): string;
}

/** Parts that differ give chances that have nothing to do with each other. */
export function createRandom(...parts: readonly (string | number)[]): Random {
  const next = sfc32(createHash('sha256').update(parts.join('\n')).digest());
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  const hex = (digits: number): string => Array.from({ length: digits }, () => between(0, 15).toString(16)).join('');
  return {
    next,
    between,
    hex,
    chance: (probability) => next() < probability,
    pick: (list) => list[between(0, list.length - 1)] ?? list[0],
    weighted: (weights) => pickWeighted(weights, next()),
    skewed: (median, [least, most]) =>
      Math.round(Math.min(most, Math.max(least, median * Math.exp(0.7 * normal(next))))),
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[between(0, 3)]}${hex(3)}-${hex(12)}`,
  };
}

function pickWeighted<Name extends string>(weights: Readonly<Partial<Record<Name, number>>>, chance: number): Name {
  const entries = Object.entries(weights) as [Name, number][];
  let rest = chance * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight] of entries) {
    rest -= weight;
    if (rest < 0) return name;
  }
  const last = entries.at(-1);
  if (!last) throw new Error('There is nothing to choose from.');
  return last[0];
}

/** Box and Muller. */
function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Chris Doty-Humphrey's small fast counter, 32 bits. */
function sfc32(seed: Buffer): () => number {
  let a = seed.readUInt32LE(0) | 0;
  let b = seed.readUInt32LE(4) | 0;
  let c = seed.readUInt32LE(8) | 0;
  let counter = seed.readUInt32LE(12) | 0;
  return () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4_294_967_296;
  };
}
