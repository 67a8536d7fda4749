import type { Middleware } from 'koa';
import type { AnyRoute } from '../../http/route.js';
import type { Platform } from '../../platform/platform.js';
import { operationsRoutes } from './operations.routes.js';
import { type QueueDoorDeps, queueDoor } from './queue-door.js';

/** For whoever runs the product: the queue, as numbers and as a page. */
export function createOperations({ queue, config }: Platform, deps: QueueDoorDeps) {
  return {
    routes: operationsRoutes(queue, config.redisUrl === null ? 'postgresql' : 'redis') as readonly AnyRoute[],
    door: queueDoor(queue, deps) as Middleware,
  };
}
