import { setTimeout as pause } from 'node:timers/promises';
import type { PlannedFault } from './faults.js';
import { within } from './limits.js';
import type { Member } from './processes.js';

export interface Struck {
  /** By name. */
  readonly counts: Readonly<Record<string, number>>;
  /** From the end of the last fault until every process was ready again, ms. */
  readonly readyAgainMs: number;
}

export interface Watchers {
  readonly tell: (line: string) => void;
  readonly complain: (violation: string) => void;
}

/** Beyond its own time: a part is started within this, and ready within as much. */
const UNDO_MS = 60_000;
const READY_MS = 60_000;

/** Runs the faults at their times, and waits until the installation has got over them. */
export async function strike(
  planned: readonly PlannedFault[],
  members: readonly Member[],
  { tell, complain }: Watchers,
): Promise<Struck> {
  const counts: Record<string, number> = {};
  const busy = new Map<string, Promise<void>>();
  const begun = Date.now();
  let lastUndoneAt = begun;

  async function strikeOne({ fault, lastsMs }: PlannedFault): Promise<void> {
    tell(`${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${fault.name}, ${(lastsMs / 1000).toFixed(1)} s`);
    counts[fault.name] = (counts[fault.name] ?? 0) + 1;
    try {
      await within(lastsMs + UNDO_MS, fault.run(lastsMs));
      lastUndoneAt = Date.now();
      await fault.recovery?.();
    } catch (error) {
      complain(`${fault.name}: ${(error as Error).message}`);
    }
  }

  async function strikeInTurn(one: PlannedFault): Promise<void> {
    await pause(Math.max(0, begun + one.atMs - Date.now()));
    const turn = (busy.get(one.fault.subject) ?? Promise.resolve()).then(() => strikeOne(one));
    busy.set(one.fault.subject, turn);
    await turn;
  }

  await Promise.all(planned.map(strikeInTurn));
  await untilReady(members);
  return { counts, readyAgainMs: Date.now() - lastUndoneAt };
}

async function untilReady(members: readonly Member[]): Promise<void> {
  const isReady = async ({ url }: Member): Promise<boolean> => {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(3000) }).catch(() => null);
    return answer?.status === 200;
  };
  const until = Date.now() + READY_MS;
  while (Date.now() < until) {
    const states = await Promise.all(members.map(isReady));
    if (states.every(Boolean)) return;
    await pause(100);
  }
}
