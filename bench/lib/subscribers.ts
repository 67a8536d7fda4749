/** A process full of subscribers: told what to do by messages, tells what it got. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { preciseNow } from './http-load.js';
import { openLightSocket } from './light-socket.js';

export interface Crowd {
  /** Resolves when all of them have got so many events together; answers when the last one came, epoch ms. */
  expect(events: number): Promise<number>;
  /** What came since, with the arrivals, epoch ms. */
  take(): Promise<readonly Arrival[]>;
  leave(): Promise<void>;
}

export interface Arrival {
  readonly at: number;
  readonly text: string;
}

export interface CrowdOptions {
  readonly port: number;
  readonly namespace: string;
  readonly auth?: object;
  readonly event: string;
  readonly count: number;
  /** Whether the events' texts are kept for `take`. */
  readonly keeps: boolean;
}

type Order = { readonly expect: number } | { readonly take: true };

/** Connects a crowd in a process of its own. */
export async function gatherCrowd(options: CrowdOptions): Promise<Crowd> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(options)], { execArgv: ['--import', 'tsx'] });
  const ask = async <T>(order: Order): Promise<T> => {
    const answered = answerOf<T>(child);
    child.send(order);
    return answered;
  };
  await answerOf(child);
  return {
    expect: (events) => ask({ expect: events }),
    take: () => ask({ take: true }),
    async leave() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const signal = new AbortController();
  const lost = once(child, 'exit', signal).then(() => Promise.reject(new Error('The subscribers were lost.')));
  lost.catch(() => undefined);
  const [answer] = await Promise.race([once(child, 'message'), lost]);
  signal.abort();
  return (answer as { value: T }).value;
}

async function connectAll({ count, keeps, ...options }: CrowdOptions): Promise<void> {
  const arrivals: Arrival[] = [];
  let got = 0;
  let expected = Number.POSITIVE_INFINITY;
  let lastAt = 0;
  const reply = (value: unknown): void => void process.send?.({ value });

  function check(): void {
    if (got < expected) return;
    expected = Number.POSITIVE_INFINITY;
    got = 0;
    reply(lastAt);
  }
  function onEvent(text: string): void {
    got += 1;
    lastAt = preciseNow();
    if (keeps) arrivals.push({ at: lastAt, text });
    check();
  }

  const sockets: Socket[] = [];
  for (let place = 0; place < count; place += 20) {
    const some = Array.from({ length: Math.min(20, count - place) }, () => openLightSocket({ ...options, onEvent }));
    sockets.push(...(await Promise.all(some)));
  }
  process.on('message', (order: Order) => {
    if ('take' in order) return reply(arrivals.splice(0));
    expected = order.expect;
    check();
  });
  for (const socket of sockets) socket.once('close', () => process.exit(1));
  reply(sockets.length);
}

if (process.send && process.argv[1] === fileURLToPath(import.meta.url)) {
  await connectAll(JSON.parse(process.argv[2] ?? '{}') as CrowdOptions);
}
