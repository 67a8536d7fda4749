import { type ChaosReport, runChaos } from './chaos.js';
import { HELP, readWish } from './options.js';
import { hasRedis } from './redis.js';

const MOST_SHOWN = 40;

async function run(argv: readonly string[]): Promise<void> {
  const wish = readWish(argv);
  if (!wish) return console.log(HELP);
  if (wish.redis && !hasRedis()) throw new Error('--redis needs redis-server on the path.');
  const { seed, seconds, rate, faults, redis } = wish;
  console.log(
    `seed ${seed}: ${rate} webhooks/s for ${seconds} s, ${faults} faults, ${redis ? 'with' : 'without'} Redis`,
  );
  const report = await runChaos({ ...wish, accounts: 3, longestFaultMs: 6000, tell: (line) => console.log(line) });
  print(report);
  if (report.violations.length > 0) process.exitCode = 1;
}

function print(report: ChaosReport): void {
  const { counts, answers, faults, violations } = report;
  const list = (record: Readonly<Record<string, number>>): string =>
    Object.entries(record)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const total = Object.values(faults).reduce((sum, count) => sum + count, 0);
  console.log(`\n${total} faults: ${list(faults)}`);
  for (const sentence of report.skipped) console.log(sentence);
  console.log(`${report.webhooks} webhooks in ${report.attempts} attempts; answers: ${list(answers)}`);
  console.log(list(counts));
  console.log(
    `ready again ${report.readyAgainMs} ms after the last fault; longest time without a 2xx ${report.longestSilenceMs} ms`,
  );
  for (const text of violations.slice(0, MOST_SHOWN)) console.log(`  ${text}`);
  if (violations.length > MOST_SHOWN) console.log(`  and ${violations.length - MOST_SHOWN} more`);
  console.log(
    violations.length === 0
      ? 'Every answer agrees with its effects.'
      : `${violations.length} violations; logs in ${report.folder}`,
  );
}

// The end of this process ends what it started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

run(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
