import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { hasRedis } from '../chaos/redis.js';
import { startProcess } from '../lib/installation.js';
import { openSoakDatabase, openSoakRedis } from './services.js';
import { runSoak, type SoakReport } from './soak.js';

const HELP = `npm run soak -- [options]

Subscribers with mixed permissions and filters on two live nodes, while sockets are cut, and nodes, worker, database
and Redis are killed and started again; first without Redis, then with it.

  --subscribers <n>  default 300
  --events <n>       webhooks that tell a fact each, default 20000
  --cuts <n>         how often each socket is cut, default 10
  --kills <n>        how often each process and service is killed, default 2
  --rate <n>         webhooks a second, default 150
  --seed <n>         default 1
  --only <what>      postgres or redis: one of the two runs
`;

const number = (fallback: string) => ({ type: 'string', default: fallback }) as const;
const { values } = parseArgs({
  options: {
    ...{ subscribers: number('300'), events: number('20000'), cuts: number('10'), kills: number('2') },
    ...{ rate: number('150'), seed: number('1'), only: { type: 'string' }, help: { type: 'boolean', default: false } },
  },
});

const ADMIN = { username: 'soak', password: 'soak-password' };

async function soak(withRedis: boolean): Promise<SoakReport> {
  mkdirSync('.tmp', { recursive: true });
  const folder = mkdtempSync(join(resolve('.tmp'), 'soak-'));
  const database = await openSoakDatabase(folder);
  const redis = withRedis ? await openSoakRedis(folder) : null;
  const settings = { ADMIN_USERNAME: ADMIN.username, ADMIN_PASSWORD: ADMIN.password };
  try {
    return await runSoak({
      databaseUrl: database.url,
      admin: ADMIN,
      launch: (roles, port) =>
        startProcess({
          ...{ databaseUrl: database.url, folder, roles, redisUrl: redis?.url },
          settings: { ...settings, PORT: String(port) },
        }),
      services: [database, ...(redis ? [redis] : [])],
      ...{ subscribers: Number(values.subscribers), events: Number(values.events), cuts: Number(values.cuts) },
      ...{ kills: Number(values.kills), rate: Number(values.rate), seed: Number(values.seed) },
      say: (line) => console.log(line),
    });
  } finally {
    await redis?.stop();
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(HELP);
  const runs = [false, true].filter(
    (withRedis) => values.only === undefined || withRedis === (values.only === 'redis'),
  );
  for (const withRedis of runs) {
    console.log(withRedis ? 'with Redis' : 'without Redis');
    if (withRedis && !hasRedis()) {
      console.log('left out: redis-server is not on the path');
      continue;
    }
    const begun = Date.now();
    const report = await soak(withRedis);
    console.log({ ...report, seconds: Math.round((Date.now() - begun) / 1000) });
    const { lost, doubled, disordered, strange } = report;
    if (lost + doubled + disordered + strange > 0) process.exitCode = 1;
  }
}

await main();
