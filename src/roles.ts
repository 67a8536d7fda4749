import type { Server } from 'node:http';
import type { Middleware } from 'koa';
import type { AnyRoute } from './http/route.js';
import type { Role } from './platform/config.js';
import type { JobHandlers, JobMap, JobName, Queue } from './platform/queue/queue.js';

export interface Schedule {
  readonly name: JobName;
  readonly payload: JobMap[JobName];
  readonly everyMs: number;
}

/** What a feature opens to the outside, by the role that opens it. */
export interface Doors {
  readonly api: {
    readonly routes: readonly AnyRoute[];
    /** Doors that read the raw body themselves. */
    readonly raw: readonly Middleware[];
  };
  readonly live: {
    /** Takes the WebSocket and polling requests of its own path; called before the server listens. */
    attach(server: Server): void;
  };
  readonly worker: {
    readonly jobs: JobHandlers;
    readonly schedules: readonly Schedule[];
    /** Begins what works without the queue. */
    watch(): void;
  };
}

/** The doors that a process with these roles opens; whatever its roles, it has those of health. */
export function openDoors(roles: readonly Role[], doors: Doors, health: readonly AnyRoute[]) {
  const plays = (role: Role): boolean => roles.includes(role);
  return {
    routes: [...health, ...(plays('api') ? doors.api.routes : [])],
    rawDoors: plays('api') ? doors.api.raw : [],
    attach(server: Server): void {
      if (plays('live')) doors.live.attach(server);
    },
    async work(queue: Queue): Promise<void> {
      if (!plays('worker')) return;
      doors.worker.watch();
      await queue.work(doors.worker.jobs);
      for (const { name, payload, everyMs } of doors.worker.schedules) await queue.schedule(name, payload, everyMs);
    },
  };
}
