import { decodeIdCursor, type PageQuery, pageReply } from '../../http/pagination.js';
import { type AnyRoute, Reply, route } from '../../http/route.js';
import { presentApiKey } from './api-keys.present.js';
import { apiKeyPage, apiKeysAnswer, type NewApiKeyBody, newApiKey, newApiKeyAnswer } from './api-keys.schema.js';
import type { ApiKeysService } from './api-keys.service.js';

type None = Record<string, string>;

const LIST = 'api_keys';
/** Without a scope: a key cannot make keys. */
const COMMON = { tag: 'API keys', access: 'bearer', role: 'admin' } as const;

export function apiKeysRoutes(apiKeys: ApiKeysService): AnyRoute[] {
  return [
    route<None, PageQuery>({
      ...COMMON,
      method: 'get',
      path: '/api/api_keys/',
      summary: 'List the account’s API keys, newest first',
      query: apiKeyPage,
      responses: {
        200: {
          description: 'The keys, without what is secret of them.',
          schema: apiKeysAnswer,
        },
      },
      async handle({ actor, query, url }) {
        const page = await apiKeys.list(actor.accountId, {
          limit: query.limit,
          before: decodeIdCursor(LIST, query.cursor),
        });
        return pageReply(LIST, url, { ...page, items: page.items.map(presentApiKey) });
      },
    }),
    route<None, unknown, NewApiKeyBody>({
      ...COMMON,
      method: 'post',
      path: '/api/api_keys/',
      summary: 'Make an API key',
      body: newApiKey,
      status: 201,
      responses: { 201: { description: 'The key, shown only here.', schema: newApiKeyAnswer } },
      async handle({ actor, body }) {
        const { expires_at: expiresAt, ...rest } = body;
        const { apiKey, key } = await apiKeys.create(actor, { ...rest, expiresAt });
        return new Reply({ ...presentApiKey(apiKey), key });
      },
    }),
    route<{ readonly id: string }>({
      ...COMMON,
      method: 'delete',
      path: '/api/api_keys/:id/',
      summary: 'Delete an API key; it stops at once',
      responses: { 204: { description: 'It is gone.' } },
      handle: ({ actor, params }) => apiKeys.remove(actor.accountId, params.id),
    }),
  ];
}
