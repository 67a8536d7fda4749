import type { Context, Middleware } from 'koa';
import type { Actor } from '../../http/actor.js';
import type { AnyRoute } from '../../http/route.js';
import type { Platform } from '../../platform/platform.js';
import { operationsRoutes } from './operations.routes.js';
import { queueDoor } from './queue-door.js';

export interface OperationsDeps {
  authenticate(ctx: Context): Promise<Actor>;
}

/** For whoever runs the product: the queue, as numbers and as a page. */
export function createOperations({ queue, config }: Platform, { authenticate }: OperationsDeps) {
  return {
    routes: operationsRoutes(queue, config.redisUrl === null ? 'postgresql' : 'redis') as readonly AnyRoute[],
    door: queueDoor(queue, authenticate) as Middleware,
  };
}
