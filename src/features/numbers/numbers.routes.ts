import type { Actor } from '../../http/actor.js';
import { idSlice, type Page, type PageQuery, pageReply } from '../../http/pagination.js';
import { type AnyRoute, Reply, type RouteResponse, route } from '../../http/route.js';
import { claimFrom, filtersFrom, patchFrom } from './inputs.js';
import { etagOf, type VirtualNumber } from './number.js';
import { presentChange, presentNumber } from './numbers.present.js';
import {
  type ChangeInput,
  type ClaimInput,
  changeBody,
  claimBody,
  historyAnswer,
  historyQuery,
  LENGTH_WITHOUT_LIMIT,
  type ListQuery,
  listAnswer,
  listQuery,
  numberAnswer,
} from './numbers.schema.js';
import type { NumberService } from './numbers.service.js';

type One = { readonly id: string };

const TAG = 'Virtual numbers';
const ETAG = { ETag: 'Version of the number, for `If-Match`.' };
const DESCRIBE_IF_MATCH = 'With `If-Match` only when the number still has that `ETag`, else 412.';
const oneNumber = (description: string): RouteResponse => ({ description, schema: numberAnswer, headers: ETAG });

const numberReply = (number: VirtualNumber, status = 200): Reply =>
  new Reply(presentNumber(number), {
    status,
    headers: { ETag: etagOf(number), ...(status === 201 && { Location: `/api/virtual_numbers/${number.id}/` }) },
  });

const ifMatchOf = (headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined =>
  headers['if-match']?.toString();

const presented = <T>(page: Page<T>, present: (item: T) => unknown): Page<unknown> => ({
  ...page,
  items: page.items.map(present),
});

export function createNumberRoutes(numbers: NumberService): AnyRoute[] {
  return [...collectionRoutes(numbers), ...oneNumberRoutes(numbers)];
}

function collectionRoutes(numbers: NumberService): AnyRoute[] {
  const create = {
    method: 'post',
    tag: TAG,
    access: 'bearer',
    scope: 'numbers:write',
    body: claimBody,
    status: 201,
    responses: {
      201: {
        ...oneNumber('The number is held by the account.'),
        headers: { ...ETAG, Location: 'Where it is.' },
      },
    },
    handle: async ({ actor, body }: { actor: Actor; body: ClaimInput }) =>
      numberReply(await numbers.claimNumber(actor, claimFrom(actor, body)), 201),
  } as const;
  return [
    route<Record<string, string>, ListQuery>({
      method: 'get',
      path: '/api/virtual_numbers/',
      summary: 'List virtual numbers',
      description: 'Oldest first. Unknown and malformed filters are ignored. A member sees those assigned to them.',
      tag: TAG,
      access: 'bearer',
      scope: 'numbers:read',
      query: listQuery,
      unknownQuery: 'ignore',
      responses: { 200: { description: 'The numbers.', schema: listAnswer } },
      async handle({ actor, query, url }) {
        const { limit = LENGTH_WITHOUT_LIMIT, ...rest } = query;
        const slice = idSlice('virtual_numbers', { ...rest, limit });
        const page = await numbers.listNumbers(actor, { filters: filtersFrom(query), slice });
        return pageReply('virtual_numbers', url, presented(page, presentNumber));
      },
    }),
    route<Record<string, string>, Record<string, unknown>, ClaimInput>({
      ...create,
      path: '/api/virtual_numbers/',
      summary: 'Add a virtual number',
      description: 'A member’s number is assigned to them; giving it to others or to a carrier is for admins.',
    }),
    route<Record<string, string>, Record<string, unknown>, ClaimInput>({
      ...create,
      path: '/api/virtual_numbers/create/',
      summary: 'Add a virtual number (form or JSON)',
      description: 'As `POST /api/virtual_numbers/`, but unknown members are ignored and forms are taken as well.',
      accepts: ['json', 'form', 'multipart'],
      unknownBody: 'ignore',
    }),
  ];
}

function oneNumberRoutes(numbers: NumberService): AnyRoute[] {
  const path = '/api/virtual_numbers/:id/';
  return [
    route<One>({
      method: 'get',
      path,
      summary: 'Read a virtual number',
      tag: TAG,
      access: 'bearer',
      scope: 'numbers:read',
      responses: { 200: oneNumber('The number.') },
      handle: async ({ actor, params }) => numberReply(await numbers.getNumber(actor, params.id)),
    }),
    route<One, Record<string, unknown>, ChangeInput>({
      method: 'patch',
      path,
      summary: 'Change or assign a virtual number',
      description: `A member changes \`label\`, \`tags\` and \`is_active\` of theirs. ${DESCRIBE_IF_MATCH}`,
      tag: TAG,
      access: 'bearer',
      scope: 'numbers:write',
      body: changeBody,
      responses: { 200: oneNumber('The number as it is now.'), 412: { description: 'It was changed meanwhile.' } },
      permit: ({ actor, params }) => numbers.checkMayChange(actor, params.id),
      async handle({ actor, params, body, headers }) {
        const change = { id: params.id, patch: patchFrom(actor, body), ifMatch: ifMatchOf(headers) };
        return numberReply(await numbers.changeNumber(actor, change));
      },
    }),
    route<One>({
      method: 'delete',
      path,
      summary: 'Release a virtual number',
      description: `It is gone; claimed again it gets a new id. Its calls stay as they are. ${DESCRIBE_IF_MATCH}`,
      tag: TAG,
      access: 'bearer',
      scope: 'numbers:write',
      responses: { 204: { description: 'Released.' }, 412: { description: 'It was changed meanwhile.' } },
      permit: ({ actor, params }) => numbers.checkMayRelease(actor, params.id),
      handle: ({ actor, params, headers }) =>
        numbers.releaseNumber(actor, { id: params.id, ifMatch: ifMatchOf(headers) }),
    }),
    historyRoute(numbers),
  ];
}

function historyRoute(numbers: NumberService): AnyRoute {
  return route<One, PageQuery>({
    method: 'get',
    path: '/api/virtual_numbers/:id/history/',
    summary: 'What was done with a virtual number',
    description:
      'Newest first: every change with its time and author, the times the account held the number before included. ' +
      'A released number keeps its history.',
    tag: TAG,
    access: 'bearer',
    scope: 'numbers:read',
    query: historyQuery,
    responses: { 200: { description: 'The changes.', schema: historyAnswer } },
    async handle({ actor, params, query, url }) {
      const number = await numbers.getNumberEver(actor, params.id);
      const page = await numbers.listChanges(number, idSlice('number_history', query));
      return pageReply('number_history', url, presented(page, presentChange));
    },
  });
}
