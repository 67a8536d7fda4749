import type { Knex } from 'knex';
import type { Actor } from '../../http/actor.js';
import type { Clock } from '../../lib/clock.js';
import { createGatherer } from '../../lib/gather.js';
import type { Logger } from '../../platform/log.js';
import { type ApiKey, hashOfKey } from './api-key.js';
import { apiKeyNotValid } from './api-keys.errors.js';
import { findUsableKeys, touchApiKey } from './api-keys.repository.js';

const TOUCH_EVERY_MS = 60_000;

export interface KeyResolverDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who a key acts as: an admin of its account, within its scopes. @throws 401 */
export function createKeyResolver({ db, clock, log }: KeyResolverDeps): (key: string) => Promise<Actor> {
  const find = createGatherer((hashes: readonly Buffer[]) => findUsableKeys(db, hashes, new Date(clock.now())));

  // The use is noted once a minute; that it could not be is no fault of the request.
  async function touch(key: ApiKey): Promise<void> {
    const now = clock.now();
    if (key.lastUsedAt !== null && now - key.lastUsedAt.getTime() < TOUCH_EVERY_MS) return;
    try {
      await touchApiKey(db, key.id, new Date(now), new Date(now - TOUCH_EVERY_MS));
    } catch (error) {
      log.warn({ err: error, apiKeyId: key.id }, 'use of an API key could not be noted');
    }
  }

  return async (key) => {
    const found = await find(hashOfKey(key));
    if (!found) throw apiKeyNotValid();
    await touch(found);
    return {
      kind: 'api_key',
      accountId: found.accountId,
      userId: null,
      apiKeyId: found.id,
      role: 'admin',
      scopes: new Set(found.scopes),
      sessionId: null,
      expiresAt: found.expiresAt?.getTime() ?? null,
    };
  };
}
