import { type ChaosReport, runChaos } from './chaos.js';
import { type Figures, type HostileReport, runHostile } from './hostile.js';
import { HELP, readWish } from './options.js';
import { hasRedis } from './redis.js';

const MOST_SHOWN = 40;
const SIZE = { accounts: 3, longestFaultMs: 6000, longestStepMs: 5000 };
const HOSTILE = { slow: 2000, passwords: 1000 };
/** Of the passwords it is to try: with fewer answered the run says nothing. */
const LEAST_STRENGTH = 0.95;
const MOST_TIMES = 3;
const MOST_GROWTH_MB = 100;

async function run(argv: readonly string[]): Promise<void> {
  const wish = readWish(argv);
  if (!wish) return console.log(HELP);
  if (wish.hostileSeconds !== null) return judge(await runHostile({ ...HOSTILE, seconds: wish.hostileSeconds }));
  if (wish.redis && !hasRedis()) throw new Error('--redis needs redis-server on the path.');
  const { seed, seconds, rate, faults, redis } = wish;
  console.log(
    `seed ${seed}: ${rate} webhooks/s for ${seconds} s, ${faults} faults, ${redis ? 'with' : 'without'} Redis`,
  );
  const report = await runChaos({ ...wish, ...SIZE, tell: (line) => console.log(line) });
  print(report);
  if (report.violations.length > 0) process.exitCode = 1;
}

function judge({ calm, attacked, growthMb, refusals, passwordsASecond }: HostileReport): void {
  const told = ({ p50Ms, p99Ms, cpu }: Figures): string =>
    `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ${(cpu * 100).toFixed(0)} % of a processor`;
  console.log(`in calm:      ${told(calm)}\nunder attack: ${told(attacked)}`);
  console.log(`p99 ${(attacked.p99Ms / calm.p99Ms).toFixed(2)} times (at most ${MOST_TIMES})`);
  console.log(`memory: ${growthMb.toFixed(0)} MB more at most (below ${MOST_GROWTH_MB})`);
  console.log(`the attacker: ${passwordsASecond.toFixed(0)} passwords/s; answers: ${listed(refusals)}`);
  const wasWeak = passwordsASecond < HOSTILE.passwords * LEAST_STRENGTH;
  if (wasWeak) console.log('The attacker got too little of the processor to attack: this run says nothing.');
  if (wasWeak || attacked.p99Ms > calm.p99Ms * MOST_TIMES || growthMb >= MOST_GROWTH_MB) process.exitCode = 1;
}

const listed = (record: Readonly<Record<string, number>>): string =>
  Object.entries(record)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

function print(report: ChaosReport): void {
  const { counts, answers, faults, violations } = report;
  const total = Object.values(faults).reduce((sum, count) => sum + count, 0);
  console.log(`\n${total} faults: ${listed(faults)}`);
  for (const sentence of report.skipped) console.log(sentence);
  console.log(`${report.webhooks} webhooks in ${report.attempts} attempts; answers: ${listed(answers)}`);
  console.log(listed(counts));
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

run(process.argv.slice(2))
  .catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  })
  // What could not be taken down is ended with this process.
  .finally(() => process.exit());
