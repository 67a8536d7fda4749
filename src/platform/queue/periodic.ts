import type { JobHandlers, JobMap, JobName, Queue } from './queue.js';

/** The jobs that carry nothing. */
type PlainJobName = { [N in JobName]: Record<string, never> extends JobMap[N] ? N : never }[JobName];

/**
 * What a feature wants done again and again, once in the whole installation, by whichever process plays the role
 * worker and is free. Adding the job to the queue does it at once.
 */
export interface PeriodicJob<N extends PlainJobName = PlainJobName> {
  readonly name: N;
  readonly everyMs: number;
  run(): Promise<unknown>;
}

export async function workPeriodically(queue: Queue, jobs: readonly PeriodicJob[]): Promise<void> {
  const handlers: JobHandlers = Object.fromEntries(jobs.map(({ name, run }) => [name, async () => void (await run())]));
  await queue.work(handlers);
  // Side by side: while the backend is away each of them waits for it.
  await Promise.all(jobs.map(({ name, everyMs }) => queue.schedule(name, {}, everyMs)));
}
