import type { Actor } from '../../http/actor.js';
import type { AnyRoute } from '../../http/route.js';
import type { Platform } from '../../platform/platform.js';
import type { PeriodicJob } from '../../platform/queue/periodic.js';
import type { Passwords } from '../accounts/index.js';
import type { RecordAudit } from '../audit/index.js';
import type { TwoFactor } from '../two-factor/index.js';
import { createIssuer } from './issuer.js';
import { createLoginLimits } from './login-limits.js';
import { createSessions, type Sessions } from './sessions.js';
import { tokensRoutes } from './tokens.routes.js';
import { createTokensService, type TokensService } from './tokens.service.js';
import { createTokensSweeper, SWEEP_EVERY_MS } from './tokens.sweeper.js';

export type { SessionRef, Sessions, SessionVerdict } from './sessions.js';

/**
 * Sign-ins, tokens, and who stands behind a token or key.
 *
 * @example
 * const tokens = createTokens(platform, {
 *   passwords: accounts.passwords, fromApiKey: apiKeys.resolve, twoFactor, audit: audit.record,
 * });
 * createAuthenticate(platform.jwtSecret, tokens.sessions);          // http: an ActorResolver
 * const actor = await tokens.sessions.resolveToken(handshake.auth.token);   // live: not_authenticated|token_not_valid
 * const verdicts = await tokens.sessions.checkSessions(actors);     // live: on a hint of SESSIONS_TOPIC, and now and then
 * tokens.jobs belong to the role worker.
 */
export interface Tokens {
  readonly service: TokensService;
  readonly sessions: Sessions;
  readonly routes: readonly AnyRoute[];
  readonly jobs: readonly PeriodicJob[];
}

export interface TokensDeps {
  readonly passwords: Passwords;
  readonly twoFactor: Pick<TwoFactor, 'prove' | 'enrolDemanded'>;
  readonly audit: RecordAudit;
  /** @throws AppError unauthenticated */
  readonly fromApiKey: (key: string) => Promise<Actor>;
}

export function createTokens(platform: Platform, deps: TokensDeps): Tokens {
  const { fromApiKey, ...others } = deps;
  const { db, clock, wakeups, config, jwtSecret } = platform;
  const sessions = createSessions({ db, clock, jwtSecret, fromApiKey });
  const issuer = createIssuer({
    clock,
    jwtSecret,
    accessTtl: config.accessTokenTtl,
    refreshTtl: config.refreshTokenTtl,
  });
  const limits = createLoginLimits(config.rateLimits ? platform.limiter : null);
  const { refreshReuseWindow: reuseWindowSeconds } = config;
  const service = createTokensService({
    ...others,
    ...{ db, clock, wakeups, issuer, limits, sessions, reuseWindowSeconds },
  });
  const sweep = createTokensSweeper({ db, clock });
  return {
    service,
    sessions,
    routes: tokensRoutes(service),
    jobs: [{ name: 'sweep-tokens', everyMs: SWEEP_EVERY_MS, run: sweep }],
  };
}
