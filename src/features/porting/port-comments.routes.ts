import Joi from 'joi';
import { idSlice, type PageQuery, pageReply } from '../../http/pagination.js';
import { type AnyRoute, route } from '../../http/route.js';
import { commentAnswer, entryAnswer } from './port-answers.schema.js';
import type { PortCommentService } from './port-comments.service.js';
import { presentComment, presentEntry } from './porting.present.js';
import { READ, readerOf, WRITE } from './porting.routes.js';
import { type NewComment, newComment, page } from './porting.schema.js';
import type { PortingService } from './porting.service.js';

type Id = { readonly id: string };

const COMMENTS = '/api/port_orders/:id/comments/';

export const portCommentRoutes = (service: PortCommentService, orders: PortingService): AnyRoute[] => [
  route<Id, PageQuery>({
    ...READ,
    path: COMMENTS,
    summary: 'Comments on a port order, newest first',
    description: 'Accounts see no internal ones.',
    query: page,
    responses: { 200: { description: 'A page of comments.', schema: Joi.array().items(commentAnswer) } },
    async handle({ actor, params, query, url }) {
      const list = `comments:${params.id}`;
      const found = await service.list(actor, params.id, idSlice(list, query));
      const reader = readerOf(actor);
      return pageReply(list, url, { ...found, items: found.items.map((comment) => presentComment(comment, reader)) });
    },
  }),
  route<Id, unknown, NewComment>({
    ...WRITE,
    method: 'post',
    path: COMMENTS,
    summary: 'Comment on a port order, in whatever state it is',
    description:
      'The other side reads it. Internal comments are the operator’s (else 403) and hidden from the account.',
    body: newComment,
    status: 201,
    responses: { 201: { description: 'The comment.', schema: commentAnswer } },
    permit: async ({ actor, params }) => {
      await orders.getOrder(actor, params.id);
    },
    handle: async ({ actor, params, body }) =>
      presentComment(await service.add(actor, params.id, body), readerOf(actor)),
  }),
  route<Id, PageQuery>({
    ...READ,
    path: '/api/port_orders/:id/timeline/',
    summary: 'What happened to a port order, newest first',
    query: page,
    responses: { 200: { description: 'A page of entries.', schema: Joi.array().items(entryAnswer) } },
    async handle({ actor, params, query, url }) {
      const list = `timeline:${params.id}`;
      const found = await service.timeline(actor, params.id, idSlice(list, query));
      const reader = readerOf(actor);
      return pageReply(list, url, { ...found, items: found.items.map((entry) => presentEntry(entry, reader)) });
    },
  }),
];
