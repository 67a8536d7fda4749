/**
 * A batch of the drain: one transaction in which webhooks become call logs and events. That they wait no longer, their
 * effects and what came of them commit together, so a crash at any point leaves rows pending and nothing half done.
 */
import type { SqlRunner } from '../../platform/db/connect.js';
import type { Statement } from '../../platform/db/statement.js';
import type { Beginning } from '../../platform/db/transaction.js';
import { type ErasedFromWebhook, type LegReports, legKey, type PlannedCalls, type RecordPlan } from '../calls/index.js';
import type { CarrierLine, Carriers } from '../carriers/index.js';
import { type Told, withPresentIds } from './call-ids.js';
import { delayOf } from './carrier-delays.js';
import type { DrainDeps } from './drain.js';
import { erasedFrom, type WorkedOff } from './erased-in-webhooks.js';
import { CARRIER_INACTIVE, type NewWebhook, type PendingWebhook, type WebhookOutcome } from './inbound-webhook.js';
import { isPlain, keepOutcomes, lockWebhooks, markWebhooks, takeUpWebhooks } from './inbox.repository.js';
import { storeWorkedOff } from './inbox-inserts.js';
import { outcomeOf } from './outcome.js';
import { claimSetAside, isSetAside, staysSetAside } from './set-aside.js';
import { type Understood, understandWebhook } from './understand.js';
import { eraseFromWebhooks } from './webhook-erasure.js';

export type BatchDeps = Pick<DrainDeps, 'eventLog' | 'calls' | 'callIds' | 'clock' | 'log'> & {
  readonly carriers: Pick<Carriers, 'lookUpKept'>;
};

/** Where the webhooks of a batch come from. */
export interface Source {
  readonly beginning?: Beginning;
  /** What the batch holds, as far as that is known. */
  readonly held: readonly PendingWebhook[];
  /** What locks their rows until the commit, where the offer does not. */
  readonly claim: readonly Statement[];
  offer(tx: SqlRunner): Promise<readonly PendingWebhook[]>;
  /** Those that are not in the inbox yet: they are stored with what came of them. */
  readonly unstored?: readonly NewWebhook[];
}

export interface Batch {
  readonly webhooks: readonly SeenWebhook[];
  /** How long each of them was on its way, as `delayOf` has it. */
  readonly delays: readonly (number | null)[];
  /** Of the webhooks in their order, then of those that were set aside and are judged otherwise now. */
  readonly outcomes: readonly Verdict[];
  /** How many others found their call now, or are pending again because it has come. */
  takenUp: number;
}

/** What statistics count a webhook by. */
export type SeenWebhook = Pick<PendingWebhook, 'provider' | 'carrier_id' | 'is_new' | 'method' | 'received_at'>;

export type Verdict = Pick<WebhookOutcome, 'status' | 'code'>;

/** A batch whose work is done, with what is still to be written. */
interface Work extends Batch {
  readonly webhooks: readonly PendingWebhook[];
  readonly outcomes: readonly WebhookOutcome[];
  /** Ids of those whose outcome is kept beside their row. */
  readonly plain: ReadonlySet<string>;
  readonly planned: PlannedCalls | null;
  readonly erased: readonly ErasedFromWebhook[];
}

const NOTHING = { webhooks: [], delays: [], outcomes: [], plain: new Set<string>(), planned: null, erased: [] };

export function processBatch(deps: BatchDeps, source: Source): Promise<Batch> {
  return deps.eventLog.leanTransaction<Work>(
    async (tx, record) => {
      const work = await workOff(deps, tx, source);
      for (const event of work.planned?.events ?? []) record(event);
      return work;
    },
    (tx, work, queue) => {
      const { locks, stores, marks } = settle(work, source, deps.clock.now());
      return {
        ahead: [...source.claim, ...locks, ...stores, ...takeUp(work)],
        writes: [...(work.planned ? deps.calls.writing(work.planned, queue) : []), ...marks],
        finish: eraseAfter(tx, work),
      };
    },
    source.beginning,
  );
}

async function workOff(deps: BatchDeps, tx: SqlRunner, source: Source): Promise<Work> {
  const { calls } = deps;
  const webhooks = await source.offer(tx);
  if (webhooks.length === 0) return { ...NOTHING, takenUp: 0 };
  const { words: own, told } = await understandAll(deps, tx, webhooks);
  const ownLegs = legsOf(own);
  const surroundings = await calls.look(tx, ownLegs, told.again);
  told.confirm();
  let planned = await calls.plan(surroundings, ownLegs);
  const ids = webhooks.map((webhook) => webhook.id);
  const setAside = await claimSetAside(tx, [...planned.plan.unplaced.keys()], ids);
  const { words: earlier, told: toldEarlier } = await understandAll(deps, tx, setAside);
  if (setAside.length > 0) {
    const legs = joinLegs(ownLegs, legsOf(earlier));
    const around = await calls.look(tx, legs, toldEarlier.again);
    toldEarlier.confirm();
    planned = await calls.plan(around, legs);
  }
  const { plan } = planned;
  const done = own.map((words) => finish(words, plan));
  const judgedAnew = earlier
    .map((words) => finish(words, plan))
    .filter(({ webhook, outcome }) => !staysSetAside(webhook, outcome));
  const all = [...done, ...judgedAnew];
  const erased = await erasedFrom(tx, await deps.callIds(), {
    ...{ webhooks: all, ids: [...told.ids, ...toldEarlier.ids], plan },
  });
  const takenUp = judgedAnew.filter(({ outcome }) => !isSetAside(outcome)).length;
  const delays = own.map(({ webhook, understood }) => delayOf(webhook, understood));
  const outcomes = all.map(({ outcome }) => outcome);
  const plain = new Set(
    all.filter(({ webhook, outcome }) => isPlain(webhook, outcome)).map(({ webhook }) => webhook.id),
  );
  return { webhooks, delays, planned, erased, outcomes, plain, takenUp };
}

