import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openGround, startProcess } from './lib/installation.js';
import { runSoak } from './lib/live-soak.js';

const { values } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '300' },
    events: { type: 'string', default: '20000' },
    cuts: { type: 'string', default: '10' },
    kills: { type: 'string', default: '2' },
    rate: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
    redis: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const ADMIN = { username: 'soak', password: 'soak-password' };

if (values.help) {
  console.log(
    'npm run soak -- [--subscribers 300] [--events 20000] [--cuts 10] [--kills 2] [--rate 150] [--seed 1] [--redis URL]',
  );
  process.exit(0);
}

mkdirSync('.tmp', { recursive: true });
const ground = await openGround();
try {
  const databaseUrl = await ground.createDatabase('soak');
  const report = await runSoak({
    databaseUrl,
    admin: ADMIN,
    start: (roles, port) =>
      startProcess({
        ...{ databaseUrl, folder: ground.folder, roles, redisUrl: values.redis ?? null },
        settings: { PORT: String(port), ADMIN_USERNAME: ADMIN.username, ADMIN_PASSWORD: ADMIN.password },
      }),
    subscribers: Number(values.subscribers),
    events: Number(values.events),
    cuts: Number(values.cuts),
    kills: Number(values.kills),
    rate: Number(values.rate),
    seed: Number(values.seed),
    say: (line) => console.log(line),
  });
  console.log(report);
  const { lost, doubled, disordered, strange } = report;
  process.exitCode = lost + doubled + disordered + strange === 0 ? 0 : 1;
} finally {
  await ground.close();
}
