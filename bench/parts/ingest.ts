/**
 * Signed webhooks over HTTP until their call log is committed: the product in one process and in two, beside the
 * ceiling (the same product with the role `api` alone: same verification, only the inbox insert) and beside the plain way
 * (a job and a transaction for each webhook), on both queue backends.
 */
import { rival } from '../lib/build.js';
import { runIngest, trafficFor } from '../lib/ingest-run.js';
import { type Ground, openGround, type RunningProcess, startProcess, withClient } from '../lib/installation.js';
import { createNotebook, type Notebook, type PartResult } from '../lib/notebook.js';
import type { BenchOptions } from '../lib/options.js';
import { cpuSeconds } from '../lib/processes.js';
import { openRedis } from '../lib/redis.js';
import { slowDisk } from '../lib/slow-disk.js';
import { quantile } from '../lib/statistics.js';
import { type Line, makeLines } from '../lib/world.js';

interface Variant {
  readonly name: string;
  readonly backend: 'PostgreSQL' | 'Redis';
  readonly kind: 'one process' | 'two processes' | 'ceiling' | 'plain';
}

const KINDS = ['ceiling', 'one process', 'two processes', 'plain'] as const;

const variantsOn = (backend: Variant['backend']): Variant[] =>
  KINDS.map((kind) => ({ kind, backend, name: `${kind}, ${backend} queue` }));

interface Standing {
  readonly variant: Variant;
  readonly databaseUrl: string;
  readonly port: number;
  /** Processor seconds of its processes until now. */
  cpuSeconds(): number;
  /** The same of PostgreSQL, whoever asked. */
  databaseCpuSeconds(): number;
  stop(): Promise<void>;
}

const ROLES: Readonly<Record<Variant['kind'], readonly string[]>> = {
  ceiling: ['api'],
  'one process': ['api,live,worker'],
  'two processes': ['api,live', 'worker'],
  plain: ['api,worker'],
};

async function start(ground: Ground, variant: Variant, redisUrl: string | undefined): Promise<Standing> {
  const databaseUrl = await ground.createDatabase(variant.name, 'world');
  const settings = variant.kind === 'plain' ? { settings: { DATABASE_POOL: '48' }, entry: rival('plain-server') } : {};
  const processes: RunningProcess[] = [];
  for (const roles of ROLES[variant.kind]) {
    processes.push(await startProcess({ databaseUrl, folder: ground.folder, roles, redisUrl, ...settings }));
  }
  const stop = async () => void (await Promise.all(processes.map((process) => process.stop())));
  return {
    ...{ variant, databaseUrl, stop, port: processes[0]?.port ?? 0, databaseCpuSeconds: ground.cpuSeconds },
    cpuSeconds: () => processes.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0),
  };
}

interface Sizes {
  readonly warmUp: number;
  readonly saturated: number;
  /** Few webhooks go another way than a crowd, in code that is still cold when the crowd has passed. */
  readonly pacedWarmUp: number;
  readonly paced: number;
}

/**
 * Calls, of two webhooks each; the plain way gets fewer, or one of its runs would take a minute. How late it is at 1,000/s
 * says only how long that went on, for it does not keep up.
 */
function sizesOf({ kind }: Variant, quick: boolean): Sizes {
  const scale = quick ? 0.25 : 1;
  const sizes =
    kind === 'plain'
      ? { warmUp: 400, saturated: 600, pacedWarmUp: 0, paced: 500 }
      : { warmUp: 2500, saturated: 6000, pacedWarmUp: 2000, paced: 2000 };
  return {
    warmUp: sizes.warmUp * scale,
    saturated: sizes.saturated * scale,
    pacedWarmUp: sizes.pacedWarmUp * scale,
    paced: sizes.paced * scale,
  };
}

interface Turn {
  readonly standing: Standing;
  readonly lines: readonly Line[];
  readonly round: number;
  readonly quick: boolean;
  /** Before the names of the rows. */
  readonly prefix: string;
}

async function takeTurn(book: Notebook, { standing, lines, round, quick, prefix }: Turn): Promise<void> {
  const { variant, databaseUrl, port } = standing;
  const sizes = sizesOf(variant, quick);
  const isProcessed = variant.kind !== 'ceiling';
  const run = (tag: string, calls: number, rate: number | null) =>
    runIngest({
      port,
      databaseUrl,
      rate,
      isProcessed,
      tag,
      requests: trafficFor(lines, { calls, tag, seed: round + 1 }),
    });
  if (!isProcessed)
    await withClient(databaseUrl, (client) => client.query('truncate inbound_webhooks, webhook_arrivals'));
  // In later rounds as well: since its last turn it has stood still for a minute, and V8 has let go of much.
  await run(`w${round}`, round === 0 ? sizes.warmUp * 2 : sizes.warmUp, null);
  await withClient(databaseUrl, (client) => client.query('checkpoint'));

  const before = [standing.cpuSeconds(), standing.databaseCpuSeconds()] as const;
  const full = await run(`s${round}`, sizes.saturated, null);
  const after = [standing.cpuSeconds(), standing.databaseCpuSeconds()] as const;
  const saturated = `${prefix}saturated: ${variant.name}`;
  book.note(saturated, 'committed', '/s', full.committedPerSecond);
  noteDelays(book, saturated, full);
  const micros = 1_000_000 / full.toAnswer.length;
  book.note(saturated, 'processor of Node, each', 'µs', (after[0] - before[0]) * micros);
  book.note(saturated, 'processor of PostgreSQL, each', 'µs', (after[1] - before[1]) * micros);
  if (sizes.pacedWarmUp > 0) await run(`v${round}`, sizes.pacedWarmUp, 1000);
  const paced = await run(`p${round}`, sizes.paced, 1000);
  noteDelays(book, `${prefix}paced at 1,000/s: ${variant.name}`, paced);
}