function finish({ webhook, understood, line }: Words, plan: RecordPlan): WorkedOff & { outcome: WebhookOutcome } {
  const outcome = outcomeOf(webhook, understood, plan);
  return { webhook, outcome, accountId: outcome.accountId ?? line?.accountId ?? null };
}

function settle(work: Work, { unstored = [] }: Source, now: number): Record<'locks' | 'stores' | 'marks', Statement[]> {
  const unknown = new Set(unstored.map(({ id }) => id));
  const known = unknown.size === 0 ? work.outcomes : work.outcomes.filter(({ id }) => !unknown.has(id));
  const kept = known.filter(({ id }) => work.plain.has(id));
  const marked = known.filter(({ id }) => !work.plain.has(id));
  const written = [...marked.map(({ id }) => id), ...work.erased.map(({ webhookId }) => webhookId)];
  return {
    locks: lockWebhooks([...new Set(written)]),
    stores: storeWorkedOff(unstored, work.outcomes, now),
    marks: [...keepOutcomes(kept, now), ...markWebhooks(marked, now)],
  };
}

/** Webhooks that waited for what this batch brings become pending again. */
function takeUp(work: Work): Statement[] {
  const keys = work.planned?.plan.arrivedKeys ?? [];
  if (keys.length === 0) return [];
  const ids = [...work.webhooks, ...work.outcomes].map(({ id }) => id);
  const statement = takeUpWebhooks(keys, [...new Set(ids)]);
  const read = (rows: readonly unknown[]): void => {
    work.takenUp += statement.read(rows);
  };
  return [{ ...statement, read }];
}

/** What the webhooks themselves must not show any longer goes when they are marked; undefined: there is nothing. */
function eraseAfter(tx: SqlRunner, { erased }: Work): (() => Promise<void>) | undefined {
  return erased.length === 0 ? undefined : () => eraseFromWebhooks(tx, erased);
}

/** A webhook with what it says; `line` undefined: its carrier is not known any more. */
interface Words {
  readonly webhook: PendingWebhook;
  readonly understood: Understood;
  readonly line: CarrierLine | undefined;
}

/** With the ids of calls as they are now. */
async function understandAll(
  deps: BatchDeps,
  tx: SqlRunner,
  webhooks: readonly PendingWebhook[],
): Promise<{ readonly words: Words[]; readonly told: Told }> {
  const lines = await linesOf(deps.carriers, webhooks);
  const understood = webhooks.map((webhook) => understandSafely(deps, webhook, lines.get(webhook.carrier_id)));
  const told = await withPresentIds(tx, await deps.callIds(), { webhooks, understood, lines });
  const words = webhooks.map((webhook, place) => ({
    webhook,
    understood: told.understood[place] as Understood,
    line: lines.get(webhook.carrier_id),
  }));
  return { words, told };
}

async function linesOf(
  carriers: BatchDeps['carriers'],
  webhooks: readonly PendingWebhook[],
): Promise<Map<string, CarrierLine>> {
  const ids = [...new Set(webhooks.map((webhook) => webhook.carrier_id))];
  const lines = await Promise.all(ids.map((id) => carriers.lookUpKept(id)));
  return new Map(lines.filter((line) => line !== null).map((line) => [line.id, line]));
}

/** An adapter that throws has a fault of its own: the webhook is kept as failed until it is mended. */
function understandSafely({ log }: BatchDeps, webhook: PendingWebhook, line: CarrierLine | undefined): Understood {
  const failed = (code: string, detail: string): Understood => ({ kind: 'failed', eventType: null, code, detail });
  if (webhook.code === CARRIER_INACTIVE.code) return { kind: 'ignored', eventType: null, ...CARRIER_INACTIVE };
  if (!line) return failed('unknown_carrier', 'The carrier is not known any more.');
  try {
    return understandWebhook(webhook, line);
  } catch (error) {
    log.error({ err: error, webhookId: webhook.id, provider: line.provider }, 'webhook could not be understood');
    return failed('not_understood', 'The adapter failed on this webhook.');
  }
}

function legsOf(words: readonly Words[]): LegReports[] {
  const told = words.flatMap(({ understood, line }) => {
    if (understood.kind !== 'reports' || !line) return [];
    const carrier = { id: line.id, accountId: line.accountId, provider: line.provider };
    return understood.signals.map(({ callId, report }) => ({
      carrierId: line.id,
      callId,
      carrier,
      reports: [report],
    }));
  });
  return joinLegs(told);
}

function joinLegs(...told: readonly (readonly LegReports[])[]): LegReports[] {
  const legs = new Map<string, LegReports & { reports: LegReports['reports'][number][] }>();
  for (const leg of told.flat()) {
    const key = legKey(leg.carrierId, leg.callId);
    const known = legs.get(key);
    if (known) known.reports.push(...leg.reports);
    else
      legs.set(key, { carrierId: leg.carrierId, callId: leg.callId, carrier: leg.carrier, reports: [...leg.reports] });
  }
  return [...legs.values()];
}
