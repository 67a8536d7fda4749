/**
 * The worker's use case: takes pending webhooks in batches and makes call logs and events of them, those first that
 * this process has just stored, which it has in memory, then those that are in the inbox. Any number of workers may run.
 *
 * One bad row never spoils its batch: a batch that fails is halved down to the row that spoils it, which is tried
 * again a few times and then kept as `failed`. Faults of the database itself end the run; the next poke begins again.
 */
import type { Clock } from '../../lib/clock.js';
import type { Db, SqlRunner } from '../../platform/db/connect.js';
import { isAnswerLost, isTransient } from '../../platform/db/errors.js';
import { run } from '../../platform/db/statement.js';
import type { Logger } from '../../platform/log.js';
import { NO_TRACING, type Tracing } from '../../platform/tracing.js';
import type { CallsWriter } from '../calls/index.js';
import type { Carriers } from '../carriers/index.js';
import type { EventLog } from '../events/index.js';
import { type Batch, processBatch, type Source, type Verdict } from './batch.js';
import type { BatchThread } from './batch-thread.js';
import type { FindCallIdRule } from './call-ids.js';
import type { CarrierDelays } from './carrier-delays.js';
import { erasedFromFailed } from './erased-in-webhooks.js';
import type { FreshWebhooks, TakenWebhooks } from './fresh-webhooks.js';
import { type NewWebhook, type PendingWebhook, toPending, type WebhookOutcome } from './inbound-webhook.js';
import {
  claimAgain,
  claimStored,
  claimWebhooks,
  hasWebhook,
  isTakenElsewhere,
  markWebhooks,
  postponeWebhook,
} from './inbox.repository.js';
import type { IngestionMetrics } from './ingestion-metrics.js';
import { createIdRenamer } from './rename-call-ids.js';
import { eraseFromWebhooks } from './webhook-erasure.js';

export const BATCH = 500;
/** From so many on, handing them to another thread is worth it. */
const CROWD = 100;
const UNUSED = { eventType: null, callLogId: null, accountId: null, waitKeys: null, legKeys: null };
const RETRY_MS = [1000, 5000, 30_000, 120_000];

export interface DrainDeps {
  readonly db: Db;
  readonly eventLog: EventLog;
  readonly calls: CallsWriter;
  readonly carriers: Carriers;
  readonly callIds: FindCallIdRule;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: IngestionMetrics;
  readonly tracing?: Tracing;
  /** What this process stores; without it everything is read from the inbox. */
  readonly fresh?: FreshWebhooks;
  /** Told how long webhooks were on their way, for the carriers' statistics. */
  readonly delays?: CarrierDelays;
  /** Works off crowds beside this thread, which stores webhooks meanwhile. */
  readonly thread?: Pick<BatchThread, 'workOff'> | undefined;
}

export interface Drain {
  /** Stores webhooks and works them off at once, in one transaction that waits for nobody. */
  storeAndWorkOff(webhooks: readonly NewWebhook[]): Promise<Stored>;
  /** Works until the inbox has nothing more to claim; answers how many webhooks were processed. */
  all(isStopping: () => boolean): Promise<number>;
  /**
   * The same of what this process has in memory as it begins; looks into the inbox only when that leads there. What is
   * stored meanwhile comes with a wish of its own: so a flood in which memory never runs empty keeps nobody in the inbox
   * waiting.
   */
  fresh(isStopping: () => boolean): Promise<number>;
  held(): Held;
}

/** How many webhooks this process has in hand. */
export interface Held {
  /** In the batch that is being worked off; 0: none is. */
  readonly underWay: number;
  /** In memory. */
  readonly waiting: number;
}

/** What became of webhooks that were to be stored and worked off at once. */
export interface Stored {
  /** False: nothing is stored, and they must go the usual way. */
  readonly isStored: boolean;
  /** Whether others in the inbox wait for a worker now. */
  readonly isMore: boolean;
}

