import Joi from 'joi';
import { decodeIdCursor, type PageQuery, pageReply } from '../../http/pagination.js';
import { type AnyRoute, Reply, route } from '../../http/route.js';
import { presentErasure } from './erasure.present.js';
import { erasureAnswer, erasurePage, newErasure } from './erasure.schema.js';
import type { ErasureService } from './erasure.service.js';

type None = Record<string, string>;

const LIST = 'erasures';
const ADMIN = { tag: 'Retention and erasure', access: 'bearer', role: 'admin' } as const;

export const erasureRoutes = (service: ErasureService): AnyRoute[] => [
  route<None, unknown, { readonly phone_number: string }>({
    ...ADMIN,
    method: 'post',
    path: '/api/erasures/',
    summary: 'Make a party’s number unreadable',
    description:
      'In the account’s call logs (parties, tags, notes, ids into which a carrier wrote it), events and stored ' +
      'webhooks, in every spelling. A pseudonym, the same each time, takes its place, so that counts stay true; calls ' +
      'and webhooks themselves stay, and late webhooks still find their calls. What comes later with the number, or is ' +
      'replayed, is recorded with the pseudonym. It is done within seconds to minutes; ' +
      'the number itself is kept, encrypted, only until then. It cannot be undone.',
    scope: 'calls:write',
    body: newErasure,
    status: 202,
    responses: {
      202: { description: 'It is being done.', schema: erasureAnswer, headers: { Location: 'How far it is.' } },
    },
    async handle({ actor, body }) {
      const erasure = await service.erase(actor, body.phone_number);
      return new Reply(presentErasure(erasure), { headers: { Location: `/api/erasures/${erasure.id}/` } });
    },
  }),
  route<None, PageQuery>({
    ...ADMIN,
    method: 'get',
    path: '/api/erasures/',
    summary: 'The erasures of the account, newest first',
    scope: 'calls:read',
    query: erasurePage,
    responses: { 200: { description: 'A page of erasures.', schema: Joi.array().items(erasureAnswer) } },
    async handle({ actor, query, url }) {
      const page = await service.list(actor, { limit: query.limit, before: decodeIdCursor(LIST, query.cursor) });
      return pageReply(LIST, url, { ...page, items: page.items.map(presentErasure) });
    },
  }),
  route<{ readonly id: string }>({
    ...ADMIN,
    method: 'get',
    path: '/api/erasures/:id/',
    summary: 'How far an erasure is',
    scope: 'calls:read',
    responses: { 200: { description: 'The erasure.', schema: erasureAnswer } },
    handle: async ({ actor, params }) => presentErasure(await service.get(actor, params.id)),
  }),
];
