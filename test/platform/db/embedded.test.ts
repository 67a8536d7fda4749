import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import pg from 'pg';
import { type EmbeddedDatabase, startEmbedded } from '../../../src/platform/db/embedded.js';
import { makeScratchDirectory } from '../../support/scratch.js';

const SMALL = { shared_buffers: '16MB' };
const holder = fileURLToPath(new URL('../../support/hold-database.ts', import.meta.url));

function start(dir: string, durable = true): Promise<EmbeddedDatabase> {
  return startEmbedded({ dir, durable, settings: SMALL });
}

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows.flat();
  } finally {
    await client.end();
  }
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing was refused',
    (error: Error) => error.message,
  );
}

interface Held {
  readonly child: ChildProcess;
  readonly url: string;
}

async function holdElsewhere(dir: string): Promise<Held> {
  const child = spawn(process.execPath, ['--import', 'tsx', holder, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [url] = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => {
      throw new Error('the holder ended before it was ready');
    }),
  ]);
  return { child, url: String(url) };
}

async function killHard(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function serverPid(dir: string): number {
  return Number(readFileSync(join(dir, 'pg18', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

async function untilGone(path: string): Promise<void> {
  while (existsSync(path)) await pause(20);
}

describe('embedded database', function () {
  this.timeout(60_000);
  // Making a cluster takes far longer than starting it: whoever does not look at the making uses this one in turn.
  const dir = makeScratchDirectory();
  before(async () => (await start(dir)).stop());

  it('keeps its data over a restart', async () => {
    const first = await start(dir);
    await ask(first.url(), 'create table kept as select 42 as answer');
    await first.stop();

    const second = await start(dir);
    const rows = await ask(second.url(), 'select answer from kept');
    await second.stop();

    expect(rows).to.deep.equal([42]);
  });

  it('runs two side by side', async () => {
    const [one, other] = await Promise.all([start(dir, false), start(makeScratchDirectory(), false)]);

    const answers = await Promise.all([ask(one.url(), 'select 1'), ask(other.url(), 'select 2')]);
    await Promise.all([one.stop(), other.stop()]);

    expect(answers).to.deep.equal([[1], [2]]);
    expect(one.port).not.to.equal(other.port);
  });

  it('opens to nobody without the password, which only its owner can read', async () => {
    const database = await start(dir, false);
    const wrong = new URL(database.url());
    wrong.password = 'guessed';

    const message = await refusal(ask(wrong.href, 'select 1'));
    await database.stop();

    expect(message).to.match(/password authentication failed/);
    expect(statSync(join(dir, 'pg-password')).mode & 0o777).to.equal(0o600);
    expect(statSync(join(dir, 'pg18')).mode & 0o077).to.equal(0);
  });

  it('sets a new password when the file with the old one is lost', async () => {
    await (await start(dir, false)).stop();
    rmSync(join(dir, 'pg-password'));

    const database = await start(dir, false);
    const rows = await ask(database.url(), 'select 1');
    await database.stop();

    expect(rows).to.deep.equal([1]);
  });

  it('stops once, however often it is asked', async () => {
    const database = await start(dir, false);

    await Promise.all([database.stop(), database.stop()]);
    await database.stop();

    expect(existsSync(join(dir, 'pg18', 'postmaster.pid'))).to.equal(false);
  });

  it('says when the server ends by itself', async () => {
    let lost: () => void = () => undefined;
    const ended = new Promise<void>((done) => {
      lost = done;
    });
    const database = await startEmbedded({ dir, durable: false, settings: SMALL, onLost: () => lost() });

    process.kill(serverPid(dir), 'SIGQUIT');

    await ended;
    await database.stop();
  });

  describe('in the hands of several processes', () => {
    it('refuses a second one on the same folder, in the same process and in another', async () => {
      const { child } = await holdElsewhere(dir);

      const fromHere = await refusal(start(dir));
      child.kill('SIGTERM');
      await once(child, 'exit');
      const database = await start(dir);
      const again = await refusal(start(dir));
      await database.stop();

      expect(fromHere).to.match(/^Another Switchboard \(process \d+\) is already running on .+\.$/);
      expect(fromHere).to.contain(String(child.pid));
      expect(again).to.contain(`process ${process.pid}`);
    });

    it('lets exactly one of many win a folder whose holder was killed', async () => {
      const { child } = await holdElsewhere(dir);
      await killHard(child);

      const attempts = await Promise.allSettled([start(dir), start(dir), start(dir)]);
      const winners = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
      await Promise.all(winners.map((winner) => winner.stop()));

      expect(winners).to.have.length(1);
    });

    it('is not held by a process that merely has the number of the old one', async () => {
      const first = await start(dir, false);
      const lock = join(dir, readdirSync(dir).find((name) => name.startsWith('lock.')) ?? '');
      const mark = JSON.parse(readFileSync(lock, 'utf8')) as object;
      await first.stop();
      writeFileSync(lock, JSON.stringify({ ...mark, pid: process.ppid }));

      const database = await start(dir, false);
      await database.stop();
    });
  });

  describe('after kill -9', () => {
    it('of its process alone, ends by itself and leaves nothing', async () => {
      const { child } = await holdElsewhere(dir);

      await killHard(child);

      await untilGone(join(dir, 'pg18', 'postmaster.pid'));
    });

    it('of its process alone, is taken over at once with its data', async () => {
      const { child, url } = await holdElsewhere(dir);
      await ask(url, 'create table kept_alone as select 42 as answer');
      await killHard(child);

      const database = await start(dir);
      const rows = await ask(database.url(), 'select answer from kept_alone');
      await database.stop();

      expect(rows).to.deep.equal([42]);
    });

    it('of everything, starts again with its data', async () => {
      const { child, url } = await holdElsewhere(dir);
      await ask(url, 'create table kept_of_all as select 42 as answer');
      process.kill(serverPid(dir), 'SIGKILL');
      await killHard(child);

      const database = await start(dir);
      const rows = await ask(database.url(), 'select answer from kept_of_all');
      await database.stop();

      expect(rows).to.deep.equal([42]);
    });

    it('starts beside a file whose process number belongs to another program by now', async () => {
      await (await start(dir)).stop();
      const file = join(dir, 'pg18', 'postmaster.pid');
      writeFileSync(file, `${process.ppid}\n${join(dir, 'pg18')}\n1\n5432\n\n127.0.0.1\n\nready   \n`);

      const database = await start(dir);
      const rows = await ask(database.url(), 'select 1');
      await database.stop();

      expect(rows).to.deep.equal([1]);
    });
  });
});
