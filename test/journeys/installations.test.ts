import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../../bench/chaos/ports.js';
import { ensureBuilt } from '../support/built.js';
import { makeScratchDirectory } from '../support/scratch.js';
import { until } from '../support/until.js';

/** `npm start` with its embedded database, in a process group of its own. */
interface Installation {
  readonly url: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<number | null>;
  simulate(...args: string[]): Running;
}

interface Running {
  readonly ended: Promise<{ readonly code: number | null; readonly text: string }>;
  text(): string;
}

async function install(): Promise<Installation> {
  const port = await freePort();
  const { PATH = '', HOME = '' } = process.env;
  const env = {
    PATH,
    HOME,
    PORT: String(port),
    DATA_DIR: makeScratchDirectory(),
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
    simulate(...args) {
      const made = spawn(process.execPath, [resolve('bin/simulate.mjs'), ...args], { env });
      const text = collect(made);
      return { text, ended: once(made, 'close').then(([code]) => ({ code: code as number | null, text: text() })) };
    },
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

describe('npm start on a bare machine', function () {
  this.timeout(180_000);
  before(ensureBuilt);

  it('takes over after kill -9 of everything in the middle of calls, with nothing missing or double', async () => {
    const installation = await install();
    const journal = join(makeScratchDirectory(), 'run.ndjson');
    await installation.start();
    try {
      const run = installation.simulate(
        '--calls',
        '60',
        '--rate',
        '40',
        '--provider',
        'generic,twilio',
        '--out',
        journal,
      );
      await until('webhooks are on their way', () => /\d\d of \d+ webhooks sent/.test(run.text()), 30_000);

      await installation.kill();
      await installation.start();
      const sent = await run.ended;
      const verified = await installation.simulate('--verify-only', journal).ended;

      expect(sent.code, sent.text).to.equal(0);
      expect(verified.text).to.contain('60 of 60 call logs right');
      expect(verified.code).to.equal(0);
    } finally {
      await installation.stop();
    }
  });

  it('runs beside another one', async () => {
    const both = [await install(), await install()];
    await Promise.all(both.map((one) => one.start()));
    try {
      const runs = both.map((one) => one.simulate('--calls', '20', '--rate', '50', '--verify').ended);

      for (const { code, text } of await Promise.all(runs)) {
        expect(text).to.contain('20 of 20 call logs right');
        expect(code).to.equal(0);
      }
    } finally {
      const codes = await Promise.all(both.map((one) => one.stop()));
      expect(codes).to.deep.equal([0, 0]);
    }
  });
});
