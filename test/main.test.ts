import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { ensureBuilt } from './support/built.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { makeScratchDirectory } from './support/scratch.js';
import { until } from './support/until.js';

const READY = /^Switchboard is ready on (http:\/\/127\.0\.0\.1:\d+)$/;

interface Running {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number | null>;
}

describe('the process', function () {
  this.timeout(180_000);
  let database: TestDatabase;
  before(async () => {
    await ensureBuilt();
    database = await createTestDatabase();
  });
  after(() => database.drop());

  function run(settings: Record<string, string> = {}): Running {
    const env = {
      ...process.env,
      DATABASE_URL: database.url,
      DATA_DIR: makeScratchDirectory(),
      PORT: '0',
      ...settings,
    };
    const child = spawn(process.execPath, [resolve('bin/start.mjs')], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { out: '', err: '' };
    child.stdout.on('data', (chunk) => {
      text.out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      text.err += chunk;
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { child, out: () => text.out, err: () => text.err, ended };
  }

  const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

  async function ready(running: Running): Promise<string> {
    await until('it is ready', () => READY.test(lastLine(running.out())) || running.child.exitCode !== null, 50_000);
    const url = READY.exec(lastLine(running.out()))?.[1];
    if (!url) throw new Error(`It did not start: ${running.err()}`);
    return url;
  }

  it('says last where it listens, stops with 0 on SIGTERM, and takes a signal that comes twice as one', async () => {
    const running = run();
    const url = await ready(running);
    const live = await fetch(`${url}/livez`);

    const asked = Date.now();
    running.child.kill('SIGTERM');
    running.child.kill('SIGINT');

    expect(await running.ended).to.equal(0);
    expect(Date.now() - asked).to.be.lessThan(10_000);
    expect(live.status).to.equal(200);
    expect(running.out()).to.match(/password: \S{8,}\n/);
    expect(running.err()).to.not.match(/"level":"(error|fatal)"/);
  });

  it('neither makes nor prints a second operator', async () => {
    const running = run({ ROLES: 'worker' });
    await ready(running);

    running.child.kill('SIGINT');

    expect(await running.ended).to.equal(0);
    expect(running.out().trim()).to.match(READY);
  });

  it('refuses wrong settings, a database that is away and a port that is taken, with a sentence each', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;

    const refused = [
      run({ PORT: 'abc' }),
      run({ DATABASE_URL: 'postgres://root@127.0.0.1:1/nothing' }),
      run({ PORT: String(port) }),
    ];
    const codes = await Promise.all(refused.map(({ ended }) => ended));
    await new Promise((resolve) => taken.close(resolve));

    expect(codes).to.deep.equal([1, 1, 1]);
    const said = refused.map(({ err }) => lastLine(err()));
    expect(said[0]).to.match(/^The setting PORT must be a number .*\.$/);
    expect(said[1]).to.match(/^The database of DATABASE_URL cannot be reached: .*ECONNREFUSED.*\.$/);
    expect(said[2]).to.match(new RegExp(`^Switchboard cannot listen on 127\\.0\\.0\\.1:${port} \\(EADDRINUSE\\)`));
    expect(refused.map(({ out }) => out())).to.deep.equal(['', '', '']);
  });
});
