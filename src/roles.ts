import type { Server } from 'node:http';
import type { Middleware } from 'koa';
import type { AnyRoute } from './http/route.js';
import type { Role } from './platform/config.js';
import { type PeriodicJob, workPeriodically } from './platform/queue/periodic.js';
import type { Queue } from './platform/queue/queue.js';

/** What most features offer: routes to the role api, jobs to the role worker. */
export interface FeatureDoors {
  readonly routes?: readonly AnyRoute[];
  readonly jobs?: readonly PeriodicJob[];
}

/** What the features open to the outside, by the role that opens it. */
export interface Doors {
  readonly api: {
    readonly routes: readonly AnyRoute[];
    /** Doors that read the raw body themselves. */
    readonly raw: readonly Middleware[];
  };
  readonly live: {
    /** What can be told only, or as well, where the connections are; the role api has it too. */
    readonly routes: readonly AnyRoute[];
    /** Takes the WebSocket and polling requests of its own path; called before the server listens. */
    attach(server: Server): void;
  };
  readonly worker: {
    readonly jobs: readonly PeriodicJob[];
    /** Begins what works without the queue. */
    watch(): void;
  };
}

function routesOf(plays: (role: Role) => boolean, { api, live }: Doors): readonly AnyRoute[] {
  if (plays('api')) return api.routes;
  return plays('live') ? live.routes : [];
}

/** The doors that a process with these roles opens; whatever its roles, it has those of health. */
export function openDoors(roles: readonly Role[], doors: Doors, health: readonly AnyRoute[]) {
  const plays = (role: Role): boolean => roles.includes(role);
  return {
    routes: [...health, ...routesOf(plays, doors)],
    rawDoors: plays('api') ? doors.api.raw : [],
    attach(server: Server): void {
      if (plays('live')) doors.live.attach(server);
    },
    async work(queue: Queue): Promise<void> {
      if (!plays('worker')) return;
      doors.worker.watch();
      await workPeriodically(queue, doors.worker.jobs);
    },
  };
}
