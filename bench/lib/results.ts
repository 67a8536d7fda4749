import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { joinRuns, type PartResult } from './notebook.js';
import { type BenchOptions, PARTS } from './options.js';
import { performanceTable } from './performance-table.js';
import { drawPictures } from './pictures.js';
import { markdownPart } from './report.js';

export interface Conditions {
  readonly date: string;
  readonly commit: string | null;
  readonly node: string;
  readonly processor: string;
  readonly processors: number;
  readonly memoryGb: number;
  /** Of the minute before the start: what else the machine was doing. */
  readonly load: number;
  readonly rounds: number;
  readonly quick: boolean;
}

export const conditionsOf = (options: BenchOptions): Conditions => ({
  date: new Date().toISOString(),
  commit: commitNow(),
  node: process.version,
  processor: cpus()[0]?.model ?? 'unknown',
  processors: availableParallelism(),
  memoryGb: Math.round(totalmem() / 2 ** 30),
  load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  rounds: options.rounds,
  quick: options.quick,
});

function commitNow(): string | null {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

/** What one run found, under which conditions. */
type Finding = PartResult & { readonly conditions: Conditions };

/**
 * Writes the figures and the pictures; answers where the figures are. Parts that were measured earlier on the same day
 * stay beside those of this run; with `add` its rounds go to theirs.
 */
export function writeResults(conditions: Conditions, parts: readonly PartResult[], add: boolean): string {
  const folder = conditions.quick ? join('.tmp', 'bench') : join('bench', 'results');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${conditions.date.slice(0, 10)}.json`);
  const earlier = readFindings(path);
  const fresh = parts.map((part): Finding => {
    const before = add ? earlier.find((finding) => finding.part === part.part) : undefined;
    return before ? addRounds(before, { ...part, conditions }) : { ...part, conditions };
  });
  const kept = earlier.filter(({ part }) => !parts.some((result) => result.part === part));
  const findings = [...fresh, ...kept].sort((a, b) => placeOf(a) - placeOf(b));
  const tidy = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value);
  writeFileSync(path, `${JSON.stringify(findings, tidy, 2)}\n`);
  writeFileSync(join(folder, `${conditions.date.slice(0, 10)}.md`), findings.map(markdownPart).join('\n'));
  for (const [name, picture] of Object.entries(drawPictures(findings))) {
    writeFileSync(join(folder, `${name}.svg`), picture);
  }
  if (!conditions.quick) writeReadme(performanceTable(findings, path));
  return path;
}

const README = 'README.md';
/** Between the two the README's table stands. */
const TABLE = /(?<=<!-- figures -->\n).*(?=<!-- \/figures -->)/s;

function writeReadme(table: string): void {
  const text = readFileSync(README, 'utf8');
  if (!TABLE.test(text)) throw new Error(`${README} has no place for the figures.`);
  writeFileSync(
    README,
    text.replace(TABLE, () => table),
  );
}

/** Under the conditions of the last run, but for the rounds, which are those of all. */
const addRounds = (before: Finding, { conditions, ...part }: Finding): Finding => ({
  ...joinRuns(before, part),
  conditions: { ...conditions, rounds: before.conditions.rounds + conditions.rounds },
});

const placeOf = ({ part }: PartResult): number => (PARTS as readonly string[]).indexOf(part);

const readFindings = (path: string): Finding[] =>
  existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Finding[]) : [];
