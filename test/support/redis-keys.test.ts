import { expect } from 'chai';
import { Redis } from 'ioredis';
import { readInstallationName } from '../../src/platform/installation.js';
import { uniquePrefix } from './backends.js';
import { ownPrefixes, ownRedisKeys, removeOwnRedisKeys } from './redis-keys.js';
import { makeScratchDirectory } from './scratch.js';
import { hasRedis, startSystem } from './system.js';

describe('the keys of a run in its Redis', () => {
  before(function () {
    if (!hasRedis()) this.skip();
  });

  it('are taken away by the prefixes that the run made, and nothing else is', async () => {
    const dir = makeScratchDirectory();
    const [mine, second, foreign] = [uniquePrefix(), uniquePrefix(), uniquePrefix()];
    const redis = new Redis(process.env.TEST_REDIS_URL ?? '');
    await redis.mset(
      `${mine}:a:1`,
      '1',
      `${mine}:a:2`,
      '2',
      `${second}:b`,
      '3',
      `${foreign}:a`,
      '4',
      `${mine}-more:a`,
      '5',
    );
    for (const prefix of [mine, second]) ownRedisKeys(prefix, dir);

    await removeOwnRedisKeys(process.env.TEST_REDIS_URL ?? '', dir);

    expect(await redis.keys(`${mine}*`)).to.deep.equal([`${mine}-more:a`]);
    expect(await redis.keys(`${second}*`)).to.deep.equal([]);
    expect(await redis.keys(`${foreign}*`)).to.deep.equal([`${foreign}:a`]);
    await redis.del(`${foreign}:a`, `${mine}-more:a`);
    redis.disconnect();
  });

  it('are known of a product that is started on it as well', async () => {
    const redis = new Redis(process.env.TEST_REDIS_URL ?? '');
    const system = await startSystem({ redis: true, env: { RATE_LIMITS: 'on' } });
    await system.createAdmin();

    const name = await readInstallationName(system.db);
    await system.stop();

    const prefixes = [...ownPrefixes(process.env.TEST_DIR ?? '')].filter((prefix) => prefix.endsWith(name));
    const kinds = (await redis.keys(`${prefixes[0]}:*`)).map((key) => key.split(':')[1]);
    expect(kinds).to.include.members(['limits', 'switchboard']);
    redis.disconnect();
  });
});
