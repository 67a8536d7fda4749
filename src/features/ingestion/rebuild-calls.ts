/**
 * `switchboard rebuild-calls`: makes call logs anew from the kept webhooks, after an adapter was corrected. What comes
 * out otherwise is shown, and written as events; a call is left alone unless every webhook that its facts and its
 * timeline name is still kept (webhooks are deleted from the oldest on, so then the others are kept as well).
 * Webhooks that are understood only now, or that turn out to speak of other legs, are processed once more.
 */
import type { Knex } from 'knex';
import type { Clock } from '../../lib/clock.js';
import type { Db } from '../../platform/db/connect.js';
import { isTransient } from '../../platform/db/errors.js';
import {
  type CallRecord,
  type CallsWriter,
  type LegReports,
  legKey,
  type PlannedRebuild,
  presentCall,
  type Report,
  sourcesOf,
} from '../calls/index.js';
import type { CarrierLine, Carriers } from '../carriers/index.js';
import type { EventLog } from '../events/index.js';
import { type FindCallIdRule, withPresentIds } from './call-ids.js';
import { toldKeyOf } from './inbound-webhook.js';
import { queueAgain } from './inbox.repository.js';
import { findNewlyUnderstood } from './newly-understood.js';
import { legKeysOf } from './outcome.js';
import {
  type CallToRebuild,
  deliveryName,
  findKept,
  type KeptWebhook,
  listCallsToRebuild,
  listWebhooksOfCalls,
  type RebuildScope,
} from './rebuild.queries.js';
import { createIdRenamer } from './rename-call-ids.js';
import { type Understood, understandWebhook } from './understand.js';

const BATCH = 50;
const TRIES = 3;
const QUEUED_AT_ONCE = 1000;

export interface RebuildWish extends RebuildScope {
  /** Shows what would change and writes nothing. */
  readonly dryRun: boolean;
}

export interface RebuildResult {
  readonly looked: number;
  readonly changed: number;
  /** Left alone because not all of their webhooks are kept, or because one of them cannot be read. */
  readonly incomplete: number;
  /** Left alone because nothing states them any more. */
  readonly unstated: number;
  /** Webhooks that are processed once more. */
  readonly replayed: number;
}

export interface RebuildDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly eventLog: EventLog;
  readonly calls: CallsWriter;
  readonly carriers: Carriers;
  readonly callIds: FindCallIdRule;
}

interface Page {
  readonly planned: PlannedRebuild;
  readonly incomplete: readonly string[];
  readonly misplaced: readonly string[];
}

/** `tell` gets one line for each call log that changes. */
export async function rebuildCalls(
  deps: RebuildDeps,
  wish: RebuildWish,
  tell: (line: string) => void,
): Promise<RebuildResult> {
  const found = await findNewlyUnderstood(
    { db: deps.db, understand: understandWith(deps, deps.db) },
    await narrow(deps, wish),
  );
  const again = new Set(found.all);
  let [looked, changed, incomplete, unstated] = [0, 0, 0, 0];
  for (let after: string | null = null; ; ) {
    const calls: CallToRebuild[] = await listCallsToRebuild(deps.db, wish, { after, limit: BATCH });
    // What is processed once more joins the call then; shown beforehand it has to be counted in.
    const more = wish.dryRun ? calls.flatMap(({ id }) => found.byCall.get(id) ?? []) : [];
    const page = calls.length === 0 ? null : await rebuildPage(deps, { calls, more, dryRun: wish.dryRun });
    for (const line of page ? linesOf(page.planned) : []) {
      changed += 1;
      tell(line);
    }
    for (const id of page?.misplaced ?? []) again.add(id);
    looked += calls.length;
    incomplete += page?.incomplete.length ?? 0;
    unstated += page?.planned.unstated.length ?? 0;
    after = calls.at(-1)?.id ?? null;
    if (calls.length < BATCH) break;
  }
  if (!wish.dryRun) await replay(deps.db, [...again]);
  return { looked, changed, incomplete, unstated, replayed: again.size };
}

