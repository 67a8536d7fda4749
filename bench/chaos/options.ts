import { parseArgs } from 'node:util';

export const HELP = `npm run chaos -- [--seed n] [--minutes n] [--rate n] [--faults n] [--redis] [--processes n] [--together]
                 [--only text]
       npm run chaos -- --hostile [--seconds n]

Starts an installation of its own (PostgreSQL, with --redis a redis-server from the path, and processes of each role),
sends signed webhooks, and meanwhile kills, pauses, cuts off and restarts its parts, in an order that the seed decides.
At the end every answer is compared with its effects; exit code 1 when one does not agree.

  --seed n       the same seed strikes in the same order (default: another one each time, which is shown)
  --minutes n    how long webhooks are sent (default 5)
  --rate n       webhooks a second (default 200)
  --faults n     how many faults (default 6 a minute and two more)
  --redis        queue, limits and wake-ups on Redis
  --processes n  of each role (default 2)
  --together     each process has all roles, and works off itself what it is sent
  --only text    only faults whose name matches this regular expression, such as "silent|stalls"
  --hostile      instead: 2,000 slow connections, 1,000 wrong passwords a second, bodies of 10 MB and JSON nested
                 10,000 deep against one process, at nice 19; what they do to the requests of others
  --seconds n    how long the others are measured, in calm and under attack (default 30)
`;

export interface Wish {
  readonly seed: number;
  readonly seconds: number;
  readonly rate: number;
  readonly faults: number;
  readonly redis: boolean;
  readonly processes: number;
  /** Each process has all roles. */
  readonly together: boolean;
  readonly only?: RegExp;
  /** Seconds of the hostile run; null: the other one. */
  readonly hostileSeconds: number | null;
}

/** @throws Error with the sentence to show */
export function readWish(argv: readonly string[]): Wish | null {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...{ seed: text, minutes: text, rate: text, faults: text, processes: text, only: text, seconds: text },
      redis: { type: 'boolean', default: false },
      together: { type: 'boolean', default: false },
      hostile: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  const number = (name: 'seed' | 'minutes' | 'rate' | 'faults' | 'processes' | 'seconds', fallback: number): number => {
    const value = Number(values[name] ?? fallback);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new Error(`--${name} takes a number, not "${values[name]}".`);
  };
  const minutes = number('minutes', 5);
  return {
    seed: number('seed', Math.floor(Math.random() * 1_000_000)),
    seconds: minutes * 60,
    rate: number('rate', 200),
    faults: number('faults', Math.ceil(minutes * 6) + 2),
    redis: values.redis,
    together: values.together,
    hostileSeconds: values.hostile ? number('seconds', 30) : null,
    processes: Math.max(1, number('processes', 2)),
    ...(values.only !== undefined && { only: new RegExp(values.only) }),
  };
}
