import type { AnyRoute } from '../../http/route.js';
import type { Platform } from '../../platform/platform.js';
import type { PeriodicJob } from '../../platform/queue/periodic.js';
import type { Accounts } from '../accounts/index.js';
import { type RetentionDoor, retentionRoutes } from './retention.routes.js';
import { createRetentionSweeper, SWEEP_EVERY_MS } from './retention.sweeper.js';
import type { RetentionRule } from './retention-rule.js';

export { createRetentionRule, type RetentionRule } from './retention-rule.js';

/**
 * How long accounts keep call logs, events and webhooks. Events and webhooks are deleted by their own features.
 *
 * @example
 * const rule = createRetentionRule(platform);
 * const writer = createCallsWriter(platform.clock, { keptSince: rule.keptSince });
 * const retention = createRetention(platform, { rule, accounts: accounts.service });
 */
export interface RetentionFeature {
  readonly routes: readonly AnyRoute[];
  readonly jobs: readonly PeriodicJob[];
  /** Deletes the call logs that are too old; answers how many. */
  sweep(): Promise<number>;
}

export interface RetentionDeps {
  readonly rule: RetentionRule;
  readonly accounts: Pick<Accounts['service'], 'get' | 'change'>;
}

type Account = Awaited<ReturnType<RetentionDeps['accounts']['get']>>;

export function createRetention(platform: Platform, { rule, accounts }: RetentionDeps): RetentionFeature {
  const { config } = platform;
  const sweep = createRetentionSweeper(platform);
  const present = (account: Account) => ({
    call_retention_days: account.callRetentionDays,
    event_retention_days: account.eventRetentionDays,
    webhook_retention_days: account.webhookRetentionDays,
    installation: {
      event_retention_seconds: config.eventRetention,
      webhook_retention_seconds: config.webhookRetention,
    },
  });
  const door: RetentionDoor = {
    get: async (accountId) => present(await accounts.get(accountId)),
    async change(actor, changes) {
      const { call_retention_days: call, event_retention_days: event, webhook_retention_days: webhook } = changes;
      const account = await accounts.change(actor, actor.accountId, {
        ...(call !== undefined && { callRetentionDays: call }),
        ...(event !== undefined && { eventRetentionDays: event }),
        ...(webhook !== undefined && { webhookRetentionDays: webhook }),
      });
      rule.tellChanged();
      return present(account);
    },
  };
  return {
    routes: retentionRoutes(door),
    jobs: [{ name: 'delete-old-calls', everyMs: SWEEP_EVERY_MS, run: sweep }],
    sweep,
  };
}