/** One call's unused webhooks are those of its carrier. */
async function narrow({ db }: RebuildDeps, wish: RebuildWish): Promise<RebuildScope & { carrierId?: string }> {
  if (wish.callId === undefined) return wish;
  const [call] = await listCallsToRebuild(db, wish, { after: null, limit: 1 });
  return call ? { ...wish, carrierId: call.carrier_id } : wish;
}

async function replay(db: Knex, ids: readonly string[]): Promise<void> {
  for (let from = 0; from < ids.length; from += QUEUED_AT_ONCE) {
    await queueAgain(db, ids.slice(from, from + QUEUED_AT_ONCE));
  }
}

interface PageWish {
  readonly calls: readonly CallToRebuild[];
  readonly more: readonly string[];
  readonly dryRun: boolean;
}

/** Tried again when the database chose it to give way to what arrives. */
async function rebuildPage(deps: RebuildDeps, wish: PageWish, tries = 1): Promise<Page> {
  try {
    if (wish.dryRun) return await deps.db.transaction((tx: Db) => planPage(deps, tx, wish));
    return await deps.eventLog.transaction(
      async (tx, record) => {
        const page = await planPage(deps, tx, wish);
        for (const event of page.planned.events) record(event);
        return page;
      },
      (_, { planned }, queue) => ({ writes: deps.calls.writing(planned, queue) }),
    );
  } catch (error) {
    if (tries >= TRIES || !(isTransient(error) || (await createIdRenamer(deps.db)(error)))) throw error;
    return rebuildPage(deps, wish, tries + 1);
  }
}

async function planPage(deps: RebuildDeps, tx: Db, wish: PageWish): Promise<Page> {
  const before = await readPage(deps, tx, wish);
  let complete = before;
  const incomplete: string[] = [];
  const planned = await deps.calls.rebuild(tx, {
    legs: before.legs,
    isForShow: wish.dryRun,
    async reread(records) {
      complete = await readPage(deps, tx, wish);
      const told = new Map<string, readonly Report[]>();
      const gone = await findIncomplete(tx, records, complete.deliveries);
      for (const record of records) {
        const leg = complete.byCall.get(record.id);
        if (!leg || gone.has(record.id) || complete.broken.has(record.id)) incomplete.push(record.id);
        else told.set(record.id, leg.reports);
      }
      return told;
    },
  });
  return { planned, incomplete, misplaced: complete.misplaced };
}

interface ReadPage {
  readonly legs: readonly LegReports[];
  readonly byCall: ReadonlyMap<string, LegReports>;
  /** Names of the deliveries that were read: one that held an erased number is not found by what facts call it. */
  readonly deliveries: ReadonlySet<string>;
  /** Ids of calls with a webhook on which the adapter fails. */
  readonly broken: ReadonlySet<string>;
  /** Webhooks that speak of legs that they were not joined to. */
  readonly misplaced: readonly string[];
}

async function readPage(deps: RebuildDeps, tx: Db, { calls, more }: PageWish): Promise<ReadPage> {
  const understand = understandWith(deps, tx);
  const legs = new Map<string, LegReports & { reports: Report[] }>();
  for (const call of calls) legs.set(keyOf(call), { ...(await nameOf(deps, call)), reports: [] });
  const keys = [...legs.keys()];
  const kept = await listWebhooksOfCalls(
    tx,
    calls.map(({ id }) => id),
    keys,
    more,
  );
  const keyById = new Map(calls.map((call) => [call.id, keyOf(call)]));
  const broken = new Set<string>();
  const misplaced: string[] = [];
  for (const webhook of kept) {
    const words = await understand(webhook);
    if (words.kind === 'failed' && words.code === 'not_understood' && webhook.call_log_id)
      broken.add(webhook.call_log_id);
    if (words.kind !== 'reports') continue;
    for (const { callId, report } of words.signals) legs.get(legKey(webhook.carrier_id, callId))?.reports.push(report);
    const joined = new Set([...(webhook.leg_keys ?? []), keyById.get(webhook.call_log_id ?? '')]);
    const isJoined = legKeysOf(webhook, words).every((key) => joined.has(key));
    if (webhook.call_log_id !== null && keyById.has(webhook.call_log_id) && !isJoined) misplaced.push(webhook.id);
  }
  const byCall = new Map(
    calls.flatMap((call) => {
      const leg = legs.get(keyOf(call));
      return leg ? [[call.id, leg] as const] : [];
    }),
  );
  const deliveries = new Set(kept.map((webhook) => deliveryName(webhook.carrier_id, toldKeyOf(webhook))));
  return { legs: [...legs.values()], byCall, deliveries, broken, misplaced };
}

