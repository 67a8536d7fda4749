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

/** Processor time that a process has used, in seconds; NaN where it cannot be read. */
export function cpuSeconds(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Processor time of a PostgreSQL server with all its processes, in seconds; `data` is its data folder. */
export function clusterCpuSeconds(data: string): number {
  if (process.platform !== 'linux') return Number.NaN;
  const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const times = pids.flatMap((pid) => {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const parent = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
      return parent === postmaster ? [cpuSeconds(Number(pid))] : [];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
  return times.reduce((sum, time) => sum + time, 0);
}
