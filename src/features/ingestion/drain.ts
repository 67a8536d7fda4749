/**
 * The worker's use case: takes pending webhooks from the inbox in batches and makes call logs and events of them. A
 * batch is one transaction: the locks of its rows, its effects and its marks commit together, so a crash at any point
 * leaves rows pending and nothing half done, and any number of workers may run.
 *
 * One bad row never spoils its batch: a batch that fails is halved down to the row that spoils it, which is tried
 * again a few times and then kept as `failed`. Faults of the database itself end the run; the next poke begins again.
 */
import type { Clock } from '../../lib/clock.js';
import type { Db } from '../../platform/db/connect.js';
import { isTransient } from '../../platform/db/errors.js';
import { run, runTogether, type Statement } from '../../platform/db/statement.js';
import type { Logger } from '../../platform/log.js';
import { NO_TRACING, type Tracing } from '../../platform/tracing.js';
import { type CallsWriter, type LegReports, legKey, type PlannedCalls } from '../calls/index.js';
import type { CarrierLine, Carriers } from '../carriers/index.js';
import type { EventLog } from '../events/index.js';
import type { CarrierDelays } from './carrier-delays.js';
import type { PendingWebhook, WebhookOutcome } from './inbound-webhook.js';
import { claimAgain, claimWebhooks, markWebhooks, postponeWebhook, takeUpWebhooks } from './inbox.repository.js';
import type { IngestionMetrics } from './ingestion-metrics.js';
import { outcomeOf } from './outcome.js';
import { claimSetAside, isStillSetAside } from './set-aside.js';
import { type Understood, understandWebhook } from './understand.js';
import { eraseFromWebhooks } from './webhook-erasure.js';

const BATCH = 500;
const RETRY_MS = [1000, 5000, 30_000, 120_000];

export interface DrainDeps {
  readonly db: Db;
  readonly eventLog: EventLog;
  readonly calls: CallsWriter;
  readonly carriers: Carriers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: IngestionMetrics;
  readonly tracing?: Tracing;
  /** Told what was understood, for the carriers' statistics. */
  readonly delays?: CarrierDelays;
}

/** Works until the inbox has nothing more to claim; answers how many webhooks were processed. */
export type Drain = (isStopping: () => boolean) => Promise<number>;

interface Progress {
  readonly done: number;
  /** Whether the inbox held more than was claimed, or holds it now. */
  readonly isMore: boolean;
}

interface Batch {
  readonly webhooks: readonly PendingWebhook[];
  readonly understood: readonly Understood[];
  readonly outcomes: readonly WebhookOutcome[];
  readonly takenUp: number;
}

export function createDrain(deps: DrainDeps): Drain {
  const { db, clock, log, metrics, tracing = NO_TRACING } = deps;

  async function attempt(claim: (tx: Db) => Promise<PendingWebhook[]>): Promise<Progress> {
    let claimed: readonly PendingWebhook[] = [];
    const began = performance.now();
    try {
      const batch = await tracing.span({ name: 'drain batch' }, async (note) => {
        const done = await processBatch(deps, async (tx) => {
          const webhooks = await claim(tx);
          claimed = webhooks;
          return webhooks;
        });
        note.set({ webhooks: done.webhooks.length });
        return done;
      });
      measure(batch, began);
      const { webhooks, takenUp } = batch;
      return { done: webhooks.length, isMore: webhooks.length === BATCH || takenUp > 0 };
    } catch (error) {
      if (claimed.length === 0 || isTransient(error)) throw error;
      if (claimed.length === 1 && claimed[0]) await giveUp(claimed[0], error);
      else await halve(claimed);
      return { done: claimed.length, isMore: true };
    }
  }

  async function halve(claimed: readonly PendingWebhook[]): Promise<void> {
    const middle = Math.ceil(claimed.length / 2);
    for (const half of [claimed.slice(0, middle), claimed.slice(middle)]) {
      await attempt((tx) =>
        claimAgain(
          tx,
          half.map((webhook) => webhook.id),
        ),
      );
    }
  }

  async function giveUp(webhook: PendingWebhook, error: unknown): Promise<void> {
    const wait = RETRY_MS[webhook.attempts];
    const detail = `Processing failed: ${error instanceof Error ? error.name : 'unknown'}.`;
    log.error({ err: error, webhookId: webhook.id, attempts: webhook.attempts + 1 }, 'webhook could not be processed');
    if (wait !== undefined) return postponeWebhook(db, webhook.id, clock.now() + wait, detail);
    const outcome = { status: 'failed', code: 'processing_failed', detail, eventType: null } as const;
    const unused = { callLogId: null, accountId: null, waitKeys: null, legKeys: null };
    for (const mark of markWebhooks([{ id: webhook.id, ...outcome, ...unused }], clock.now())) await run(db, mark);
  }

  function measure({ webhooks, understood, outcomes, takenUp }: Batch, began: number): void {
    if (webhooks.length === 0) return;
    metrics.batch(webhooks.length);
    const now = clock.now();
    const count = (status: WebhookOutcome['status']): number =>
      outcomes.filter((outcome) => outcome.status === status).length;
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
      deps.delays?.observe(webhook, understood[place]);
      if (outcome) metrics.processed(webhook.provider, outcome, (now - webhook.received_at.getTime()) / 1000);
    });
  }

  return async (isStopping) => {
    let total = 0;
    // What comes after a claim that took all there was has its own poke.
    for (let isMore = true; isMore && !isStopping(); ) {
      const progress = await attempt((tx) => claimWebhooks(tx, BATCH));
      isMore = progress.isMore;
      total += progress.done;
    }
    return total;
  };
}

