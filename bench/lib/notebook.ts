import { type Spread, spreadOf } from './statistics.js';

export type Unit = '/s' | 'ms' | 's' | 'MB' | '×' | '%' | 'µs' | 'buffers' | 'rows' | 'statements';

export interface Goal {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** One measured thing: a value for each round. */
interface Series {
  readonly group: string;
  readonly name: string;
  readonly unit: Unit;
  readonly rounds: readonly number[];
}

/** The same with what it should be. */
export interface Row extends Series, Spread {
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
  const series = new Map<string, Series & { readonly rounds: number[] }>();
  const goals = new Map<string, Goal>();
  const ratios: (() => void)[] = [];
  const skipped: string[] = [];

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
        return judge({ group, name, unit, rounds }, goals.get(key) ?? null);
      });
      return { part, rows, skipped };
    },
  };
}

/** The rows of two runs of a part as those of one that had the rounds of both. */
export function joinRuns(earlier: PartResult, later: PartResult): PartResult {
  const rows = new Map(earlier.rows.map((row) => [keyOf(row.group, row.name), row]));
  for (const row of later.rows) {
    const { group, name, unit, goal } = row;
    const key = keyOf(group, name);
    rows.set(key, judge({ group, name, unit, rounds: [...(rows.get(key)?.rounds ?? []), ...row.rounds] }, goal));
  }
  return {
    part: later.part,
    rows: [...rows.values()],
    skipped: [...new Set([...earlier.skipped, ...later.skipped])],
  };
}

const keyOf = (group: string, name: string): string => `${group}\n${name}`;

function judge(series: Series, goal: Goal | null): Row {
  const spread = spreadOf(series.rounds);
  return { ...series, ...spread, goal, met: goal && isMet(goal, spread.median) };
}

const isMet = ({ atLeast, atMost }: Goal, value: number): boolean =>
  (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
