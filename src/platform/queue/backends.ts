import { setTimeout as wait } from 'node:timers/promises';
import type { BackendFactory, IQueueBackend } from 'bullmq';
import pg from 'pg';
import { QUEUE_SCHEMA } from '../db/migrate.js';
import { TRANSACTION_SETTINGS, watchSilence } from '../db/silent-connections.js';
import { closeRedis, firstAttempt, openRedis } from '../redis.js';
import { assertSchemaCompatibility, createPostgresBackend, createRedisBackend } from './library.js';

/** Connections of one process to PostgreSQL for the queue; one of them only listens. Knex has its own (DATABASE_POOL). */
export const QUEUE_POOL = 4;

// biome-ignore lint/suspicious/noExplicitAny: each backend has its own type of connection, handed back to it alone
type Connection = any;

/** What BullMQ runs on: how to connect the side that adds and the side that works, and whether it answers now. */
export interface QueueBackend {
  readonly factory: BackendFactory<IQueueBackend, Connection>;
  readonly adding: Connection;
  readonly working: Connection;
  readonly prefix: string;
  /** @throws when a worker could not run on it: BullMQ's own would try again thousands of times a second. */
  check(): Promise<void>;
  /** Whether it can be asked now; waits only for the first connection to come or fail. */
  isUp(): Promise<boolean>;
  /** From now on a worker's connection that is lost is not sought again. */
  leave(): void;
  close(): Promise<void>;
}

const PROBE_EVERY_MS = 1000;

/** Asks at most once in so many ms, and answers with what was answered last. */
function remembered(everyMs: number, ask: () => Promise<boolean>): () => Promise<boolean> {
  let askedAt = Number.NEGATIVE_INFINITY;
  let answer = Promise.resolve(false);
  return () => {
    if (performance.now() - askedAt < everyMs) return answer;
    askedAt = performance.now();
    answer = ask();
    return answer;
  };
}

/** Up is a Redis that takes writes: one whose memory or disk is full, or that only replicates, still answers. */
export function openRedisBackend(url: string, prefix: string, onError: (error: unknown) => void): QueueBackend {
  const adding = openRedis(url, onError);
  const settled = firstAttempt(adding);
  const takesWrites = remembered(PROBE_EVERY_MS, () =>
    adding.set(`${prefix}:probe`, '1', 'EX', 60).then(
      () => true,
      (error) => {
        onError(error);
        return false;
      },
    ),
  );
  let closing = false;
  // BullMQ's connections end only when they stop coming back.
  const retryStrategy = (attempt: number) => (closing ? null : Math.min(attempt * 100, 2000));
  return {
    factory: createRedisBackend as BackendFactory<IQueueBackend, Connection>,
    adding,
    // A worker waits at most some seconds for a job before it asks anew.
    working: { url, maxRetriesPerRequest: null, retryStrategy, socketTimeout: 15_000 },
    prefix,
    check: async () => undefined,
    isUp: async () => {
      await settled;
      return adding.status === 'ready' && (await takesWrites());
    },
    leave: () => {
      closing = true;
    },
    close: () => closeRedis(adding),
  };
}

export function openPostgresBackend(url: string, onError: (error: unknown) => void): QueueBackend {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'switchboard queue',
    max: QUEUE_POOL,
    // BullMQ's statements name no schema, and it does not set one on a pool that it did not make.
    options: `-c search_path=${QUEUE_SCHEMA},public`,
    keepAlive: true,
    ...TRANSACTION_SETTINGS,
  });
  const silence = watchSilence(url);
  pool.on('connect', (client) => silence.add(client));
  pool.on('error', onError);
  const factory = createPostgresBackend as unknown as BackendFactory<IQueueBackend, Connection>;
  return {
    factory: (name, options, more) => slowedOnFailure(factory(name, options, more)),
    adding: pool,
    working: pool,
    prefix: '',
    check: async () => void (await assertSchemaCompatibility(pool, QUEUE_SCHEMA)),
    isUp: async () => true,
    leave: () => undefined,
    close: () => pool.end(),
  };
}

/** A worker whose query fails asks again at once; with the answer delayed it asks twice a second. */
function slowedOnFailure(backend: IQueueBackend): IQueueBackend {
  const moveToActive = backend.moveToActive.bind(backend);
  backend.moveToActive = async (...args) => {
    try {
      return await moveToActive(...args);
    } catch (error) {
      await wait(500, undefined, { ref: false });
      throw error;
    }
  };
  return backend;
}
