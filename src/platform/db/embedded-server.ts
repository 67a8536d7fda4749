import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster } from './embedded-cluster.js';
import { pidFile } from './embedded-leftovers.js';

export interface ServerOptions {
  readonly settings: Readonly<Record<string, string>>;
  /** Undefined: a free one. */
  readonly port?: number | undefined;
  readonly log: (line: string) => void;
}

export interface Server {
  readonly port: number;
  /** Resolves when the process has ended, however it came to that. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

interface Attempt {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  said(): string;
}

const FAST_STOP_MS = 5_000;
const HARD_STOP_MS = 2_000;
const START_MS = 120_000;
const TRIES = 30;

/**
 * Node's death by any signal ends the pipe that only node holds; the watcher then asks the server for a fast
 * shutdown. It is forked twice, so that the server does not find a child it did not start, and the shell becomes the
 * server, so that child.pid is the server itself. The file guards against a number that was given to another.
 */
const TETHER = `exec 3<&0; p=$$; f=$1; shift
( ( cat <&3 >/dev/null; n=0
while [ $n -lt 100 ] && kill -0 $p 2>/dev/null; do
[ "$(head -n 1 "$f" 2>/dev/null)" = "$p" ] && kill -INT $p && break
n=$((n+1)); sleep 0.1; done ) >/dev/null 2>&1 & )
exec "$@" 3<&- </dev/null`;

export async function startServer(cluster: Cluster, options: ServerOptions): Promise<Server> {
  for (let tries = 1; ; tries += 1) {
    const port = options.port ?? (await freePort());
    const attempt = launch(cluster, port, options);
    if (await becomesReady(cluster, attempt)) {
      return { port, ended: attempt.ended, stop: () => stopServer(attempt) };
    }
    const reason = attempt.said();
    if (tries >= TRIES || !mayPass(reason)) {
      throw new Error(`PostgreSQL did not start on ${cluster.data}: ${reason.trim().replace(/\s*\n\s*/g, ' ')}`);
    }
    await pause(100);
  }
}

/** Somebody took the port in between, or the last processes of a killed server are still on their way out. */
function mayPass(reason: string): boolean {
  return /could not (bind|create any TCP)|shared memory block .* still in use|lock file .* already exists/.test(reason);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done, failed) => {
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', done);
  });
  const address = probe.address();
  await new Promise((done) => probe.close(done));
  if (address === null || typeof address === 'string') throw new Error('No free port could be found.');
  return address.port;
}

function launch(cluster: Cluster, port: number, options: ServerOptions): Attempt {
  const { binaries, data, dir, identity } = cluster;
  const settings = Object.entries({ ...options.settings, port: String(port) });
  const argv = [...identity.prefix, binaries.postgres, '-D', data];
  for (const [name, value] of settings) argv.push('-c', `${name}=${value}`);
  const [command = '', ...rest] =
    process.platform === 'win32' ? argv : ['sh', '-c', TETHER, 'sh', pidFile(data), ...argv];
  const child = spawn(command, rest, {
    cwd: dir,
    env: binaries.env,
    ...identity.ids,
    stdio: ['pipe', 'ignore', 'pipe'],
    // Ctrl-C reaches the whole group: the database must outlive those who still write to it.
    detached: process.platform !== 'win32',
  });
  const said = relayLines(child, options.log);
  const ended = new Promise<void>((done) => {
    child.once('error', () => done());
    child.once('exit', () => done());
  });
  void ended.then(() => child.stdin?.destroy());
  child.stdin?.on('error', () => undefined);
  return { child, ended, said };
}

function relayLines(child: ChildProcess, log: (line: string) => void): () => string {
  let tail = '';
  let open = '';
  child.once('error', (error) => {
    tail += error.message;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    const text = chunk.toString();
    tail = (tail + text).slice(-2000);
    const lines = (open + text).split('\n');
    open = lines.pop() ?? '';
    for (const line of lines) if (line !== '') log(line);
  });
  return () => tail;
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** The last line of the pid file is where the server itself says how far it is. */
async function becomesReady(cluster: Cluster, attempt: Attempt): Promise<boolean> {
  const deadline = Date.now() + START_MS;
  while (!hasEnded(attempt.child)) {
    if (isReady(cluster.data, attempt.child.pid)) return true;
    if (Date.now() > deadline) {
      await stopServer(attempt);
      return false;
    }
    await pause(5);
  }
  // What it said last may still be in the pipe.
  await pause(20);
  return false;
}

function isReady(data: string, pid: number | undefined): boolean {
  try {
    const lines = readFileSync(pidFile(data), 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}

async function stopServer({ child, ended }: Attempt): Promise<void> {
  if (hasEnded(child)) return;
  child.kill('SIGINT');
  if (await within(ended, FAST_STOP_MS)) return;
  // No checkpoint then: the next start replays the log.
  child.kill('SIGQUIT');
  if (await within(ended, HARD_STOP_MS)) return;
  child.kill('SIGKILL');
  await ended;
}

async function within(promise: Promise<void>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = pause(ms, false, { signal: timer.signal }).catch(() => false);
  const result = await Promise.race([promise.then(() => true), late]);
  timer.abort();
  return result;
}
