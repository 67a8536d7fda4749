import { type AddressInfo, connect, createServer } from 'node:net';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { AppError } from '../../src/lib/errors.js';
import { createLogger } from '../../src/platform/log.js';
import { createQueue } from '../../src/platform/queue/bullmq.js';
import type { JobHandlers, Queue } from '../../src/platform/queue/queue.js';
import { type Backend, eachBackend, uniquePrefix } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';

declare module '../../src/platform/queue/queue.js' {
  interface JobMap {
    test_echo: { readonly text: string };
    test_tick: Record<string, never>;
  }
}

const log = createLogger('silent');

describe('the queue', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database.drop());

  eachBackend((backend) => {
    it('hands a job to a handler once, with its payload', async () => {
      const { queue, close } = open(database, backend);
      const seen: string[] = [];
      await queue.work({ test_echo: async ({ text }) => void seen.push(text) });

      await queue.add('test_echo', { text: 'one' });
      await queue.add('test_echo', { text: 'two' });
      await until('both ran', () => seen.length >= 2);

      expect(seen.sort()).to.deep.equal(['one', 'two']);
      await until('nothing is left', async () => (await queue.counts()).active === 0);
      expect(await queue.counts()).to.deep.equal({ waiting: 0, active: 0, delayed: 0, failed: 0 });
      await close();
    });

    it('does not try a job again whose failure stays', async () => {
      const { queue, close } = open(database, backend);
      let tries = 0;
      await queue.work({
        test_echo: async () => {
          tries += 1;
          throw new AppError('invalid', 'invalid', 'Never right.');
        },
      });

      await queue.add('test_echo', { text: '' });
      await until('it failed', async () => (await queue.counts()).failed === 1);

      expect(tries).to.equal(1);
      await close();
    });

    it('tries a job again whose failure may pass', async () => {
      const { queue, close } = open(database, backend);
      let tries = 0;
      await queue.work({
        test_echo: async () => {
          tries += 1;
          if (tries === 1) throw new AppError('unavailable', 'unavailable', 'Not now.');
        },
      });

      await queue.add('test_echo', { text: '' });

      await until('it was tried twice', () => tries === 2);
      await close();
    });

    it('runs a periodic job once in the installation, however many processes ask for it', async () => {
      const prefix = uniquePrefix();
      const [a, b] = [open(database, backend, prefix), open(database, backend, prefix)];
      let runs = 0;
      const handlers: JobHandlers = {
        test_tick: async () => {
          runs += 1;
        },
      };
      await Promise.all([a.queue.work(handlers), b.queue.work(handlers)]);
      const started = Date.now();

      await Promise.all([a, b].map(({ queue }) => queue.schedule('test_tick', {}, 200)));
      await until('it ran eight times', () => runs >= 8);

      // A run may be late, and the next then follows at once; none comes before its time.
      expect(Date.now() - started).to.be.greaterThan(1100);
      await Promise.all([a.close(), b.close()]);
    });

    it('finishes the running job before it closes', async () => {
      const { queue, close } = open(database, backend);
      let finish = (): void => undefined;
      let finished = false;
      const started = new Promise<void>((resolve) => {
        void queue.work({
          test_echo: () =>
            new Promise<void>((done) => {
              finish = () => {
                finished = true;
                done();
              };
              resolve();
            }),
        });
      });
      await queue.add('test_echo', { text: '' });
      await started;

      const closed = close();
      finish();
      await closed;

      expect(finished).to.equal(true);
    });

    it('says that it is ready', async () => {
      const { queue, close } = open(database, backend);

      expect(await queue.isReady()).to.equal(true);
      await close();
    });
  });

  it('refuses to work on a database without the queue’s tables, instead of asking it without pause', async () => {
    const queue = createQueue({ redisUrl: null, databaseUrl: process.env.TEST_DATABASE_URL ?? '', log });

    const refusal = await queue.work({}).catch((error: Error) => error);

    expect(refusal).to.be.instanceOf(Error);
    await queue.close();
  });

  it('is made anew once when PostgreSQL, which was away, answers', async () => {
    const way = await openWay(database.url);
    const queue = createQueue({ redisUrl: null, databaseUrl: way.url, log });
    const made = new Set<unknown>();
    const madeUntil = (what: string, ask: () => unknown): Promise<void> =>
      until(what, () => {
        made.add(queue.dashboard());
        return ask();
      });

    await madeUntil('it was sought in vain', () => way.refused() >= 4);
    expect(made.size).to.equal(1);
    way.letThrough();
    await madeUntil('it can be asked', () => queue.isReady());

    expect(made.size).to.equal(2);
    await queue.close();
    way.close();
  });

  it('refuses a job at once while Redis is away, and says that it is not ready', async () => {
    const queue = createQueue({ redisUrl: 'redis://127.0.0.1:1', databaseUrl: database.url, log });
    await queue.work({ test_echo: async () => undefined });
    await queue.schedule('test_tick', {}, 1000);

    const started = Date.now();
    const refusal = await queue.add('test_echo', { text: '' }).catch((error: AppError) => error);

    expect(refusal).to.have.property('kind', 'unavailable');
    expect(await queue.isReady()).to.equal(false);
    expect(Date.now() - started).to.be.lessThan(1000);
    await queue.close();
  });

  it('runs periodic jobs in the process itself while Redis is away', async () => {
    const queue = createQueue({ redisUrl: 'redis://127.0.0.1:1', databaseUrl: database.url, log });
    let runs = 0;
    await queue.work({
      test_tick: async () => {
        runs += 1;
      },
    });

    await queue.schedule('test_tick', {}, 100);

    await until('it ran twice', () => runs >= 2);
    await queue.close();
  });

  it('does so too while Redis answers and takes no writes, and says that it is not ready', async function () {
    const server = await startRedisServer();
    if (!server) return this.skip();
    const redis = new Redis(server.url);
    const queue = createQueue({ redisUrl: server.url, databaseUrl: database.url, log });
    let runs = 0;
    await queue.work({
      test_tick: async () => {
        runs += 1;
      },
    });
    await queue.schedule('test_tick', {}, 100);
    await until('it ran', () => runs >= 1);

    await redis.config('SET', 'maxmemory', '1');
    await until('it is not ready', async () => !(await queue.isReady()));
    const before = runs;
    await until('it ran twice more', () => runs >= before + 2);
    await redis.config('SET', 'maxmemory', '0');
    await until('it is ready', () => queue.isReady());

    await queue.close();
    redis.disconnect();
    await server.stop();
  });
});

/** A way to the database on which everybody is hung up on, until it lets them through. */
async function openWay(url: string) {
  const { hostname, port } = new URL(url);
  let isOpen = false;
  let refused = 0;
  const way = createServer((client) => {
    client.on('error', () => undefined);
    if (!isOpen) {
      refused += 1;
      client.destroy();
      return;
    }
    const server = connect(Number(port), hostname).on('error', () => undefined);
    client.pipe(server).pipe(client);
  });
  await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve));
  const through = new URL(url);
  through.host = `127.0.0.1:${(way.address() as AddressInfo).port}`;
  return {
    url: through.href,
    refused: () => refused,
    letThrough: () => {
      isOpen = true;
    },
    close: () => way.close(),
  };
}

function open(
  database: TestDatabase,
  { redisUrl }: Backend,
  prefix = uniquePrefix(),
): { queue: Queue; close(): Promise<void> } {
  const queue = createQueue({ redisUrl, databaseUrl: database.url, log, prefix });
  return { queue, close: () => queue.close() };
}
