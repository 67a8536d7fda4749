import type { Knex } from 'knex';
import type { Actor, Scope } from '../../http/actor.js';
import { type Page, toPage } from '../../http/pagination.js';
import type { Clock } from '../../lib/clock.js';
import { newId } from '../../lib/ids.js';
import type { Wakeups } from '../../platform/wakeups.js';
import { publishSessions } from '../accounts/index.js';
import { type ApiKey, hashOfKey, newKey, prefixOfKey } from './api-key.js';
import { apiKeyNotFound, expiresInPast } from './api-keys.errors.js';
import { insertApiKey, listApiKeys, revokeApiKey } from './api-keys.repository.js';

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date | null;
}

export interface ApiKeysService {
  list(accountId: string, page: { readonly before: string | null; readonly limit: number }): Promise<Page<ApiKey>>;
  /** The key itself is answered here and never again. */
  create(actor: Actor, input: NewApiKey): Promise<{ readonly apiKey: ApiKey; readonly key: string }>;
  /** Stops it at once. @throws 404 */
  remove(accountId: string, id: string): Promise<void>;
}

export interface ApiKeysServiceDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly wakeups: Wakeups;
}

export function createApiKeysService({ db, clock, wakeups }: ApiKeysServiceDeps): ApiKeysService {
  return {
    async list(accountId, { before, limit }) {
      const keys = await listApiKeys(db, accountId, { before, limit: limit + 1 });
      return toPage(keys, limit, (key) => [key.id]);
    },

    async create(actor, { name, scopes, expiresAt }) {
      const createdAt = new Date(clock.now());
      if (expiresAt !== null && expiresAt <= createdAt) throw expiresInPast();
      const key = newKey();
      const apiKey: ApiKey = {
        id: newId(),
        accountId: actor.accountId,
        name,
        prefix: prefixOfKey(key),
        scopes,
        createdByUserId: actor.userId,
        createdAt,
        expiresAt,
        lastUsedAt: null,
      };
      await insertApiKey(db, apiKey, hashOfKey(key));
      return { apiKey, key };
    },

    async remove(accountId, id) {
      if (!(await revokeApiKey(db, accountId, id, new Date(clock.now())))) throw apiKeyNotFound();
      publishSessions(wakeups, { api_key_id: id });
    },
  };
}
