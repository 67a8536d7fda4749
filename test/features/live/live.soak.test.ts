import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import type { Login } from '../../../bench/soak/scene.js';
import { runSoak } from '../../../bench/soak/soak.js';
import { connectDatabase } from '../../../src/platform/db/connect.js';
import { createLogger } from '../../../src/platform/log.js';
import { ensureBuilt } from '../../support/built.js';
import { createTestDatabase } from '../../support/database.js';
import { ownRedisKeysOf } from '../../support/redis-keys.js';
import { makeScratchDirectory } from '../../support/scratch.js';
import { hasRedis } from '../../support/system.js';

const ADMIN: Login = { username: 'soak', password: 'soak-password' };

describe('live soak', function () {
  this.timeout(240_000);
  const children: ChildProcess[] = [];
  before(ensureBuilt);

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  for (const withRedis of [false, true]) {
    it(`loses, doubles and shows nothing wrongly while processes are killed${withRedis ? ', with Redis' : ''}`, async function () {
      if (withRedis && !hasRedis()) this.skip();
      const database = await createTestDatabase();
      const folder = makeScratchDirectory();
      const redis = withRedis ? { REDIS_URL: process.env.TEST_REDIS_URL ?? '' } : {};
      if (withRedis) await ownKeysOf(database.url);

      const report = await runSoak({
        databaseUrl: database.url,
        admin: ADMIN,
        launch: (roles, port) =>
          start({ DATABASE_URL: database.url, DATA_DIR: folder, ROLES: roles, PORT: String(port), ...redis }),
        ...{ subscribers: 24, events: 200, cuts: 3, kills: 1, rate: 60, seed: withRedis ? 2 : 1 },
      });

      expect(report).to.include({ cuts: 72, kills: 3, lost: 0, doubled: 0, disordered: 0, strange: 0 });
      expect(report.stored).to.be.at.least(205);
      expect(report.delivered).to.be.above(1000);
      expect(report.removals).to.be.above(0);
      await database.drop();
    });
  }

  async function ownKeysOf(url: string): Promise<void> {
    const db = connectDatabase(url, 1, createLogger('silent'));
    await ownRedisKeysOf(db).finally(() => db.destroy());
  }

  /** A process of its own, once it is ready. */
  async function start(settings: Record<string, string>) {
    const env = {
      ...{ PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', LOG_LEVEL: 'silent', RATE_LIMITS: 'off' },
      ...{ JWT_SECRET: 's'.repeat(40), ENCRYPTION_KEY: 's'.repeat(40), DATABASE_POOL: '6' },
      ...{ ADMIN_USERNAME: ADMIN.username, ADMIN_PASSWORD: ADMIN.password },
      ...settings,
    };
    const child = spawn(process.execPath, ['bin/start.mjs'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const url = await readyUrl(child);
    const stop = async (): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    };
    return { url, port: Number(new URL(url).port), pid: child.pid ?? 0, stop };
  }

  async function readyUrl(child: ChildProcess): Promise<string> {
    let text = '';
    for await (const chunk of child.stdout ?? []) {
      text += chunk;
      const url = /ready on (http:\S+)/.exec(text)?.[1];
      if (url) return url;
    }
    throw new Error('The process ended before it was ready.');
  }
});
