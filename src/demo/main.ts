import { randomBytes } from 'node:crypto';
import { ConfigError, readConfig } from '../platform/config.js';
import { findDatabase } from '../platform/db/find-database.js';
import { migrateToLatest } from '../platform/db/migrate.js';
import { createCloser } from '../platform/lifecycle.js';
import { createLogger } from '../platform/log.js';
import { createRandom } from '../simulator/random.js';
import { wire } from '../wire.js';
import { fillAccount } from './fill.js';
import { DemoError, HELP, type Options, readOptions } from './options.js';
import { findRunningDatabase } from './running-database.js';
import { setScene } from './scene.js';

async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (!options) return console.log(HELP);
  const config = readConfig();
  const log = createLogger('warn');
  const closer = createCloser(log);
  try {
    const running = config.databaseUrl === null ? await findRunningDatabase(config.dataDir) : null;
    const databaseUrl = running ?? (await findDatabase(config, { log, closer, onLost: () => process.exit(1) }));
    await migrateToLatest(databaseUrl);
    const system = await wire({ config, databaseUrl, log });
    closer.defer('system', () => system.close());
    await seed(system, options);
  } finally {
    await closer.close();
  }
}

async function seed(system: Awaited<ReturnType<typeof wire>>, options: Options): Promise<void> {
  const began = performance.now();
  const scene = await setScene(system, options, createRandom('demo scene', options.seed));
  const progress = process.stderr.isTTY
    ? (written: number): void => void process.stderr.write(`\r${written} calls`)
    : (): void => undefined;
  const written = await fillAccount(scene, options, {
    ...{ db: system.platform.db, now: system.platform.clock.now(), progress },
    run: randomBytes(4).toString('hex'),
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (process.stderr.isTTY) process.stderr.write('\r');
  console.log(`${written} calls of ${options.days} days in the account ${options.account}, in ${seconds} s`);
  if (!scene.login) return;
  console.log(`Its login, shown only once:\n  username: ${scene.login.username}\n  password: ${scene.login.password}`);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof DemoError || error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
