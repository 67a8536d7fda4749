import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface BenchRedis {
  readonly url: string;
  stop(): Promise<void>;
}

/** A Redis of the benchmark's own (nothing persisted: the queue only carries wake-ups), or a sentence why there is none. */
export async function openRedis(given: string | null | undefined): Promise<BenchRedis | string> {
  if (given === null) return 'Redis was left out (--no-redis).';
  if (given !== undefined) return { url: given, stop: async () => undefined };
  if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).error) {
    return 'Redis was left out: REDIS_URL is not set and redis-server is not on the path.';
  }
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', args, { stdio: 'ignore', cwd: '/tmp' });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  for (let tries = 0; tries < 100 && !(await answers(port)); tries += 1) await pause(50);
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      const ended = once(child, 'exit');
      process.off('exit', end);
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
