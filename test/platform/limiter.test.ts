import { expect } from 'chai';
import type { Knex } from 'knex';
import { connectDatabase } from '../../src/platform/db/connect.js';
import type { Limiter } from '../../src/platform/limiter/limiter.js';
import { createLimiter } from '../../src/platform/limiter/open.js';
import { createLogger } from '../../src/platform/log.js';
import { type Backend, eachBackend, uniquePrefix } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/until.js';

const log = createLogger('silent');
const RULE = { name: 'test', points: 10, seconds: 60 };

describe('the limiter', () => {
  let database: TestDatabase;
  let db: Knex;
  before(async () => {
    database = await createTestDatabase();
    db = connectDatabase(database.url, 8, log);
  });
  after(async () => {
    await db.destroy();
    await database.drop();
  });

  function open({ redisUrl }: Pick<Backend, 'redisUrl'>, prefix: string, enabled = true): Limiter {
    return createLimiter({ enabled, redisUrl, db, prefix, log });
  }

  eachBackend((backend) => {
    it('allows as many as the rule says, and tells when the window ends', async () => {
      const limiter = open(backend, uniquePrefix());
      const key = uniquePrefix();

      const verdicts = [];
      for (let i = 0; i < 11; i++) verdicts.push(await limiter.take(RULE, key));

      expect(verdicts.map(({ allowed }) => allowed)).to.deep.equal([...Array(10).fill(true), false]);
      expect(verdicts[0]).to.deep.equal({ allowed: true, limit: 10, remaining: 9, resetSeconds: 60 });
      expect(verdicts[10]?.remaining).to.equal(0);
      await limiter.close();
    });

    it('looks without taking, and keeps keys and rules apart', async () => {
      const limiter = open(backend, uniquePrefix());
      const key = uniquePrefix();
      await limiter.take(RULE, key, 4);

      expect(await limiter.look(RULE, key)).to.include({ allowed: true, remaining: 6 });
      expect(await limiter.look(RULE, `${key}x`)).to.include({ remaining: 10 });
      expect(await limiter.look({ ...RULE, name: 'other' }, key)).to.include({ remaining: 10 });
      await limiter.close();
    });

    it('shares the counts between processes', async () => {
      const prefix = uniquePrefix();
      const [a, b] = [open(backend, prefix), open(backend, prefix)];
      const key = uniquePrefix();

      await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 ? a : b).take(RULE, key)));

      expect(await a.take(RULE, key)).to.include({ allowed: false });
      expect(await b.take(RULE, key)).to.include({ allowed: false });
      await Promise.all([a.close(), b.close()]);
    });

    it('counts cheaply and exactly within a process', async () => {
      const limiter = open(backend, uniquePrefix());
      const key = uniquePrefix();

      const allowed = Array.from({ length: 15 }, () => limiter.takeCheaply(RULE, key).allowed);

      expect(allowed).to.deep.equal([...Array(10).fill(true), ...Array(5).fill(false)]);
      await limiter.close();
      // What was refused is not counted.
    });

    it('tells the other processes what was counted cheaply', async () => {
      const prefix = uniquePrefix();
      const [a, b] = [open(backend, prefix), open(backend, prefix)];
      const key = uniquePrefix();

      for (let i = 0; i < 10; i++) a.takeCheaply(RULE, key);
      await until('the backend knows', async () => !(await b.take(RULE, key)).allowed);

      b.takeCheaply(RULE, key);
      await until('the other process refuses', () => !b.takeCheaply(RULE, key).allowed);
      await Promise.all([a.close(), b.close()]);
    });
  });

  it('lets requests pass while Redis is away, and counts alone', async () => {
    const limiter = open({ redisUrl: 'redis://127.0.0.1:1' }, uniquePrefix());
    const key = uniquePrefix();

    for (let i = 0; i < 10; i++) expect(await limiter.take(RULE, key)).to.include({ allowed: true });

    expect(await limiter.take(RULE, key)).to.include({ allowed: false });
    await limiter.close();
  });

  it('allows everything when rate limits are off', async () => {
    const limiter = open({ redisUrl: null }, uniquePrefix(), false);

    for (let i = 0; i < 20; i++) expect(await limiter.take(RULE, 'key')).to.include({ allowed: true });
    expect(limiter.takeCheaply(RULE, 'key', 1000)).to.include({ allowed: true });
    await limiter.close();
  });
});
