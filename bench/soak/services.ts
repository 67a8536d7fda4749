import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EmbeddedDatabase, startEmbedded } from '../../src/platform/db/embedded.js';
import { freePort } from '../chaos/ports.js';
import { openRedis } from '../chaos/redis.js';
import type { Trouble } from './soak.js';

interface Service extends Trouble {
  readonly url: string;
  stop(): Promise<void>;
}

/** A durable PostgreSQL that is ended as by a loss of power, and comes back at its address. */
export async function openSoakDatabase(folder: string): Promise<Service> {
  const dir = join(folder, 'pg');
  const port = await freePort();
  let ended = (): void => undefined;
  const open = (): Promise<EmbeddedDatabase> =>
    startEmbedded({ dir, port, settings: { max_connections: '300' }, onLost: () => ended() });
  let server = await open();
  return {
    name: 'PostgreSQL',
    url: server.url(),
    async strike() {
      const isOver = new Promise<void>((resolve) => {
        ended = resolve;
      });
      const postmaster = readFileSync(join(dir, 'pg18', 'postmaster.pid'), 'utf8').split('\n')[0];
      // An immediate shutdown: nothing is written any more, the next start recovers as after a crash.
      process.kill(Number(postmaster), 'SIGQUIT');
      await isOver;
      await server.stop();
      server = await open();
    },
    stop: () => server.stop(),
  };
}

/** A Redis that keeps nothing over its deaths. */
export async function openSoakRedis(folder: string): Promise<Service> {
  const redis = await openRedis(folder);
  return {
    name: 'Redis',
    url: `redis://127.0.0.1:${redis.port}`,
    async strike() {
      await redis.kill();
      await redis.start();
    },
    stop: () => redis.kill(),
  };
}
