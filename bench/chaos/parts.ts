import { ADMIN, SECRET_TEXT } from '../lib/installation.js';
import { openDatabase } from './database.js';
import type { Targets } from './faults.js';
import { createMember, type Member } from './processes.js';
import { openRedis } from './redis.js';
import type { Wire } from './wire.js';
import { startWires } from './wires.js';

export interface PartsWish {
  readonly folder: string;
  readonly publicUrl: string;
  readonly redis: boolean;
  /** Processes of each role. */
  readonly processes: number;
  /** Each process has all roles, whatever it is named by. */
  readonly together: boolean;
}

/** Takes what undoes a part, in the order in which the parts were made. */
export type Defer = (undo: () => unknown) => void;

/** An installation of its own: each process has a wire to the database, and one to Redis. */
export async function openParts(wish: PartsWish, defer: Defer) {
  const { folder, publicUrl, redis: wantsRedis, processes, together } = wish;
  const database = await openDatabase(folder);
  defer(() => database.stop());
  const redis = wantsRedis ? await openRedis(folder) : null;
  defer(() => redis?.kill());
  const wires = startWires();
  defer(() => wires.close());
  const toDatabase = new Map<string, Wire>();
  const toRedis = new Map<string, Wire>();
  const members: Member[] = [];
  for (const role of ['api', 'worker', 'live'] as const) {
    for (let place = 1; place <= processes; place += 1) {
      const name = `${role}-${place}`;
      const wire = await wires.open(database.port);
      toDatabase.set(name, wire);
      const second = redis && (await wires.open(redis.port));
      if (second) toRedis.set(name, second);
      const env = {
        ...settings(folder, publicUrl),
        ROLES: together ? 'api,worker,live' : role,
        DATABASE_URL: database.urlThrough(wire.port),
        ...(second && { REDIS_URL: `redis://127.0.0.1:${second.port}` }),
      };
      members.push(await createMember({ ...{ name, role, folder }, env }));
    }
  }
  defer(() => Promise.all(members.map((member) => member.kill())));
  await startAll(members);
  return { members, database, redis, toDatabase, toRedis } satisfies Targets;
}

const settings = (folder: string, publicUrl: string): Record<string, string> => ({
  ...{ DATA_DIR: folder, JWT_SECRET: SECRET_TEXT, ENCRYPTION_KEY: SECRET_TEXT, PUBLIC_URL: publicUrl },
  ...{ RATE_LIMITS: 'off', ACCESS_TOKEN_TTL: '86400', LOG_LEVEL: 'warn', DATABASE_POOL: '8' },
  ...{ ADMIN_USERNAME: ADMIN.username, ADMIN_PASSWORD: ADMIN.password },
});

/** The first one migrates and makes the operator. */
async function startAll([first, ...others]: readonly Member[]): Promise<void> {
  first?.start();
  await first?.ready();
  for (const member of others) member.start();
  await Promise.all(others.map((member) => member.ready()));
}
