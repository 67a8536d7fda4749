/**
 * Carrier webhooks: from the door over the inbox to call logs.
 *
 * @example wire.ts
 * const ingestion = createIngestion(platform, { eventLog, carriers, calls, callIds: erasureRule.callIds });
 * createApp({ rawDoors: [ingestion.door] }); // role api
 * workPeriodically(queue, ingestion.jobs);   // role worker
 */
import type { Middleware } from 'koa';
import type { AnyRoute } from '../../http/route.js';
import { run } from '../../platform/db/statement.js';
import type { Platform } from '../../platform/platform.js';
import type { PeriodicJob } from '../../platform/queue/periodic.js';
import { type CallsWriter, closeLostCalls, numberKey } from '../calls/index.js';
import type { Carriers } from '../carriers/index.js';
import type { EventLog } from '../events/index.js';
import { type BacklogWatch, watchBacklog } from './backlog-watch.js';
import { type BatchThreadDeps, createBatchThread } from './batch-thread.js';
import type { FindCallIdRule } from './call-ids.js';
import { createCarrierDelays, deleteOldDelays } from './carrier-delays.js';
import { carrierStatisticsRoutes } from './carrier-statistics.js';
import { createDeliveryCounter } from './delivery-counter.js';
import { createDrain } from './drain.js';
import { createFreshWebhooks } from './fresh-webhooks.js';
import { type ImportResult, importWebhooks, type SavedWebhook } from './import-webhooks.js';
import { inboundWebhooksRoutes } from './inbound-webhooks.routes.js';
import { createInboundWebhooksService } from './inbound-webhooks.service.js';
import { takeUpWebhooks } from './inbox.repository.js';
import { createInboxBatcher } from './inbox-batcher.js';
import { webhookDoor } from './ingestion.routes.js';
import { createIngestionService } from './ingestion.service.js';
import { sweepOldWebhooks, sweepWaiting, takeUpMissed } from './ingestion.sweeper.js';
import { createDrainJob, createPoke, ingestionJobs, watchInbox } from './ingestion.worker.js';
import { createIngestionMetrics } from './ingestion-metrics.js';
import { type RebuildResult, type RebuildWish, rebuildCalls } from './rebuild-calls.js';
import { drainWithReplays } from './webhook-replays.js';

export { type BatchWorker, createBatchWorker } from './batch-thread-inside.js';
export { WEBHOOK_PATHS } from './door-description.js';
export type { ImportResult, SavedWebhook } from './import-webhooks.js';
export type { RebuildResult, RebuildWish } from './rebuild-calls.js';
export { eraseNextWebhooks } from './webhook-erasure.js';

export type StartThread = BatchThreadDeps['start'];

export interface IngestionParts {
  readonly eventLog: EventLog;
  readonly carriers: Carriers;
  readonly calls: CallsWriter;
  readonly callIds: FindCallIdRule;
  /** For crowds of webhooks, where this process both stores webhooks and works them off. */
  readonly startThread?: StartThread | undefined;
}

export interface Ingestion {
  readonly door: Middleware;
  readonly routes: readonly AnyRoute[];
  /** Jobs of the role worker. */
  readonly jobs: readonly PeriodicJob[];
  /** Role worker: works off what this process stores at once, and looks into the inbox when the queue is out of reach. */
  watch(): void;
  readonly backlog: BacklogWatch;
  /** Works off what is in the inbox, in this process. */
  drain(): Promise<void>;
  /** Call logs anew from the kept webhooks; `tell` gets a line for each that changes. */
  rebuildCalls(wish: RebuildWish, tell: (line: string) => void): Promise<RebuildResult>;
  /** Stores saved webhooks of a carrier. @throws AppError 404 */
  importWebhooks(carrierId: string, saved: AsyncIterable<SavedWebhook> | Iterable<SavedWebhook>): Promise<ImportResult>;
  /** Queues the replay of webhooks for numbers that nobody held until now. */
  tellClaimed(numbers: readonly string[]): Promise<void>;
}

