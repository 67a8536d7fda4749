import Joi from 'joi';
import { type AnyRoute, route } from '../../http/route.js';
import type { Queue } from '../../platform/queue/queue.js';

const count = Joi.number().integer().min(0).required();

const answer = Joi.object({
  backend: Joi.string().valid('postgresql', 'redis').required().description('What the queue runs on.'),
  jobs: Joi.object({ waiting: count, active: count, delayed: count, failed: count })
    .required()
    .description('Of the whole installation. Jobs only wake and repeat: what waits in them is never lost.'),
});

export function operationsRoutes(queue: Queue, backend: 'postgresql' | 'redis'): AnyRoute[] {
  return [
    route({
      method: 'get',
      path: '/api/queue/',
      summary: 'Jobs of the queue by state',
      description: 'The queue itself can be looked at in a browser at `/queue/`.',
      tag: 'Operation',
      access: 'bearer',
      role: 'operator',
      responses: {
        200: { description: 'Counts now.', schema: answer },
        503: { description: 'The queue does not answer.' },
      },
      handle: async () => ({ backend, jobs: await queue.counts() }),
    }),
  ];
}
