import type { Knex } from 'knex';
import type { Metrics } from './metrics.js';
import type { Queue } from './queue/queue.js';

/** What tarn, Knex's pool, tells of itself. */
interface Pool {
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
}

/** Measured when they are asked for: the pool of database connections, and the queue's jobs. */
export function addGauges(metrics: Metrics, { db, queue }: { readonly db: Knex; readonly queue: Queue }): void {
  const connections = metrics.gauge(
    'switchboard_database_connections',
    'Connections of the pool by state; `awaited` counts those who wait for one.',
    ['state'],
    () => {
      const pool = db.client.pool as Pool;
      connections.set({ state: 'used' }, pool.numUsed());
      connections.set({ state: 'free' }, pool.numFree());
      connections.set({ state: 'awaited' }, pool.numPendingAcquires());
    },
  );
  const jobs = metrics.gauge(
    'switchboard_queue_jobs',
    'Jobs by state, of the whole installation.',
    ['state'],
    async () => {
      jobs.reset();
      // While the queue is away there is nothing to tell, and the other metrics are wanted all the more.
      const counts = await queue.counts().catch(() => null);
      for (const [state, count] of Object.entries(counts ?? {})) jobs.set({ state }, count);
    },
  );
}
