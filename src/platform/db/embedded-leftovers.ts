import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster } from './embedded-cluster.js';
import { runAs } from './embedded-identity.js';
import { processState } from './embedded-process.js';

const FAST_STOP_MS = 30_000;
const HARD_STOP_MS = 5_000;

/**
 * After kill -9 the server may still run, or be on its way down, or be a zombie that PostgreSQL and pg_ctl take for
 * alive, or have left a file whose process number belongs to somebody else by now.
 */
export async function clearLeftovers(cluster: Cluster): Promise<void> {
  const pid = recordedPid(cluster.data);
  if (process.platform !== 'linux') {
    if (pid !== undefined && processState(pid) === 'running') await stopByTool(cluster);
    return;
  }
  await stopAll(cluster.data, pid);
  // The file of a number that is gone stays: PostgreSQL itself checks it against shared memory still in use.
  if (pid !== undefined && processState(pid) !== 'gone') rmSync(pidFile(cluster.data), { force: true });
}

export function pidFile(data: string): string {
  return join(data, 'postmaster.pid');
}

function recordedPid(data: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile(data), 'utf8').split('\n')[0]);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function stopByTool(cluster: Cluster): Promise<void> {
  const { binaries, data, dir, identity } = cluster;
  const status = [binaries.pgCtl, 'status', '-D', data];
  const runs = await runAs(identity, binaries, status, { cwd: dir }).then(
    () => true,
    () => false,
  );
  if (!runs) return;
  const stop = [binaries.pgCtl, 'stop', '-D', data, '-m', 'fast', '-w', '-t', '30'];
  await runAs(identity, binaries, stop, { cwd: dir });
}

async function stopAll(data: string, pid: number | undefined): Promise<void> {
  const servers = serversOn(data);
  if (servers.length === 0) return;
  if (pid !== undefined && servers.includes(pid)) {
    signal([pid], 'SIGINT');
    if (await endWithin(data, FAST_STOP_MS)) return;
  } else if (await endWithin(data, HARD_STOP_MS)) {
    return;
  }
  signal(serversOn(data), 'SIGQUIT');
  if (await endWithin(data, HARD_STOP_MS)) return;
  signal(serversOn(data), 'SIGKILL');
  await endWithin(data, HARD_STOP_MS);
}

async function endWithin(data: string, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (serversOn(data).length > 0) {
    if (Date.now() > deadline) return false;
    await pause(20);
  }
  return true;
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Every PostgreSQL process stands in its data folder: that tells ours from others, and from reused numbers. */
function serversOn(data: string): number[] {
  const here = statSync(data, { throwIfNoEntry: false });
  if (here === undefined) return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    if (readProc(pid, 'comm').trim() !== 'postgres' || processState(pid) !== 'running') return false;
    try {
      const cwd = statSync(`/proc/${pid}/cwd`);
      return cwd.dev === here.dev && cwd.ino === here.ino;
    } catch {
      // Without the right to look into another user's process its command line has to do.
      return readProc(pid, 'cmdline').split('\0').includes(data);
    }
  });
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
