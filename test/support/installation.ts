import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { freePort } from '../../bench/chaos/ports.js';
import { makeScratchDirectory } from './scratch.js';
import { until } from './until.js';

/** `npm start` with its embedded database, in a process group of its own. */
export interface Installation {
  readonly url: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<number | null>;
  simulate(...args: string[]): Running;
  /** `switchboard <command>` over the same data folder. */
  command(...args: string[]): Running;
}

export interface Running {
  readonly ended: Promise<{ readonly code: number | null; readonly text: string }>;
  text(): string;
}

export async function install(options: { readonly dataDir?: string } = {}): Promise<Installation> {
  const port = await freePort();
  const { PATH = '', HOME = '' } = process.env;
  const dataDir = options.dataDir ?? makeScratchDirectory();
  const env = {
    PATH,
    HOME,
    PORT: String(port),
    DATA_DIR: dataDir,
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'error',
  };
  let child: ChildProcess | undefined;

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return null;
    const exit = once(child, 'exit');
    process.kill(-child.pid, signal);
    return (await exit)[0] as number | null;
  }

  function run(script: string, args: readonly string[]): Running {
    const made = spawn(process.execPath, [resolve(script), ...args], { env });
    const text = collect(made);
    return { text, ended: once(made, 'close').then(([code]) => ({ code: code as number | null, text: text() })) };
  }

  return {
    url: `http://127.0.0.1:${port}`,
    async start() {
      const made = spawn(process.execPath, [resolve('bin/start.mjs')], { env, detached: true });
      child = made;
      const said = collect(made);
      await until('it is ready', () => said().includes('Switchboard is ready') || made.exitCode !== null, 60_000);
      if (made.exitCode !== null) throw new Error(`It did not start: ${said()}`);
    },
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    simulate: (...args) => run('bin/simulate.mjs', args),
    command: (...args) => run('bin/switchboard.mjs', args),
  };
}

function collect(child: ChildProcess): () => string {
  let text = '';
  const add = (chunk: Buffer): void => {
    text += chunk;
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  return () => text;
}
