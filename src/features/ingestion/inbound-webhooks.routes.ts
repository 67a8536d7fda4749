import Joi from 'joi';
import { decodeCursor, pageReply } from '../../http/pagination.js';
import { type AnyRoute, route } from '../../http/route.js';
import { readOwnTime } from '../../http/time.js';
import { invalidFields } from '../../lib/errors.js';
import { isId } from '../../lib/ids.js';
import { presentGroup, presentWebhook, presentWebhookInFull } from './inbound-webhooks.present.js';
import type { WebhookPlace } from './inbound-webhooks.queries.js';
import {
  queuedAnswer,
  type WebhookListQuery,
  webhookAnswer,
  webhookFilters,
  webhookFiltersBody,
  webhookInFullAnswer,
  webhookPage,
  webhookSummaryAnswer,
} from './inbound-webhooks.schema.js';
import type { InboundWebhooksService } from './inbound-webhooks.service.js';
import type { WebhookFilters } from './webhook-filters.js';

type Id = { readonly id: string };
type None = Record<string, string>;

const LIST = 'inbound_webhooks';
const COMMON = { tag: 'Inbound webhooks', access: 'bearer', role: 'admin' } as const;
const SEEN =
  'Seen by the admins of the account that the call belongs to or that owns the carrier; what belongs to nobody on a ' +
  'shared carrier by operators.';
const REPLAY =
  'Processes what is stored once more, as if it came now; whatever the webhook’s status, and as often as you like: ' +
  'what is right already does not change.';

function placeOf(cursor: string | undefined): WebhookPlace | null {
  if (cursor === undefined) return null;
  const [time, id] = decodeCursor(LIST, cursor, 2);
  const receivedAt = readOwnTime(time);
  if (receivedAt !== null && isId(id)) return { receivedAt, id };
  throw invalidFields({ cursor: ['Not a valid cursor.'] });
}

export function inboundWebhooksRoutes(service: InboundWebhooksService): AnyRoute[] {
  return [...readingRoutes(service), ...replayRoutes(service)];
}

function readingRoutes(service: InboundWebhooksService): AnyRoute[] {
  return [
    route<None, WebhookListQuery>({
      ...COMMON,
      method: 'get',
      path: '/api/inbound_webhooks/',
      summary: 'List the webhooks that carriers delivered, newest first',
      description: SEEN,
      scope: 'webhooks:read',
      query: webhookPage,
      responses: {
        200: {
          description: 'The webhooks.',
          schema: Joi.array().items(webhookAnswer),
        },
      },
      async handle({ actor, query, url }) {
        const { limit, cursor, ...filters } = query;
        const page = await service.list(actor, { filters, limit, after: placeOf(cursor) });
        return pageReply(LIST, url, { ...page, items: page.items.map(presentWebhook) });
      },
    }),
    route<None, WebhookFilters>({
      ...COMMON,
      method: 'get',
      path: '/api/inbound_webhooks/summary/',
      summary: 'What did not become a part of a call, grouped by reason',
      description: `Without \`status\`: those that are waiting, ignored or failed. The most common first. ${SEEN}`,
      scope: 'webhooks:read',
      query: webhookFilters,
      responses: { 200: { description: 'The groups.', schema: Joi.array().items(webhookSummaryAnswer) } },
      handle: async ({ actor, query }) => (await service.summarise(actor, query)).map(presentGroup),
    }),
    route<Id>({
      ...COMMON,
      method: 'get',
      path: '/api/inbound_webhooks/:id/',
      summary: 'One webhook: what came, what was read from it, what it caused',
      description: SEEN,
      scope: 'webhooks:read',
      responses: { 200: { description: 'The webhook.', schema: webhookInFullAnswer } },
      async handle({ actor, params }) {
        const { webhook, understood, events } = await service.inspect(actor, params.id);
        return presentWebhookInFull(webhook, understood, events);
      },
    }),
  ];
}

function replayRoutes(service: InboundWebhooksService): AnyRoute[] {
  const queued = { 202: { description: 'How many are processed again.', schema: queuedAnswer } };
  return [
    route<None, WebhookFilters, WebhookFilters>({
      ...COMMON,
      method: 'post',
      path: '/api/inbound_webhooks/replay/',
      summary: 'Process many webhooks again',
      description:
        `${REPLAY} The filters are those of the list, as query or as members of the body (both: each must hold); ` +
        'without any, everything. Many are queued little by little, so that what arrives now does not wait.',
      scope: 'webhooks:write',
      query: webhookFilters,
      body: webhookFiltersBody,
      status: 202,
      responses: queued,
      async handle({ actor, query, body, note }) {
        const count = await service.replayAll(actor, [query, body]);
        note({ queued: count });
        return { queued: count };
      },
    }),
    route<Id>({
      ...COMMON,
      method: 'post',
      path: '/api/inbound_webhooks/:id/replay/',
      summary: 'Process a webhook again',
      description: REPLAY,
      scope: 'webhooks:write',
      status: 202,
      responses: queued,
      handle: async ({ actor, params }) => ({ queued: await service.replay(actor, params.id) }),
    }),
  ];
}