interface Progress {
  readonly done: number;
  /** Whether what was done leads into the inbox: others wait there now, or these do again. */
  readonly isMore: boolean;
}

export function createDrain(deps: DrainDeps): Drain {
  const { db, clock, log, metrics, fresh, tracing = NO_TRACING } = deps;
  const renameIds = createIdRenamer(db);
  let underWay = 0;

  const counted = (source: Source): Source => ({
    ...source,
    async offer(tx) {
      const webhooks = await source.offer(tx);
      underWay = webhooks.length;
      return webhooks;
    },
  });

  /** They are all there or none. Of a database that is out of reach nothing is known. */
  const areStored = (webhooks: readonly NewWebhook[]): Promise<boolean> =>
    hasWebhook(db, webhooks[0]?.id ?? null).catch(() => false);

  const workOff = (source: Source): Promise<Batch> =>
    observed(source.held.length, () => processBatch(deps, counted(source)));

  async function observed(count: number, work: () => Promise<Batch>): Promise<Batch> {
    const began = performance.now();
    underWay = count;
    const working = tracing.span({ name: 'drain batch' }, async (note) => {
      const done = await work();
      note.set({ webhooks: done.webhooks.length });
      return done;
    });
    const batch = await working.finally(() => {
      underWay = 0;
    });
    measure(batch, began);
    return batch;
  }

  /** Null: there is no thread for them. */
  function attemptBeside({ ids, packed }: TakenWebhooks): Promise<Progress> | null {
    const asked = ids.length < CROWD ? null : deps.thread?.workOff(packed);
    if (!asked) return null;
    const working = observed(ids.length, () => asked);
    return working.then(progressOf, (error) => {
      // Whatever it was shows as what it is when they are worked off from the inbox, as far as they are still there.
      log.debug({ err: error }, 'a batch could not be worked off beside');
      return { done: 0, isMore: true };
    });
  }

  async function attempt(source: Source): Promise<Progress> {
    try {
      return progressOf(await workOff(source));
    } catch (error) {
      if (isTakenElsewhere(error) || (await renameIds(error))) return { done: 0, isMore: true };
      const { held } = source;
      if (held.length === 0 || isTransient(error)) throw error;
      if (held.length === 1 && held[0]) await giveUp(held[0], error);
      else await halve(held);
      return { done: held.length, isMore: true };
    }
  }

  async function halve(held: readonly PendingWebhook[]): Promise<void> {
    const middle = Math.ceil(held.length / 2);
    for (const half of [held.slice(0, middle), held.slice(middle)]) {
      const ids = half.map(({ id }) => id);
      await attempt(fromInbox((tx) => claimAgain(tx, ids)));
    }
  }

  async function giveUp(webhook: PendingWebhook, error: unknown): Promise<void> {
    const wait = RETRY_MS[webhook.attempts];
    const detail = `Processing failed: ${error instanceof Error ? error.name : 'unknown'}.`;
    log.error({ err: error, webhookId: webhook.id, attempts: webhook.attempts + 1 }, 'webhook could not be processed');
    if (wait !== undefined) return postponeWebhook(db, webhook.id, clock.now() + wait, detail);
    const outcome = { ...UNUSED, id: webhook.id, status: 'failed', code: 'processing_failed', detail } as const;
    try {
      await db.transaction((tx: Db) => markFailed(tx, webhook, outcome));
    } catch (fault) {
      // One that must not be looked into (its account's key is not at hand) is failed all the same: a replay looks again.
      if (isTransient(fault)) throw fault;
      log.error({ err: fault, webhookId: webhook.id }, 'erased numbers could not be looked for');
      for (const mark of markWebhooks([outcome], clock.now())) await run(db, mark);
    }
  }

  /** Without what its account has had erased. */
  async function markFailed(tx: Db, webhook: PendingWebhook, outcome: WebhookOutcome): Promise<void> {
    const line = await deps.carriers.lookUpKept(webhook.carrier_id);
    const failed = { webhook, outcome, accountId: line?.accountId ?? null };
    const erased = await erasedFromFailed(tx, await deps.callIds(), failed);
    for (const mark of markWebhooks([outcome], clock.now())) await run(tx, mark);
    await eraseFromWebhooks(tx, erased);
  }

  function measure({ webhooks, delays, outcomes, takenUp }: Batch, began: number): void {
    if (webhooks.length === 0) return;
    metrics.batch(webhooks.length);
    const now = clock.now();
    const count = (status: Verdict['status']): number => outcomes.filter((outcome) => outcome.status === status).length;
    log.info(
      {
        webhooks: webhooks.length,
        failed: count('failed'),
        ignored: count('ignored'),
        waiting: count('waiting'),
        takenUp,
        ms: Math.round(performance.now() - began),
      },
      'drain',
    );
    webhooks.forEach((webhook, place) => {
      const outcome = outcomes[place];
      deps.delays?.observe(webhook, delays[place] ?? null);
      if (outcome) metrics.processed(webhook.provider, outcome, (now - webhook.received_at.getTime()) / 1000);
    });
  }

  async function all(isStopping: () => boolean): Promise<number> {
    let leavesMore = false;
    const claim = async (tx: SqlRunner): Promise<PendingWebhook[]> => {
      const webhooks = await claimWebhooks(tx, BATCH);
      const known = fresh?.forget(webhooks.map(({ id }) => id)) ?? 0;
      // The oldest come first: behind a batch that memory held whole stands what memory holds, or has come since.
      leavesMore = webhooks.length === BATCH && known < BATCH;
      return webhooks;
    };
    let total = 0;
    // What comes after a claim that took all there was has its own poke.
    for (let isMore = true; isMore && !isStopping(); ) {
      const progress = await attempt(fromInbox(claim));
      isMore = progress.isMore || leavesMore;
      total += progress.done;
    }
    return total;
  }

  return {
    all,
    held: () => ({ underWay, waiting: fresh?.count() ?? 0 }),
    async storeAndWorkOff(webhooks) {
      try {
        const { takenUp } = await workOff(unstored(webhooks));
        return { isStored: true, isMore: takenUp > 0 };
      } catch (error) {
        // Nothing is lost: whatever is wrong with them shows again when they are worked off from the inbox.
        log.debug({ err: error }, 'webhooks could not be worked off at once');
        const isStored = isAnswerLost(error) && (await areStored(webhooks));
        return { isStored, isMore: isStored };
      }
    },
    async fresh(isStopping) {
      let total = 0;
      for (let left = fresh?.count() ?? 0; left > 0 && !isStopping(); ) {
        const next = fresh?.take(BATCH);
        if (!next) break;
        left -= next.ids.length;
        const { done, isMore } = await (attemptBeside(next) ?? attempt(fromMemory(next.webhooks())));
        total += done;
        if (isMore) total += await all(isStopping);
      }
      return total;
    },
  };
}

const progressOf = ({ webhooks, takenUp }: Batch): Progress => ({ done: webhooks.length, isMore: takenUp > 0 });

function fromInbox(claim: (tx: SqlRunner) => Promise<PendingWebhook[]>): Source {
  const source = {
    held: [] as readonly PendingWebhook[],
    claim: [],
    async offer(tx: SqlRunner) {
      source.held = await claim(tx);
      return source.held;
    },
  };
  return source;
}

/** Whoever waits for the answer must not wait long for others' locks. */
const LOCK_TIMEOUT_MS = 25;

const unstored = (webhooks: readonly NewWebhook[]): Source => ({
  ...{ held: [], claim: [], unstored: webhooks, beginning: { lockTimeoutMs: LOCK_TIMEOUT_MS } },
  offer: async () => webhooks.map(toPending),
});

/** Claimed only with what is written: nobody else knows of them yet, or hardly anybody. */
export const fromMemory = (webhooks: readonly PendingWebhook[]): Source => ({
  held: webhooks,
  claim: [claimStored(webhooks.map(({ id }) => id))],
  offer: async () => webhooks,
});