async function processBatch(deps: DrainDeps, claim: (tx: Db) => Promise<PendingWebhook[]>): Promise<Batch> {
  const { eventLog, calls, clock } = deps;
  let planned: PlannedCalls | undefined;
  let outcomes: WebhookOutcome[] = [];
  let ahead: readonly Statement[] = [];
  let takenUp = 0;
  const batch = await eventLog.transaction(
    async (tx, record) => {
      const webhooks = await claim(tx);
      if (webhooks.length === 0) return { webhooks, understood: [] };
      const ids = webhooks.map((webhook) => webhook.id);
      const own = await understandAll(deps, webhooks);
      planned = await calls.plan(tx, own.legs);
      const setAside = await claimSetAside(tx, [...planned.plan.unplaced.keys()], ids);
      const earlier = await understandAll(deps, setAside);
      if (setAside.length > 0) planned = await calls.plan(tx, joinLegs(own.legs, earlier.legs));
      for (const event of planned.events) record(event);
      const { plan } = planned;
      outcomes = webhooks.map((webhook, place) => outcomeOf(webhook, own.understood[place], plan));
      const takenIn = setAside
        .map((webhook, place) => outcomeOf(webhook, earlier.understood[place], plan))
        .filter((outcome) => !isStillSetAside(outcome));
      takenUp = takenIn.length;
      ahead = takeUp(plan.arrivedKeys, [...ids, ...takenIn.map(({ id }) => id)], (count) => {
        takenUp += count;
      });
      outcomes.push(...takenIn);
      return { webhooks, understood: own.understood };
    },
    {
      ahead: () => ahead,
      placed: async (tx, events) => {
        const marks = markWebhooks(outcomes, clock.now());
        if (!planned) return marks;
        const last = [...calls.writing(planned, events), ...marks];
        if (planned.plan.erased.length === 0) return last;
        await runTogether(tx, last);
        await eraseFromWebhooks(tx, planned.plan.erased);
        return [];
      },
    },
  );
  return { ...batch, outcomes, takenUp };
}

function takeUp(keys: readonly string[], except: readonly string[], tell: (count: number) => void): Statement[] {
  if (keys.length === 0) return [];
  const statement = takeUpWebhooks(keys, except);
  return [{ ...statement, read: (rows) => tell(statement.read(rows)) }];
}

async function understandAll(
  deps: DrainDeps,
  webhooks: readonly PendingWebhook[],
): Promise<{ understood: Understood[]; legs: LegReports[] }> {
  const lines = await linesOf(deps.carriers, webhooks);
  const understood = webhooks.map((webhook) => understandSafely(deps, webhook, lines.get(webhook.carrier_id)));
  return { understood, legs: legsOf(webhooks, understood, lines) };
}

async function linesOf(carriers: Carriers, webhooks: readonly PendingWebhook[]): Promise<Map<string, CarrierLine>> {
  const ids = [...new Set(webhooks.map((webhook) => webhook.carrier_id))];
  const lines = await Promise.all(ids.map((id) => carriers.lookUpKept(id)));
  return new Map(lines.filter((line) => line !== null).map((line) => [line.id, line]));
}

/** An adapter that throws has a fault of its own: the webhook is kept as failed until it is mended. */
function understandSafely(deps: DrainDeps, webhook: PendingWebhook, line: CarrierLine | undefined): Understood {
  const failed = (code: string, detail: string): Understood => ({ kind: 'failed', eventType: null, code, detail });
  if (!line) return failed('unknown_carrier', 'The carrier is not known any more.');
  try {
    return understandWebhook(webhook, line);
  } catch (error) {
    deps.log.error({ err: error, webhookId: webhook.id, provider: line.provider }, 'webhook could not be understood');
    return failed('not_understood', 'The adapter failed on this webhook.');
  }
}

function legsOf(
  webhooks: readonly PendingWebhook[],
  understood: readonly Understood[],
  lines: ReadonlyMap<string, CarrierLine>,
): LegReports[] {
  const told = webhooks.flatMap((webhook, place) => {
    const words = understood[place];
    const line = lines.get(webhook.carrier_id);
    if (words?.kind !== 'reports' || !line) return [];
    const carrier = { id: line.id, accountId: line.accountId, provider: line.provider };
    return words.signals.map(({ callId, report }) => ({ carrierId: line.id, callId, carrier, reports: [report] }));
  });
  return joinLegs(told);
}

function joinLegs(...told: readonly (readonly LegReports[])[]): LegReports[] {
  const legs = new Map<string, LegReports & { reports: LegReports['reports'][number][] }>();
  for (const leg of told.flat()) {
    const key = legKey(leg.carrierId, leg.callId);
    const known = legs.get(key);
    if (known) known.reports.push(...leg.reports);
    else legs.set(key, { ...leg, reports: [...leg.reports] });
  }
  return [...legs.values()];
}
