import { parseArgs } from 'node:util';

export const PARTS = ['ingest', 'growth', 'live', 'reads', 'auth', 'start'] as const;
export type PartName = (typeof PARTS)[number];

export interface BenchOptions {
  readonly parts: readonly PartName[];
  readonly rounds: number;
  /** Small and short: shows that everything works, proves nothing. */
  readonly quick: boolean;
  /** Measures `ingest` with every fsync of PostgreSQL 2 ms longer. */
  readonly slowDisk: boolean;
  /** The rounds go to those that were measured earlier on the same day, instead of taking their place. */
  readonly add: boolean;
  /** Where `reads` keeps its call logs for later runs; null: they are made anew and thrown away. */
  readonly keepIn: string | null;
  /** Null: the Redis variants are left out. Undefined: redis-server from the path. */
  readonly redisUrl: string | null | undefined;
}

export const HELP = `npm run bench -- [part ...] [options]

Parts: ${PARTS.join(', ')} (default: all)

  --rounds <n>   rounds of each measurement, medians are taken over them (default 5, quick 1)
  --quick        small and short: shows that everything works
  --slow-disk    ingest on a disk whose every fsync takes 2 ms longer (needs cc)
  --add          add the rounds to those of earlier runs of the day: many rounds in short pieces
  --keep <dir>   reads keeps its call logs in this folder, or measures on those that an earlier run has left there
  --no-redis     leave out what runs on Redis

REDIS_URL names a Redis to use; without it redis-server is started when it is on the path.
Writes bench/results/<date>.json and the pictures beside it; with --quick into .tmp/bench/.
`;

/** @throws Error with the sentence to show */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): BenchOptions | null {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      'slow-disk': { type: 'boolean', default: false },
      add: { type: 'boolean', default: false },
      keep: { type: 'string' },
      'no-redis': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  const unknown = positionals.find((name) => !(PARTS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`There is no part "${unknown}": ${PARTS.join(', ')}.`);
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number, 1 or more.');
  return {
    parts: positionals.length > 0 ? PARTS.filter((name) => positionals.includes(name)) : PARTS,
    rounds,
    quick: values.quick,
    slowDisk: values['slow-disk'],
    add: values.add,
    keepIn: values.keep ?? null,
    redisUrl: values['no-redis'] ? null : env.REDIS_URL || undefined,
  };
}