function noteDelays(
  book: Notebook,
  group: string,
  run: { toAnswer: readonly number[]; toCommit: readonly number[] },
): void {
  book.note(group, 'to the answer, p50', 'ms', quantile(run.toAnswer, 0.5));
  book.note(group, 'to the answer, p99', 'ms', quantile(run.toAnswer, 0.99));
  book.note(group, 'to the commit, p50', 'ms', quantile(run.toCommit, 0.5));
  book.note(group, 'to the commit, p99', 'ms', quantile(run.toCommit, 0.99));
}

/** The goals of a disk and its queue backends. */
function setGoals(book: Notebook, variants: readonly Variant[], prefix: string): void {
  const committed = (kind: string, backend: string): [string, string] => [
    `${prefix}saturated: ${kind}, ${backend} queue`,
    'committed',
  ];
  for (const backend of new Set(variants.map((variant) => variant.backend))) {
    for (const kind of ['one process', 'two processes']) {
      const own = committed(kind, backend);
      const paced = `${prefix}paced at 1,000/s: ${kind}, ${backend} queue`;
      book.ratio(`${prefix}${kind}, ${backend} queue / ceiling`, own, committed('ceiling', backend), { atLeast: 0.6 });
      const p99 = `${prefix}${kind}, ${backend} queue, 1,000/s: p99 commit / p99 answer`;
      book.ratio(p99, [paced, 'to the commit, p99'], [paced, 'to the answer, p99'], { atMost: 4 });
      if (prefix === '') book.goal(paced, 'to the commit, p50', { atMost: 12 });
    }
    const least = backend === 'Redis' ? 4 : 8;
    const plain = committed('plain', backend);
    book.ratio(`${prefix}one process, ${backend} queue / plain`, committed('one process', backend), plain, {
      atLeast: least,
    });
  }
  for (const kind of ['one process', 'two processes']) {
    const [own, other] = [committed(kind, 'PostgreSQL'), committed(kind, 'Redis')];
    book.ratio(`${prefix}${kind}: PostgreSQL queue / Redis queue`, own, other, { atLeast: 0.8 });
  }
}

/**
 * What is compared by its speed takes its turns one after the other, for the machine is faster in one minute than in the next.
 * The plain way, which takes long and leaves PostgreSQL much to clean up, comes last.
 */
function orderOf(standing: readonly Standing[]): Standing[] {
  const isPlain = ({ variant }: Standing): boolean => variant.kind === 'plain';
  const backends = [...new Set(standing.map(({ variant }) => variant.backend))];
  const groups = backends.map((backend) =>
    turned(standing.filter((each) => !isPlain(each) && each.variant.backend === backend)),
  );
  return [...turned(groups).flat(), ...standing.filter(isPlain)];
}

/** The lot says with which of them a round begins, so that none always follows the same one. */
function turned<T>(list: readonly T[]): T[] {
  const first = Math.floor(Math.random() * list.length);
  return [...list.slice(first), ...list.slice(0, first)];
}

async function measureOn(book: Notebook, ground: Ground, options: BenchOptions, prefix: string): Promise<void> {
  const redis = await openRedis(options.redisUrl);
  const redisUrl = typeof redis === 'string' ? undefined : redis.url;
  if (typeof redis === 'string') book.skip(redis);
  const variants = [...variantsOn('PostgreSQL'), ...(redisUrl ? variantsOn('Redis') : [])];
  const lines = await withClient(await ground.createDatabase('world'), (client) =>
    makeLines(client, { accounts: 10, numbersEach: 10 }),
  );
  const standing: Standing[] = [];
  try {
    for (const variant of variants) {
      standing.push(await start(ground, variant, variant.backend === 'Redis' ? redisUrl : undefined));
    }
    for (let round = 0; round < options.rounds; round += 1) {
      console.log(`  ${prefix}round ${round + 1} of ${options.rounds}`);
      for (const next of orderOf(standing)) {
        await takeTurn(book, { standing: next, lines, round, quick: options.quick, prefix });
      }
    }
  } finally {
    await Promise.all(standing.map((each) => each.stop()));
    if (typeof redis !== 'string') await redis.stop();
  }
  setGoals(book, variants, prefix);
}

export async function ingest(options: BenchOptions): Promise<PartResult> {
  const book = createNotebook('ingest');
  const env = options.slowDisk ? slowDisk() : {};
  if (typeof env === 'string') {
    book.skip(env);
    return book.result();
  }
  const ground = await openGround({ env });
  try {
    await measureOn(book, ground, options, options.slowDisk ? 'slow disk, ' : '');
  } finally {
    await ground.close();
  }
  return book.result();
}
