import type { Queue as BullQueue } from 'bullmq';

const LOOK_EVERY_MS = 15_000;

export interface Schedule {
  readonly name: string;
  readonly payload: unknown;
  readonly everyMs: number;
}

type Ask = <T>(question: (queue: BullQueue) => Promise<T>) => Promise<T>;

export interface Schedules {
  /** Does not fail while the backend is away: the schedule begins when it is back. */
  add(schedule: Schedule): Promise<void>;
  stop(): void;
}

/**
 * Keeps the periodic jobs going. BullMQ makes the next run when one begins, so a backend that forgot everything, or
 * that was away in that moment, would end them for good: every process looks now and then whether each has a next run.
 */
export function createSchedules(ask: Ask, onError: (error: unknown) => void): Schedules {
  const schedules = new Map<string, Schedule>();

  async function assert({ name, payload, everyMs }: Schedule): Promise<void> {
    const known = await ask((queue) => queue.getJobScheduler(name));
    const isDue = known?.next === undefined || known.next < Date.now() - Math.max(3 * everyMs, LOOK_EVERY_MS);
    if (known && Number(known.every) === everyMs && !isDue) return;
    // Not tried again: the next run comes by itself.
    const template = { name, data: payload, opts: { attempts: 1 } };
    await ask((queue) => queue.upsertJobScheduler(name, { every: everyMs }, template));
  }

  const timer = setInterval(() => {
    for (const schedule of schedules.values()) assert(schedule).catch(onError);
  }, LOOK_EVERY_MS);
  timer.unref();

  return {
    async add(schedule) {
      schedules.set(schedule.name, schedule);
      await assert(schedule).catch(onError);
    },
    stop: () => clearInterval(timer),
  };
}
