import type { Actor } from '../../http/actor.js';
import type { AnyRoute } from '../../http/route.js';
import type { Platform } from '../../platform/platform.js';
import { apiKeysRoutes } from './api-keys.routes.js';
import { type ApiKeysService, createApiKeysService } from './api-keys.service.js';
import { createKeyResolver } from './key-resolver.js';

/**
 * API keys: bearer tokens for programs, on REST and live.
 *
 * @example
 * const apiKeys = createApiKeys(platform);
 * const tokens = createTokens(platform, { passwords: accounts.passwords, fromApiKey: apiKeys.resolve });
 */
export interface ApiKeys {
  readonly service: ApiKeysService;
  readonly routes: readonly AnyRoute[];
  /** Who the key acts as. @throws AppError unauthenticated */
  resolve(key: string): Promise<Actor>;
}

export function createApiKeys(platform: Platform): ApiKeys {
  const { db, clock, log, wakeups } = platform;
  const service = createApiKeysService({ db, clock, wakeups });
  return { service, routes: apiKeysRoutes(service), resolve: createKeyResolver({ db, clock, log }) };
}
