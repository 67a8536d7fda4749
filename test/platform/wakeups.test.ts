import { expect } from 'chai';
import pg from 'pg';
import { createLogger } from '../../src/platform/log.js';
import { LOOK, type Wakeups } from '../../src/platform/wakeups.js';
import { pack } from '../../src/platform/wakeups-gather.js';
import { createWakeups } from '../../src/platform/wakeups-open.js';
import { type Backend, eachBackend, uniquePrefix } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/until.js';

const log = createLogger('silent');

describe('wake-ups', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database.drop());

  eachBackend((backend) => {
    it('are heard by their own process in the same turn, and only once', async () => {
      const [a, b] = await openTwo(database, backend);
      const heard: unknown[] = [];
      a.subscribe('events', (hint) => heard.push(hint));

      a.publish('events', 'mine');
      const atOnce = [...heard];
      const sentinel = nextHint(a, 'sentinel');
      b.publish('sentinel', 'last');
      await sentinel;

      expect(atOnce).to.deep.equal(['mine']);
      expect(heard).to.deep.equal(['mine']);
      await close(a, b);
    });

    it('are heard by the other processes on their topic, in order', async () => {
      const [a, b] = await openTwo(database, backend);
      const heard: unknown[] = [];
      b.subscribe('events', (hint) => heard.push(hint));
      b.subscribe('other', (hint) => heard.push(`other ${hint}`));

      for (let i = 0; i < 50; i++) a.publish('events', String(i));
      await until('all were heard', () => heard.length === 50);

      expect(heard).to.deep.equal(Array.from({ length: 50 }, (_, i) => String(i)));
      await close(a, b);
    });

    it('that are too long are sent in their short form', async () => {
      const [a, b] = await openTwo(database, backend);
      const heard: unknown[] = [];
      b.subscribe('events', (hint) => heard.push(hint));

      a.publish('events', 'x'.repeat(100_000), ['x'.repeat(100_000), '!some']);
      a.publish('events', 'y'.repeat(100_000));
      await until('both were heard', () => heard.length === 2);

      expect(heard).to.deep.equal(['!some', LOOK]);
      await close(a, b);
    });

    it('stop when nobody listens any more', async () => {
      const [a, b] = await openTwo(database, backend);
      const heard: unknown[] = [];
      const stop = b.subscribe('events', (hint) => heard.push(hint));
      stop();

      const sentinel = nextHint(b, 'sentinel');
      a.publish('events', 'nobody hears this');
      a.publish('sentinel', 'last');
      await sentinel;

      expect(heard).to.deep.equal([]);
      await close(a, b);
    });
  });

  it('tell their listeners to look after a lost connection, and go on', async () => {
    const [a, b] = await openTwo(database, { name: 'PostgreSQL', redisUrl: null });
    const heard: unknown[] = [];
    b.subscribe('events', (hint) => heard.push(hint));

    await endConnections(database.url);
    await until('they look', () => heard.includes(LOOK));
    await until('hints come again', () => {
      a.publish('events', 'again');
      return heard.includes('again');
    });

    await close(a, b);
  });

  it('leave no connection behind when they are closed before it was made', async () => {
    const wakeups = createWakeups({ redisUrl: null, databaseUrl: database.url, log, prefix: uniquePrefix() });

    await wakeups.close();

    const isGone = async () => (await askWakeups(database.url, 'select 1')).length === 0;
    await until('the connection is gone', isGone);
  });

  it('survive a listener that fails', async () => {
    const [a, b] = await openTwo(database, { name: 'PostgreSQL', redisUrl: null });
    const heard: unknown[] = [];
    a.subscribe('events', () => {
      throw new Error('not understood');
    });
    a.subscribe('events', (hint) => heard.push(hint));

    a.publish('events', 'on');

    expect(heard).to.deep.equal(['on']);
    await close(a, b);
  });

  it('are packed so that no message is too long and equal ones are sent once', () => {
    const gathered = Array.from({ length: 400 }, (_, i) => ({
      topic: 'events',
      forms: [`${'ü'.repeat(200)}${i}`, `!account-${i % 100}-${'é'.repeat(20)}`],
    }));

    const messages = pack('me', gathered, 2000);

    const hints = messages.flatMap((message) => (JSON.parse(message) as [string, string[][]])[1]);
    expect(Math.max(...messages.map((message) => Buffer.byteLength(message)))).to.be.at.most(2000);
    expect(hints).to.have.lengthOf(100);
    expect(messages).to.have.lengthOf.below(5);
  });
});

async function openTwo(database: TestDatabase, { redisUrl }: Backend): Promise<[Wakeups, Wakeups]> {
  const options = { redisUrl, databaseUrl: database.url, log, prefix: uniquePrefix() };
  const [a, b] = [createWakeups(options), createWakeups(options)];
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    let connected = false;
    const stop = to.subscribe('connected', () => {
      connected = true;
    });
    await until('the two hear each other', () => {
      from.publish('connected', 'yes');
      return connected;
    });
    stop();
  }
  return [a, b];
}

const nextHint = (wakeups: Wakeups, topic: string): Promise<unknown> =>
  new Promise((resolve) => {
    const stop = wakeups.subscribe(topic, (hint) => {
      stop();
      resolve(hint);
    });
  });

const close = async (...all: Wakeups[]): Promise<void> => void (await Promise.all(all.map((one) => one.close())));

const endConnections = (url: string) => askWakeups(url, 'select pg_terminate_backend(pid)');

/** Asks about the connections of wake-ups to this database. */
async function askWakeups(url: string, what: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(
    `${what} from pg_stat_activity where datname = current_database() and application_name = 'switchboard wakeups'`,
  );
  await client.end();
  return rows;
}
