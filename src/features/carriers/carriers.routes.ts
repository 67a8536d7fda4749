import Joi from 'joi';
import type { Actor } from '../../http/actor.js';
import { idSlice, type PageQuery, pageReply } from '../../http/pagination.js';
import { type AnyRoute, Reply, route } from '../../http/route.js';
import type { CarrierChanges, NewCarrier } from './carrier.js';
import { presentCarrier, presentCarrierInFull, presentSetup } from './carriers.present.js';
import {
  carrierAnswer,
  carrierChanges,
  carrierInFullAnswer,
  carrierPage,
  carrierSetupAnswer,
  newCarrier,
} from './carriers.schema.js';
import type { CarriersService } from './carriers.service.js';

type Id = { readonly id: string };

const LIST = 'carriers';
const COMMON = { tag: 'Carriers', access: 'bearer', role: 'admin' } as const;
const inFull = { description: 'The carrier.', schema: carrierInFullAnswer };

export function carriersRoutes(service: CarriersService, publicUrl: () => string): AnyRoute[] {
  const permit = async ({ actor, params }: { actor: Actor; params: Id }): Promise<void> => {
    await service.get(actor, params.id);
  };

  return [
    route<Record<string, string>, PageQuery>({
      ...COMMON,
      method: 'get',
      path: '/api/carriers/',
      summary: 'List the account’s carriers, newest first',
      description: 'Operators see the shared ones too.',
      scope: 'carriers:read',
      query: carrierPage,
      responses: { 200: { description: 'The carriers.', schema: Joi.array().items(carrierAnswer) } },
      async handle({ actor, query, url }) {
        const page = await service.list(actor, idSlice(LIST, query));
        return pageReply(LIST, url, { ...page, items: page.items.map((row) => presentCarrier(row, publicUrl())) });
      },
    }),
    route<Record<string, string>, unknown, NewCarrier>({
      ...COMMON,
      method: 'post',
      path: '/api/carriers/',
      summary: 'Set up a line to a provider',
      scope: 'carriers:write',
      body: newCarrier,
      status: 201,
      responses: { 201: { ...inFull, headers: { Location: 'Where it is.' } } },
      async handle({ actor, body }) {
        const row = await service.create(actor, body);
        return new Reply(presentCarrierInFull(row, publicUrl()), { headers: { Location: `/api/carriers/${row.id}/` } });
      },
    }),
    route<Id>({
      ...COMMON,
      method: 'get',
      path: '/api/carriers/:id/',
      summary: 'One carrier, with what came last and what was turned away',
      scope: 'carriers:read',
      responses: { 200: inFull },
      handle: async ({ actor, params }) => presentCarrierInFull(await service.get(actor, params.id), publicUrl()),
    }),
    route<Id, unknown, CarrierChanges>({
      ...COMMON,
      method: 'patch',
      path: '/api/carriers/:id/',
      summary: 'Change a carrier',
      scope: 'carriers:write',
      body: carrierChanges,
      responses: { 200: inFull },
      permit,
      handle: async ({ actor, params, body }) =>
        presentCarrierInFull(await service.change(actor, params.id, body), publicUrl()),
    }),
    route<Id>({
      ...COMMON,
      method: 'delete',
      path: '/api/carriers/:id/',
      summary: 'Delete a carrier',
      description:
        'Its webhooks are answered 404 from now on, its secrets are gone, and the numbers on it are on no line; its ' +
        'calls stay and keep its id.',
      scope: 'carriers:write',
      responses: { 204: { description: 'It is gone.' } },
      handle: ({ actor, params }) => service.remove(actor, params.id),
    }),
    route<Id>({
      ...COMMON,
      method: 'post',
      path: '/api/carriers/:id/test/',
      summary: 'What to enter at the provider',
      scope: 'carriers:write',
      status: 200,
      responses: { 200: { description: 'The steps.', schema: carrierSetupAnswer } },
      handle: async ({ actor, params }) => presentSetup(await service.get(actor, params.id), publicUrl()),
    }),
  ];
}
