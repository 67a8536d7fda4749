import Joi from 'joi';
import { visibilityOf } from '../../http/actor.js';
import { type AnyRoute, route } from '../../http/route.js';
import { describeLive } from './asyncapi.js';
import { type Delays, HOPS } from './delays.js';
import type { BoardReader } from './live.queries.js';
import { serverMessages } from './live.schema.js';

export interface LiveRouteDeps {
  readonly readBoard: BoardReader;
  readonly delays: Delays;
  readonly connections: (accountId: string) => number;
}

const hop = Joi.object({
  count: Joi.number().integer().required(),
  p50: Joi.number().allow(null).required().description('Milliseconds.'),
  p99: Joi.number().allow(null).required().description('Milliseconds.'),
});

const health = Joi.object({
  window_seconds: Joi.number().integer().required(),
  connections: Joi.number().integer().required().description("The account's, on the process that answers."),
  delays: Joi.object(Object.fromEntries(HOPS.map((name) => [name, hop.required()]))).required(),
});

export function createLiveRoutes({ readBoard, delays, connections }: LiveRouteDeps): readonly AnyRoute[] {
  return [
    route({
      method: 'get',
      path: '/api/calls/live/',
      summary: 'Calls in progress',
      description: 'The calls in progress that the caller may see, as of `seq`: the snapshot of `/live`.',
      tag: 'Live',
      access: 'bearer',
      scope: 'calls:read',
      query: Joi.object({}),
      responses: { 200: { description: 'The board.', schema: serverMessages.snapshot as Joi.Schema } },
      handle: ({ actor }) => readBoard(visibilityOf(actor)),
    }),
    route({
      method: 'get',
      path: '/api/live/health/',
      summary: 'Delays of live events',
      description:
        "How long the account's call events of the last five minutes took, hop by hop, on the process that answers " +
        '(events are measured where the account has a live connection).',
      tag: 'Live',
      access: 'bearer',
      scope: 'calls:read',
      query: Joi.object({}),
      responses: { 200: { description: 'Delays.', schema: health } },
      handle: ({ actor }) => ({
        window_seconds: 300,
        connections: connections(actor.accountId),
        delays: delays.summary(actor.accountId),
      }),
    }),
    route({
      method: 'get',
      path: '/asyncapi.json',
      summary: 'AsyncAPI document of the live channel',
      tag: 'Documentation',
      access: 'public',
      responses: { 200: { description: 'AsyncAPI 3.0.', contentType: 'application/json' } },
      handle: () => describeLive(),
    }),
  ];
}
