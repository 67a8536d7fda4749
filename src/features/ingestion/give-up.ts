/** What becomes of a webhook that spoils every batch: it is tried again a few times, then kept as `failed` for a replay. */
import type { Clock } from '../../lib/clock.js';
import type { Db } from '../../platform/db/connect.js';
import { isTransient } from '../../platform/db/errors.js';
import { run } from '../../platform/db/statement.js';
import type { Logger } from '../../platform/log.js';
import type { Carriers } from '../carriers/index.js';
import type { FindCallIdRule } from './call-ids.js';
import { erasedFromFailed } from './erased-in-webhooks.js';
import type { PendingWebhook, WebhookOutcome } from './inbound-webhook.js';
import { markWebhooks, postponeWebhook } from './inbox.repository.js';
import { eraseFromWebhooks } from './webhook-erasure.js';

const RETRY_MS = [1000, 5000, 30_000, 120_000];
const UNUSED = { eventType: null, callLogId: null, accountId: null, waitKeys: null, legKeys: null };

export interface GiveUpDeps {
  readonly db: Db;
  readonly carriers: Pick<Carriers, 'lookUpKept'>;
  readonly callIds: FindCallIdRule;
  readonly clock: Clock;
  readonly log: Logger;
}

export async function giveUp(deps: GiveUpDeps, webhook: PendingWebhook, error: unknown): Promise<void> {
  const { db, clock, log } = deps;
  const wait = RETRY_MS[webhook.attempts];
  const detail = `Processing failed: ${error instanceof Error ? error.name : 'unknown'}.`;
  log.error({ err: error, webhookId: webhook.id, attempts: webhook.attempts + 1 }, 'webhook could not be processed');
  if (wait !== undefined) return postponeWebhook(db, webhook.id, clock.now() + wait, detail);
  const outcome = { ...UNUSED, id: webhook.id, status: 'failed', code: 'processing_failed', detail } as const;
  try {
    await db.transaction((tx: Db) => markFailed(deps, tx, webhook, outcome));
  } catch (fault) {
    // One that must not be looked into (its account's key is not at hand) is failed all the same: a replay looks again.
    if (isTransient(fault)) throw fault;
    log.error({ err: fault, webhookId: webhook.id }, 'erased numbers could not be looked for');
    for (const mark of markWebhooks([outcome], clock.now())) await run(db, mark);
  }
}

/** Without what its account has had erased. */
async function markFailed(deps: GiveUpDeps, tx: Db, webhook: PendingWebhook, outcome: WebhookOutcome): Promise<void> {
  const line = await deps.carriers.lookUpKept(webhook.carrier_id);
  const failed = { webhook, outcome, accountId: line?.accountId ?? null };
  const erased = await erasedFromFailed(tx, await deps.callIds(), failed);
  for (const mark of markWebhooks([outcome], deps.clock.now())) await run(tx, mark);
  await eraseFromWebhooks(tx, erased);
}
