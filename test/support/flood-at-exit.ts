/**
 * Loaded with `--import` into a process, it plays at its end a flood whose requests wait, and then calm, and tells how
 * many bytes of each calm request stay when only the young are collected.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void;

const FLOODS = 20;
const WAITING = 1000;
const MOST_WAITING = 5000;
const CALM = 20_000;
const MEASURED = 3000;
const BETWEEN_COLLECTIONS = 500;
const WORDS = 100;

const waiting: unknown[] = [];

const oldBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? Number.NaN;

function makeRequest(first: number): unknown {
  const own: number[] = [];
  for (let i = 0; i < WORDS; i += 1) own.push(first + i);
  return { own };
}

function flood(): void {
  for (let i = 0; i < WAITING; i += 1) waiting.push(makeRequest(i));
  for (const type of ['minor', 'minor'] as const) collect({ type });
  if (waiting.length > MOST_WAITING) waiting.length = 0;
}

/** Bytes by which the old generation grew; where it was cleared meanwhile, not counted. */
function calm(requests: number): number {
  let grown = 0;
  let before = oldBytes();
  for (let i = 1; i <= requests; i += 1) {
    waiting[i % 8] = makeRequest(i);
    if (i % BETWEEN_COLLECTIONS !== 0) continue;
    collect({ type: 'minor' });
    const now = oldBytes();
    grown += Math.max(now - before, 0);
    before = now;
  }
  return grown;
}

process.once('exit', () => {
  for (let i = 0; i < FLOODS; i += 1) flood();
  waiting.length = 0;
  calm(CALM);
  collect({ type: 'major' });
  process.stdout.write(`${Math.round(calm(MEASURED) / MEASURED)} bytes kept of each\n`);
});
