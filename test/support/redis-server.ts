import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createConnection, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface RedisServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** A redis-server of the caller's own, which keeps nothing; undefined where this machine has none. */
export async function startRedisServer(): Promise<RedisServer | undefined> {
  if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status !== 0) return undefined;
  const port = await freePort();
  const child = spawnRedis(port);
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const server = {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      child.stdin?.destroy();
      child.kill('SIGTERM');
      await ended;
    },
  };
  await untilListening(port, child);
  return server;
}

/** The pipe ends with this process, however it ends, and Redis with the pipe. */
function spawnRedis(port: number): ChildProcess {
  const tether = 'exec 3<&0; p=$$; ( ( cat <&3 >/dev/null; kill -TERM $p 2>/dev/null ) & ); exec "$@" 3<&- </dev/null';
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  return spawn('sh', ['-c', tether, 'sh', 'redis-server', ...options], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 500 && child.exitCode === null; tries += 1) {
    if (await accepts(port)) return;
    await pause(10);
  }
  throw new Error('redis-server did not start.');
}

function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const address = probe.address();
  await new Promise((done) => probe.close(done));
  if (address === null || typeof address === 'string') throw new Error('No free port could be found.');
  return address.port;
}
