import type { Queue as BullQueue } from 'bullmq';

/**
 * The queue as the features see it. It carries wake-ups and periodic work only: what must not be lost is in the
 * database before a job is added, so a job that is dropped, repeated or late changes nothing but the delay.
 *
 * A feature declares its jobs by merging into JobMap:
 *   declare module '../../platform/queue/queue.js' { interface JobMap { drain: Record<string, never> } }
 */
// biome-ignore lint/suspicious/noEmptyInterface: features merge their jobs into it
export interface JobMap {}

export type JobName = keyof JobMap & string;

export type JobHandler<N extends JobName = JobName> = (payload: JobMap[N]) => Promise<void>;

export type JobHandlers = { readonly [N in JobName]?: JobHandler<N> };

export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

export interface Queue {
  add<N extends JobName>(name: N, payload: JobMap[N]): Promise<void>;
  /** Runs the job every `everyMs`, once in the whole installation however many processes ask for it. */
  schedule<N extends JobName>(name: N, payload: JobMap[N], everyMs: number): Promise<void>;
  /** Starts working off jobs in this process; `concurrency` jobs at once (default 4). */
  work(handlers: JobHandlers, options?: { readonly concurrency?: number }): Promise<void>;
  /** Lets the jobs that run here finish and takes no more; adding still works. */
  rest(): Promise<void>;
  counts(): Promise<QueueCounts>;
  /** BullMQ's own object, for its dashboard alone; another one after an outage. */
  dashboard(): BullQueue;
  /** Whether the backend answers now. */
  isReady(): Promise<boolean>;
  close(): Promise<void>;
}
