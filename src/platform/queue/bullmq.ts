import type { Queue as BullQueue, Job, Worker } from 'bullmq';
import { AppError, type ErrorKind } from '../../lib/errors.js';
import { type Logger, throttledWarn } from '../log.js';
import type { Metrics } from '../metrics.js';
import { NO_TRACING, type Tracing } from '../tracing.js';
import { openPostgresBackend, openRedisBackend, type QueueBackend } from './backends.js';
import * as bullmq from './library.js';
import type { JobHandler, JobHandlers, Queue } from './queue.js';
import { createSchedules } from './schedules.js';
import { createStandIn } from './stand-in.js';

export interface QueueOptions {
  /** Null: the queue runs on PostgreSQL. */
  readonly redisUrl: string | null;
  readonly databaseUrl: string;
  readonly log: Logger;
  /** Keeps installations that share one Redis apart. */
  readonly prefix?: string;
  readonly metrics?: Metrics;
  readonly tracing?: Tracing;
}

const NAME = 'switchboard';
const ADD_TIMEOUT_MS = 5000;
const CLOSE_TIMEOUT_MS = 4000;
const MOST_ATTEMPTS = 5;

/** Failures that may be gone the next time; whatever else an AppError says stays true however often it is tried. */
const PASSING: ReadonlySet<ErrorKind> = new Set(['unavailable', 'rate_limited', 'internal']);

const unavailable = (cause?: unknown): AppError =>
  new AppError('unavailable', 'queue_unavailable', 'The queue does not answer.', { cause });

/** The port on BullMQ. Only wake-ups and periodic work run here, so everything is bounded and nothing is waited for long. */
export function createQueue(options: QueueOptions): Queue {
  const { redisUrl, databaseUrl, log, prefix = NAME } = options;
  const onError = throttledWarn(log, 'queue backend');
  const backend =
    redisUrl === null ? openPostgresBackend(databaseUrl, onError) : openRedisBackend(redisUrl, prefix, onError);
  const producer = keepProducer(backend, onError);
  const run = runner(options);
  const workers: Worker[] = [];

  async function ask<T>(question: (queue: BullQueue) => Promise<T>): Promise<T> {
    if (!(await backend.isUp())) throw unavailable();
    try {
      return await within(ADD_TIMEOUT_MS, question(producer.queue()));
    } catch (error) {
      throw unavailable(error);
    }
  }
  const schedules = createSchedules(ask, onError);
  let handled: JobHandlers = {};
  const standIn = createStandIn(backend.isUp, (name, data) => run(handled, { name, data, attemptsMade: 0 }));
  async function rest(): Promise<void> {
    schedules.stop();
    backend.leave();
    await standIn.stop();
    await Promise.all(workers.splice(0).map(closeWorker));
  }

  return {
    add: async (name, payload) => void (await ask((queue) => queue.add(name, payload))),
    async schedule(name, payload, everyMs) {
      standIn.add({ name, payload, everyMs });
      await schedules.add({ name, payload, everyMs });
    },
    async work(handlers, { concurrency = 4 } = {}) {
      await backend.check();
      handled = { ...handled, ...handlers };
      standIn.start();
      workers.push(openWorker(backend, (job) => run(handlers, job), { concurrency, onError }));
    },
    async counts() {
      const counts = await ask((queue) => queue.getJobCounts('waiting', 'active', 'delayed', 'failed'));
      const of = (state: string): number => counts[state] ?? 0;
      return { waiting: of('waiting'), active: of('active'), delayed: of('delayed'), failed: of('failed') };
    },
    isReady: () =>
      ask((queue) => queue.getJobCounts('active')).then(
        () => true,
        () => false,
      ),
    dashboard: () => producer.queue(),
    rest,
    async close() {
      await rest();
      await producer.close();
      await backend.close();
    },
  };
}

/** BullMQ remembers a first connection that failed for ever; a producer to which that happened is made anew. */
function keepProducer(backend: QueueBackend, onError: (error: unknown) => void) {
  let closed = false;
  let retry: NodeJS.Timeout | undefined;
  let queue = open();

  function open(): BullQueue {
    const { adding: connection, prefix, factory } = backend;
    const made = new bullmq.Queue(
      NAME,
      {
        connection,
        prefix,
        streams: { events: { maxLen: 1000 } },
        defaultJobOptions: {
          attempts: MOST_ATTEMPTS,
          backoff: { type: 'exponential', delay: 1000 },
          removeOnComplete: true,
          removeOnFail: { age: 604_800, count: 1000 },
        },
      },
      factory,
    ) as unknown as BullQueue;
    made.on('error', onError);
    made.waitUntilReady().catch(openAgain);
    return made;
  }

  /** Not before the backend answers: BullMQ never takes back what it hangs on PostgreSQL's pool. */
  function openAgain(): void {
    if (closed) return;
    const reopen = (): void => {
      if (!closed) queue = open();
    };
    retry = setTimeout(() => void backend.check().then(reopen, openAgain), 1000);
  }

  return {
    queue: () => queue,
    async close() {
      closed = true;
      clearTimeout(retry);
      // Closing waits for a connection that may never come.
      if (await backend.isUp()) await within(1000, queue.close()).catch(onError);
    },
  };
}

interface WorkerParts {
  readonly concurrency: number;
  readonly onError: (error: unknown) => void;
}

function openWorker(backend: QueueBackend, process: (job: Job) => Promise<void>, parts: WorkerParts): Worker {
  const { working: connection, prefix, factory } = backend;
  const worker = new bullmq.Worker(
    NAME,
    process,
    {
      connection,
      prefix,
      concurrency: parts.concurrency,
      // A stalled job is one whose process died: it is given to another, and that is no fault of the job.
      maxStalledCount: 100,
      runRetryDelay: 1000,
    },
    factory,
  ) as unknown as Worker;
  worker.on('error', parts.onError);
  return worker;
}

/** Lets the jobs that run finish; where the backend is away, lets go of them (they are found stalled later). */
async function closeWorker(worker: Worker): Promise<void> {
  await within(CLOSE_TIMEOUT_MS, worker.close()).catch(() => within(500, worker.disconnect()).catch(() => undefined));
}

/** Runs a job with its handler and decides by the error's kind whether it is worth another try. */
function runner({ log, metrics, tracing = NO_TRACING }: QueueOptions) {
  const seconds = metrics?.histogram('switchboard_job_seconds', 'Jobs by name and outcome.', ['job', 'outcome']);
  return async (handlers: JobHandlers, job: Pick<Job, 'name' | 'data' | 'attemptsMade'>): Promise<void> => {
    const handle = (handlers as Readonly<Record<string, JobHandler>>)[job.name];
    if (!handle) {
      log.warn({ job: job.name }, 'no handler for this job');
      return;
    }
    const started = performance.now();
    const note = (outcome: 'done' | 'failed'): number => {
      const ms = performance.now() - started;
      seconds?.observe({ job: job.name, outcome }, ms / 1000);
      return Math.round(ms);
    };
    try {
      await tracing.span({ name: `job ${job.name}`, kind: 'consumer' }, () => handle(job.data as never));
      log.debug({ job: job.name, ms: note('done') }, 'job');
    } catch (error) {
      const isPassing = !(error instanceof AppError) || PASSING.has(error.kind);
      log.error({ err: error, job: job.name, ms: note('failed'), attempt: job.attemptsMade + 1, isPassing }, 'job');
      throw isPassing ? error : new bullmq.UnrecoverableError(error.message);
    }
  };
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
