import type { PeriodicJob } from '../../src/platform/queue/periodic.js';

/** Does a feature's periodic job now. */
export async function runJob(feature: { readonly jobs: readonly PeriodicJob[] }, name: string): Promise<void> {
  const job = feature.jobs.find((one) => one.name === name);
  if (!job) throw new Error(`There is no job ${name}.`);
  await job.run();
}
