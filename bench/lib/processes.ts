import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Kernel ticks a second as /proc counts them on every Linux that Node runs on. */
const TICKS = 100;

/** Resident memory of a process in MB. */
export function residentMb(pid: number): number {
  if (process.platform === 'linux') {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024;
  }
  return Number(spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).stdout) / 1024;
}

/** Of a process: its own processor time, and that of the children that have ended; in seconds. */
function times(pid: number): { readonly parent: number; readonly own: number; readonly ended: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = (first: number): number => (Number(fields[first]) + Number(fields[first + 1])) / TICKS;
  return { parent: Number(fields[1]), own: ticks(11), ended: ticks(13) };
}

/** Processor time that a process has used, in seconds; NaN where it cannot be read. */
export const cpuSeconds = (pid: number): number => (process.platform === 'linux' ? times(pid).own : Number.NaN);

/**
 * Processor time of a PostgreSQL server with all its processes, in seconds; `data` is its data folder. Those that have
 * ended count with the postmaster: else the sum would fall when a connection closes.
 */
export function clusterCpuSeconds(data: string): number {
  if (process.platform !== 'linux') return Number.NaN;
  const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const { own, ended } = times(postmaster);
  const children = pids.flatMap((pid) => {
    try {
      const child = times(Number(pid));
      return child.parent === postmaster ? [child.own] : [];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
  return children.reduce((sum, time) => sum + time, own + ended);
}
