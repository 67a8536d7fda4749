import { type Spread, spreadOf } from './statistics.js';

export type Unit = '/s' | 'ms' | 's' | 'MB' | '×' | '%' | 'µs' | 'buffers' | 'statements';

export interface Goal {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** One measured thing: a value for each round, and what it should be. */
export interface Row extends Spread {
  readonly group: string;
  readonly name: string;
  readonly unit: Unit;
  readonly rounds: readonly number[];
  readonly goal: Goal | null;
  /** Judged by the median; null without a goal. */
  readonly met: boolean | null;
}

export interface PartResult {
  readonly part: string;
  readonly rows: readonly Row[];
  /** What was not measured, and why. */
  readonly skipped: readonly string[];
}

export interface Notebook {
  /** One more round of a measured thing. */
  note(group: string, name: string, unit: Unit, value: number): void;
  /** A ratio of two measured things, round by round: both were measured close to each other. */
  ratio(name: string, over: readonly [string, string], under: readonly [string, string], goal?: Goal): void;
  goal(group: string, name: string, goal: Goal): void;
  skip(sentence: string): void;
  result(): PartResult;
}

export const RATIOS = 'ratios';

export function createNotebook(part: string): Notebook {
  const series = new Map<string, { group: string; name: string; unit: Unit; rounds: number[] }>();
  const goals = new Map<string, Goal>();
  const ratios: (() => void)[] = [];
  const skipped: string[] = [];
  const keyOf = (group: string, name: string): string => `${group}\n${name}`;

  function note(group: string, name: string, unit: Unit, value: number): void {
    const key = keyOf(group, name);
    const known = series.get(key) ?? { group, name, unit, rounds: [] };
    series.set(key, known);
    known.rounds.push(value);
  }

  return {
    note,
    ratio(name, over, under, goal) {
      ratios.push(() => {
        const [above, below] = [series.get(keyOf(...over))?.rounds, series.get(keyOf(...under))?.rounds];
        above?.forEach((value, round) => {
          const other = below?.[round];
          if (other !== undefined) note(RATIOS, name, '×', value / other);
        });
        if (goal) goals.set(keyOf(RATIOS, name), goal);
      });
    },
    goal: (group, name, goal) => void goals.set(keyOf(group, name), goal),
    skip(sentence) {
      skipped.push(sentence);
      console.log(`  ${sentence}`);
    },
    result() {
      for (const compute of ratios.splice(0)) compute();
      const rows = [...series].map(([key, { group, name, unit, rounds }]) => {
        const spread = spreadOf(rounds);
        const goal = goals.get(key) ?? null;
        return { group, name, unit, rounds, ...spread, goal, met: goal && isMet(goal, spread.median) };
      });
      return { part, rows, skipped };
    },
  };
}

const isMet = ({ atLeast, atMost }: Goal, value: number): boolean =>
  (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