const keyOf = (call: CallToRebuild): string => legKey(call.carrier_id, call.carrier_call_id);

async function nameOf({ carriers }: RebuildDeps, call: CallToRebuild): Promise<Omit<LegReports, 'reports'>> {
  const line = await carriers.lookUpKept(call.carrier_id);
  const carrier = { id: call.carrier_id, accountId: line?.accountId ?? null, provider: call.provider };
  return { carrierId: call.carrier_id, callId: call.carrier_call_id, carrier };
}

async function findIncomplete(
  tx: Db,
  records: readonly CallRecord[],
  deliveries: ReadonlySet<string>,
): Promise<Set<string>> {
  const named = records.map((record) => ({ record, sources: sourcesOf(record) }));
  const kept = await findKept(
    tx,
    named.flatMap(({ sources }) => sources.webhookIds),
    named.flatMap(({ record, sources }) =>
      sources.deliveryKeys.map((deliveryKey) => ({ carrierId: record.carrier_id, deliveryKey })),
    ),
  );
  const isKept = (name: string): boolean => kept.has(name) || deliveries.has(name);
  const gone = named.filter(
    ({ record, sources }) =>
      sources.webhookIds.some((id) => !kept.has(id)) ||
      sources.deliveryKeys.some((key) => !isKept(deliveryName(record.carrier_id, key))),
  );
  return new Set(gone.map(({ record }) => record.id));
}

/** With the ids of calls as they are now. An adapter that throws on a webhook has a fault: nothing is concluded from it. */
function understandWith({ carriers, callIds }: RebuildDeps, db: Db): (webhook: KeptWebhook) => Promise<Understood> {
  const failed = (code: string): Understood => ({ kind: 'failed', eventType: null, code, detail: '' });
  return async (webhook) => {
    const line: CarrierLine | null = await carriers.lookUpKept(webhook.carrier_id);
    if (!line) return failed('not_understood');
    let words: Understood;
    try {
      words = understandWebhook(webhook, line);
    } catch {
      return failed('not_understood');
    }
    const lines = new Map([[line.id, line]]);
    const told = await withPresentIds(db, await callIds(), { webhooks: [webhook], understood: [words], lines });
    return told.understood[0] ?? words;
  };
}

/** `<id> <provider> <carrier's id>: member: old → new; …`, for what is seen of a change. */
function linesOf({ plan }: PlannedRebuild): string[] {
  return plan.changes.flatMap(({ before, after }) => {
    if (!before) return [];
    const [old, fresh] = [presentCall(before), presentCall(after)];
    const members = (Object.keys(fresh) as (keyof typeof fresh)[]).filter(
      (member) => member !== 'updated_at' && JSON.stringify(old[member]) !== JSON.stringify(fresh[member]),
    );
    if (members.length === 0) return [];
    const told = members.map((member) => `${member}: ${spell(old[member])} → ${spell(fresh[member])}`);
    return [`${after.id} ${after.provider} ${after.carrier_call_id}: ${told.join('; ')}`];
  });
}

const spell = (value: unknown): string => (value === null ? 'none' : String(value));
