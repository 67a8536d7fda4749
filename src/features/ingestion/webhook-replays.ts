/**
 * Replays by filter. A replay may mean a million webhooks, and what arrives now must not wait behind them: so it is
 * written down, and queued from the newest to the oldest only as fast as the workers get done with it. Every webhook is
 * queued once, whatever becomes of it meanwhile, because the place in the list only moves on.
 */
import type { Knex } from 'knex';
import { newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import type { Drain } from './drain.js';
import { listWebhooks, type WebhookScope } from './inbound-webhooks.queries.js';
import { countBacklog, queueAgain } from './inbox.repository.js';
import type { WebhookFilters } from './webhook-filters.js';

const BATCH = 1000;
/** Above this many waiting webhooks a replay holds back. */
const CALM = 5000;
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

interface ReplayRow {
  readonly id: string;
  readonly account_id: string;
  readonly with_nobodys: boolean;
  readonly filters: readonly StoredFilters[];
  readonly before_at: Date;
  readonly before_id: string;
}

type StoredFilters = Omit<WebhookFilters, 'received_after' | 'received_before'> & {
  readonly received_after?: string;
  readonly received_before?: string;
};

export async function askForReplay(
  db: Db,
  scope: WebhookScope,
  filters: readonly WebhookFilters[],
  before: Date,
): Promise<void> {
  await db('webhook_replays').insert({
    id: newId(),
    account_id: scope.accountId,
    with_nobodys: scope.withNobodys,
    filters: JSON.stringify(filters),
    before_at: before,
    before_id: LAST_ID,
  });
}

/** Goes on with the replays that were asked for until they are done or enough is waiting; answers how many it queued. */
export async function continueReplays(db: Knex): Promise<number> {
  let total = 0;
  for (;;) {
    const queued = await db.transaction((tx: Db) => queueBatch(tx));
    if (queued === null) return total;
    total += queued;
  }
}

/** Null: there is nothing to do now. */
async function queueBatch(tx: Db): Promise<number | null> {
  const { rows } = await tx.raw<{ rows: ReplayRow[] }>(
    'select * from webhook_replays order by id limit 1 for update skip locked',
  );
  const [replay] = rows;
  if (!replay || (await countBacklog(tx, CALM)) >= CALM) return null;
  const page = await listWebhooks(tx, {
    scope: { accountId: replay.account_id, withNobodys: replay.with_nobodys },
    filters: replay.filters.map(revive),
    after: { receivedAt: replay.before_at.toISOString(), id: replay.before_id },
    limit: BATCH,
  });
  const last = page.at(-1);
  if (page.length < BATCH || !last) await tx('webhook_replays').where({ id: replay.id }).delete();
  else await tx('webhook_replays').where({ id: replay.id }).update({ before_at: last.received_at, before_id: last.id });
  await queueAgain(
    tx,
    page.map((webhook) => webhook.id),
  );
  return page.length;
}

function revive({ received_after: after, received_before: before, ...filters }: StoredFilters): WebhookFilters {
  return {
    ...filters,
    ...(after !== undefined && { received_after: new Date(after) }),
    ...(before !== undefined && { received_before: new Date(before) }),
  };
}

const LOOK_EVERY_MS = 1000;

/** A drain that, now and then when it is done, queues more of the replays and works that off as well. */
export function drainWithReplays(drain: Drain, db: Knex): Drain {
  let lookedAt = Number.NEGATIVE_INFINITY;
  return {
    ...drain,
    async all(isStopping) {
      let total = await drain.all(isStopping);
      while (!isStopping() && performance.now() - lookedAt >= LOOK_EVERY_MS) {
        if ((await continueReplays(db)) === 0) lookedAt = performance.now();
        else total += await drain.all(isStopping);
      }
      return total;
    },
  };
}
