import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

export type ProcessState = 'running' | 'zombie' | 'gone';

interface ProcStat {
  readonly state: string;
  readonly started: string;
}

/** A process told apart from a later one that got the same number. */
export interface ProcessMark {
  readonly pid: number;
  readonly started: string;
  /** Where that number means something: the boot and the pid namespace. */
  readonly scope: string;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function procStat(pid: number): ProcStat | undefined {
  const text = readText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The command name stands in parentheses and may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', started: fields[19] ?? '' };
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export function processState(pid: number): ProcessState {
  if (process.platform === 'linux') {
    const stat = procStat(pid);
    if (stat === undefined) return 'gone';
    // A container's first process may never reap: a zombie still answers kill(pid, 0).
    return stat.state === 'Z' || stat.state === 'X' ? 'zombie' : 'running';
  }
  return answersSignals(pid) ? 'running' : 'gone';
}

function startOf(pid: number): string {
  if (process.platform === 'linux') return procStat(pid)?.started ?? '';
  if (process.platform === 'win32') return '';
  return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim() ?? '';
}

function scopeOfPids(): string {
  if (process.platform !== 'linux') return '';
  const boot = readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  try {
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return boot;
  }
}

export function markOfThisProcess(): ProcessMark {
  return { pid: process.pid, started: startOf(process.pid), scope: scopeOfPids() };
}

/** Undefined when the mark comes from another boot or pid namespace, where its number says nothing. */
export function isStillRunning(mark: ProcessMark): boolean | undefined {
  if (mark.scope !== scopeOfPids()) return undefined;
  return processState(mark.pid) === 'running' && startOf(mark.pid) === mark.started;
}
