import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './ports.js';

export type Role = 'api' | 'worker' | 'live';

/** One process of the installation, on the same port each time, started again by whoever watches over it. */
export interface Member {
  readonly name: string;
  readonly role: Role;
  readonly url: string;
  /** Times it ended without having been asked to after it had been ready. */
  unasked(): number;
  start(clockShiftMs?: number): void;
  /** Resolves when it has said that it is ready. */
  ready(): Promise<void>;
  kill(): Promise<void>;
  /** SIGTERM; answers the exit code and how long it took. */
  stop(): Promise<{ readonly code: number | null; readonly ms: number }>;
  pause(): void;
  resume(): void;
}

export interface MemberOptions {
  readonly name: string;
  /** For which it is asked and struck. */
  readonly role: Role;
  readonly folder: string;
  /** With its ROLES. */
  readonly env: Readonly<Record<string, string>>;
}

const AGAIN_MS = 300;
const READY_MS = 60_000;

export async function createMember({ name, role, folder, env }: MemberOptions): Promise<Member> {
  const port = await freePort();
  const log = createWriteStream(join(folder, `${name}.log`));
  let child: ChildProcess | null = null;
  let isWanted = false;
  let wasReady = false;
  let ended = 0;
  let shift = 0;

  function spawnIt(): void {
    const preload = shift === 0 ? [] : ['--import', resolve('bench/chaos/skewed-clock.mjs')];
    const { PATH = '', HOME = '' } = process.env;
    const made = spawn(process.execPath, [...preload, resolve('dist/src/main.js')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH, HOME, ...env, PORT: String(port), CLOCK_SHIFT_MS: String(shift) },
    });
    child = made;
    wasReady = false;
    log.write(`--- start, clock ${shift} ms\n`);
    made.stderr?.pipe(log, { end: false });
    made.stdout?.on('data', (chunk) => {
      if (String(chunk).includes('Switchboard is ready')) wasReady = true;
    });
    const end = (): void => void made.kill('SIGKILL');
    process.once('exit', end);
    made.once('exit', (code, signal) => {
      process.off('exit', end);
      log.write(`--- ended: ${code ?? signal}\n`);
      if (child !== made || !isWanted) return;
      if (wasReady) ended += 1;
      setTimeout(() => {
        if (isWanted && child === made) spawnIt();
      }, AGAIN_MS);
    });
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    isWanted = false;
    const running = child;
    if (!running || running.exitCode !== null || running.signalCode !== null) return null;
    const exit = once(running, 'exit');
    running.kill(signal);
    return (await exit)[0] as number | null;
  }

  return {
    name,
    role,
    url: `http://127.0.0.1:${port}`,
    unasked: () => ended,
    start(clockShiftMs = 0) {
      shift = clockShiftMs;
      isWanted = true;
      spawnIt();
    },
    async ready() {
      const until = Date.now() + READY_MS;
      while (!wasReady) {
        if (Date.now() > until)
          throw new Error(`${name} was not ready within ${READY_MS / 1000} s: see its log in ${folder}.`);
        await pause(20);
      }
    },
    kill: async () => void (await end('SIGKILL')),
    async stop() {
      const asked = Date.now();
      return { code: await end('SIGTERM'), ms: Date.now() - asked };
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  };
}
