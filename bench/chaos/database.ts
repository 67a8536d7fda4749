import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { startEmbedded } from '../../src/platform/db/embedded.js';
import { freePort } from './ports.js';

/** The run's own PostgreSQL, durable, which can be killed, paused, started anew, and given a full disk. */
export interface ChaosDatabase {
  readonly port: number;
  /** As the processes see it, through the wire that listens on `port`. */
  urlThrough(port: number): string;
  kill(): Promise<void>;
  start(): Promise<void>;
  pause(): void;
  resume(): void;
  /** A sentence when it cannot be had here. */
  readonly noFullDisk: string | null;
  fillDisk(): void;
  freeDisk(): void;
  query<T extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<T[]>;
  stop(): Promise<void>;
}

const NAME = 'switchboard';
const SETTINGS = { shared_buffers: '128MB', max_connections: '300', max_wal_size: '1GB' };
const LIMITS = { connectionTimeoutMillis: 10_000, query_timeout: 60_000 };

export async function openDatabase(folder: string): Promise<ChaosDatabase> {
  const dir = join(folder, 'pg');
  const flag = join(folder, 'disk-full');
  const shim = buildShim(folder);
  const env = typeof shim === 'string' ? {} : { LD_PRELOAD: shim.library, DISK_FULL_FLAG: flag };
  let isWanted = true;
  let lost: Promise<void> = Promise.resolve();
  const port = await freePort();
  const open = () => startEmbedded({ dir, port, settings: SETTINGS, env, onLost });
  let server = await open();
  let frozen: number[] = [];
  const thaw = (): void => {
    for (const pid of frozen.splice(0)) signal(pid, 'SIGCONT');
  };
  process.once('exit', thaw);

  /** A full disk may end the server by itself: whoever watches over it starts it again. */
  function onLost(): void {
    if (isWanted) lost = lost.then(restart);
  }

  async function restart(): Promise<void> {
    while (isWanted) {
      await server.stop().catch(() => undefined);
      try {
        server = await open();
        return;
      } catch {
        await new Promise((done) => setTimeout(done, 500));
      }
    }
  }

  return {
    port,
    urlThrough(wire) {
      const url = new URL(server.url(NAME));
      url.port = String(wire);
      return url.href;
    },
    async kill() {
      isWanted = false;
      for (const pid of processesOf(dir)) signal(pid, 'SIGKILL');
      await lost;
      await server.stop().catch(() => undefined);
    },
    async start() {
      isWanted = true;
      await restart();
    },
    pause() {
      frozen = processesOf(dir);
      for (const pid of frozen) signal(pid, 'SIGSTOP');
    },
    resume: thaw,
    noFullDisk: typeof shim === 'string' ? shim : null,
    fillDisk: () => writeFileSync(flag, ''),
    freeDisk: () => rmSync(flag, { force: true }),
    async query<T extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) {
      await lost;
      const client = new pg.Client({ connectionString: server.url(NAME), ...LIMITS });
      try {
        await client.connect();
        return (await client.query<T>(text, [...values])).rows;
      } finally {
        await client.end();
      }
    },
    async stop() {
      isWanted = false;
      process.off('exit', thaw);
      await lost;
      await server.stop();
    },
  };
}

/** The postmaster first, then its children. */
function processesOf(dir: string): number[] {
  let postmaster: number;
  try {
    postmaster = Number(readFileSync(join(dir, 'pg18', 'postmaster.pid'), 'utf8').split('\n')[0]);
  } catch {
    return [];
  }
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === postmaster);
  return [postmaster, ...children.map(Number)];
}

function parentOf(pid: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

function buildShim(folder: string): { library: string } | string {
  if (process.platform !== 'linux') return 'The full disk was left out: it needs Linux (LD_PRELOAD).';
  const library = resolve(folder, 'disk-full.so');
  const args = ['-shared', '-fPIC', '-O2', '-o', library, resolve('bench/chaos/disk-full.c'), '-ldl'];
  const built = spawnSync('cc', args, { encoding: 'utf8' });
  if (built.error) return 'The full disk was left out: it needs a C compiler (cc), and there is none on the path.';
  if (built.status !== 0) return `The full disk was left out: ${built.stderr.trim()}`;
  return { library };
}
