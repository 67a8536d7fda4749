import type { Schedule } from './schedules.js';

const LOOK_EVERY_MS = 500;

/**
 * Runs the periodic jobs in this process while the backend is away: what waits in the database is worked off a second
 * late instead of not at all. That several processes do so at once harms nobody, because jobs may be repeated.
 */
export function createStandIn(isUp: () => Promise<boolean>, run: (name: string, payload: unknown) => Promise<void>) {
  const schedules = new Map<string, Schedule>();
  const lastRun = new Map<string, number>();
  const running = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    if (await isUp()) return;
    const now = Date.now();
    for (const { name, payload, everyMs } of schedules.values()) {
      if (now - (lastRun.get(name) ?? 0) < everyMs) continue;
      lastRun.set(name, Number.POSITIVE_INFINITY);
      const done: Promise<void> = run(name, payload)
        .catch(() => undefined)
        .finally(() => {
          lastRun.set(name, Date.now());
          running.delete(done);
        });
      running.add(done);
    }
  }

  return {
    add: (schedule: Schedule) => void schedules.set(schedule.name, schedule),
    start() {
      timer ??= setInterval(() => void look(), LOOK_EVERY_MS).unref();
    },
    async stop(): Promise<void> {
      clearInterval(timer);
      await Promise.all(running);
    },
  };
}
