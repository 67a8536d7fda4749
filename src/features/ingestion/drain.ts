/**
 * The worker's use case: takes pending webhooks in batches and makes call logs and events of them, those first that
 * this process has just stored, which it has in memory, then those that are in the inbox. Any number of workers may run.
 *
 * One bad row never spoils its batch: a batch that fails is halved down to the row that spoils it, which is tried
 * again a few times and then kept as `failed`. Faults of the database itself end the run; the next poke begins again.
 */
import type { Clock } from '../../lib/clock.js';
import { createUnderWay } from '../../lib/under-way.js';
import type { Db, SqlRunner } from '../../platform/db/connect.js';
import { isAnswerLost, isTransient } from '../../platform/db/errors.js';
import type { Logger } from '../../platform/log.js';
import { NO_TRACING, type Tracing } from '../../platform/tracing.js';
import type { CallsWriter } from '../calls/index.js';
import type { Carriers } from '../carriers/index.js';
import type { EventLog } from '../events/index.js';
import { type Batch, processBatch, type Source, type Verdict } from './batch.js';
import type { BatchThread } from './batch-thread.js';
import type { FindCallIdRule } from './call-ids.js';
import type { CarrierDelays } from './carrier-delays.js';
import type { FreshWebhooks, TakenWebhooks } from './fresh-webhooks.js';
import { giveUp } from './give-up.js';
import type { NewWebhook, PendingWebhook } from './inbound-webhook.js';
import { claimAgain, claimWebhooks, hasWebhook, isTakenElsewhere, partArrivals } from './inbox.repository.js';
import type { IngestionMetrics } from './ingestion-metrics.js';
import { createIdRenamer } from './rename-call-ids.js';
import { fromInbox, fromMemory, unstored } from './sources.js';

export const BATCH = 500;
/** From so many on, handing them to another thread is worth it. */
const CROWD = 100;
/** The one that is worked off, and the next, which so need not wait until this thread has time to hand it over. */
const BATCHES_AT_ONCE = 2;
/** So many in memory are a full batch: those that came together are not parted. */
const FULL = 400;
/** For so many a crowd goes on without a pause in which more would gather. */
const ENOUGH = 200;
/**
 * While memory is never empty, only what is older is claimed from the inbox. Once in so long all is: the webhooks of a
 * process whose clock is ahead would have to wait.
 */
const CLAIM_ALL_EVERY_MS = 5000;

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
  /** How often all of the inbox is claimed from although memory is not empty, ms. */
  readonly claimAllEveryMs?: number;
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
  const { db, clock, log, metrics, fresh, tracing = NO_TRACING, claimAllEveryMs = CLAIM_ALL_EVERY_MS } = deps;
  const renameIds = createIdRenamer(db);
  let underWay = 0;
  let claimedAllAt = performance.now();

  const counted = (source: Source, count: (webhooks: number) => void): Source => ({
    ...source,
    async offer(tx) {
      const webhooks = await source.offer(tx);
      count(webhooks.length);
      return webhooks;
    },
  });

  /** They are all there or none. Of a database that is out of reach nothing is known. */
  const areStored = (webhooks: readonly NewWebhook[]): Promise<boolean> =>
    hasWebhook(db, webhooks[0]?.id ?? null).catch(() => false);

  const workOff = (source: Source): Promise<Batch> =>
    observed(source.held.length, (count) => processBatch(deps, counted(source, count)));

  async function observed(known: number, work: (count: (webhooks: number) => void) => Promise<Batch>): Promise<Batch> {
    const began = performance.now();
    let own = 0;
    const count = (webhooks: number): void => {
      underWay += webhooks - own;
      own = webhooks;
    };
    count(known);
    const working = tracing.span({ name: 'drain batch' }, async (note) => {
      const done = await work(count);
      note.set({ webhooks: done.webhooks.length });
      return done;
    });
    const batch = await working.finally(() => count(0));
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
      await partArrivals(
        db,
        held.map(({ id }) => id),
      );
      if (held.length === 1 && held[0]) await giveUp(deps, held[0], error);
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
      const webhooks = await claimWebhooks(tx, BATCH, claimedBefore());
      const known = fresh?.forget(webhooks.map(({ id }) => id)) ?? 0;
      // The oldest come first: behind a batch that memory held whole stands what memory holds, or has come since.
      leavesMore = webhooks.length >= BATCH && known < webhooks.length;
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

  /** Null: whatever is in the inbox. */
  function claimedBefore(): string | null {
    const oldest = fresh?.oldest() ?? null;
    const now = performance.now();
    if (oldest !== null && now - claimedAllAt < claimAllEveryMs) return oldest;
    claimedAllAt = now;
    return null;
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
      let isMore = false;
      const tell = (progress: Progress): void => {
        total += progress.done;
        isMore ||= progress.isMore;
      };
      const beside = createUnderWay(tell);
      for (let left = fresh?.count() ?? 0; left > 0 && !isStopping(); ) {
        const next = fresh?.take(BATCH);
        if (!next) break;
        left -= next.ids.length;
        const handedOver = attemptBeside(next);
        if (handedOver) {
          beside.add(handedOver);
          await beside.fewerThan(BATCHES_AT_ONCE);
          if (fresh && left < FULL) await beside.oneOr(fresh.whenHolds(FULL));
          if (fresh && fresh.count() >= ENOUGH) left = fresh.count();
        } else {
          if (beside.count() > 0) await beside.fewerThan(1);
          tell(await attempt(fromMemory(next.groups())));
        }
        if (isMore) {
          await beside.fewerThan(1);
          isMore = false;
          total += await all(isStopping);
        }
      }
      await beside.fewerThan(1);
      return isMore ? total + (await all(isStopping)) : total;
    },
  };
}

const progressOf = ({ webhooks, takenUp }: Batch): Progress => ({ done: webhooks.length, isMore: takenUp > 0 });
