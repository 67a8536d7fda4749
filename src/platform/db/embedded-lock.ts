import { randomUUID } from 'node:crypto';
import {
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isStillRunning, markOfThisProcess, type ProcessMark } from './embedded-process.js';

export interface DirectoryLock {
  release(): void;
}

const BEAT_MS = 1000;
const WATCH_MS = 2500;
const FRESH_MS = 10_000;
const NAME = /^lock\.(\d+)$/;

/**
 * One process per directory. The lock is the file with the highest number: whoever finds its holder dead claims the
 * next number, which only one process can do, so two that find the same dead holder cannot both win. A released
 * lock is emptied, not removed, so that numbers never start again under a slow reader.
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  for (;;) {
    const last = latestGeneration(dir);
    if (last > 0) await refuseIfHeld(dir, last);
    const mine = last + 1;
    if (!claim(dir, mine)) continue;
    if (latestGeneration(dir) > mine) {
      rmSync(lockPath(dir, mine), { force: true });
      continue;
    }
    removeBelow(dir, mine);
    return holdLock(lockPath(dir, mine));
  }
}

function lockPath(dir: string, generation: number): string {
  return join(dir, `lock.${generation}`);
}

function generations(dir: string): number[] {
  return readdirSync(dir).flatMap((name) => {
    const digits = NAME.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
}

function latestGeneration(dir: string): number {
  return Math.max(0, ...generations(dir));
}

function removeBelow(dir: string, generation: number): void {
  for (const older of generations(dir)) {
    if (older < generation) rmSync(lockPath(dir, older), { force: true });
  }
}

function claim(dir: string, generation: number): boolean {
  const content = JSON.stringify(markOfThisProcess());
  const draft = join(dir, `.lock-${randomUUID()}`);
  try {
    // A link appears with its content, a created file is empty for a moment and would look released.
    writeFileSync(draft, content, { mode: 0o644 });
    linkSync(draft, lockPath(dir, generation));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    return claimWithoutLinks(lockPath(dir, generation), content);
  } finally {
    rmSync(draft, { force: true });
  }
}

function claimWithoutLinks(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { mode: 0o644, flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): ProcessMark | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessMark;
  } catch {
    return undefined;
  }
}

async function refuseIfHeld(dir: string, generation: number): Promise<void> {
  const path = lockPath(dir, generation);
  const holder = readHolder(path);
  if (holder === undefined) return;
  const held = isStillRunning(holder) ?? (await isBeating(path));
  if (!held) return;
  throw new Error(
    `Another Switchboard (process ${holder.pid}) is already running on ${dir}: ` +
      'stop it first, or give this one a DATA_DIR and a PORT of its own.',
  );
}

function touchedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The holder may live in another container on the same volume: only its heartbeat can be seen from here. */
async function isBeating(path: string): Promise<boolean> {
  const before = touchedAt(path);
  if (Date.now() - before > FRESH_MS) return false;
  await pause(WATCH_MS);
  return touchedAt(path) > before;
}

function holdLock(path: string): DirectoryLock {
  const beat = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      clearInterval(beat);
    }
  }, BEAT_MS);
  beat.unref();
  let held = true;
  return {
    release() {
      if (!held) return;
      held = false;
      clearInterval(beat);
      try {
        truncateSync(path);
      } catch {
        // The directory may be gone already, and the lock with it.
      }
    },
  };
}