export function createIngestion(platform: Platform, parts: IngestionParts): Ingestion {
  const { db, clock, log, queue, config, closer } = platform;
  const { eventLog, carriers, calls, callIds, startThread } = parts;
  const metrics = createIngestionMetrics(platform.metrics);
  const backlog = watchBacklog(db, config.maxBacklog, (found) => metrics.backlog(found, clock.now()));
  const deliveries = createDeliveryCounter(db, log);
  const delays = createCarrierDelays({ db, clock, log, metrics: platform.metrics });
  const fresh = createFreshWebhooks();
  const thread = startThread && createBatchThread({ start: startThread, wakeups: platform.wakeups, log });
  const drain = createDrain({
    ...{ db, eventLog, calls, carriers, callIds, clock, log, metrics, delays, fresh, thread },
    tracing: platform.tracing,
  });
  const drainJob = createDrainJob(drainWithReplays(drain, db), { looksAgain: !config.roles.includes('api') });
  const call = createPoke(queue, (error) =>
    log.debug({ err: error }, 'poke was lost; the scheduled drain makes up for it'),
  );
  let worksHere = false;
  const watched = (run: Promise<void>): void =>
    void run.catch((error) => log.warn({ err: error }, 'inbox cannot be worked off now'));
  const work = (): void => watched(drainJob.wake());
  // Whoever works begins at once: a job from a process to itself would only be a detour over the queue.
  const poke = (): void => (worksHere ? work() : call());
  const batcher = createInboxBatcher(db, {
    onStored(webhooks) {
      if (!worksHere) return;
      if (fresh.put(webhooks, drainJob.isBehind() && thread?.isReady())) watched(drainJob.workOffFresh());
      else work();
    },
    isBehind: () => worksHere && drainJob.isBehind(),
    soonFree: () => (worksHere ? drainJob.soonFree() : null),
    storeAndWorkOff: (webhooks) => (worksHere ? drainJob.storeAndWorkOff(webhooks) : null),
  });
  closer.defer('inbox', async () => {
    await batcher.drained();
    await deliveries.close();
    backlog.stop();
    call.stop();
    await drainJob.stop();
    await thread?.close();
    await delays.close();
  });
  const service = createIngestionService({
    carriers,
    batcher,
    deliveries,
    clock,
    metrics,
    // What is worked off here is known here already.
    poke: () => worksHere || call(),
    backlog,
  });
  return {
    door: webhookDoor(service, () => platform.publicUrl()),
    routes: [
      ...inboundWebhooksRoutes(
        createInboundWebhooksService({ db, clock, carriers, countDeliveries: () => deliveries.flush(), poke }),
      ),
      ...carrierStatisticsRoutes({ db, clock, carriers, flush: () => delays.flush() }),
    ],
    backlog,
    jobs: ingestionJobs(drainJob, {
      sweepWaiting: async () => {
        if ((await takeUpMissed(db, clock)) > 0) poke();
        await sweepWaiting(db, clock);
      },
      closeLostCalls: async () =>
        metrics.lost(await closeLostCalls({ eventLog, clock, lostCallAfter: config.lostCallAfter })),
      async deleteOldWebhooks() {
        await sweepOldWebhooks(db, clock, config.webhookRetention);
        await deleteOldDelays(db, clock.now());
      },
    }),
    drain: () => drainJob.run(),
    rebuildCalls: (wish, tell) => rebuildCalls({ db, clock, eventLog, calls, carriers, callIds }, wish, tell),
    importWebhooks: (carrierId, saved) => importWebhooks({ carriers, batcher, clock }, carrierId, saved),
    watch() {
      worksHere = true;
      const watching = watchInbox(drainJob, work);
      closer.defer('watch over the inbox', () => watching.stop());
    },
    async tellClaimed(numbers) {
      if (numbers.length > 0 && (await run(db, takeUpWebhooks(numbers.map(numberKey)))) > 0) poke();
    },
  };
}
