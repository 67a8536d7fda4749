/**
 * Call logs made anew from their webhooks, after an adapter was corrected. Under the same locks as new reports: the
 * facts are folded from nothing, so that what was misread before goes; holder, tags and note are not of the facts and
 * stay. What comes out otherwise is told like any other change.
 */
import { isDeepStrictEqual } from 'node:util';
import type { SqlRunner } from '../../platform/db/connect.js';
import { runTogether } from '../../platform/db/statement.js';
import { CALL_STATES, type CallFacts, foldReports, NO_FACTS, type Report } from './call-facts.js';
import { legKey } from './call-placement.js';
import { buildRecord, isSameView } from './call-record.js';
import { viewCall } from './call-view.js';
import { type CallRecord, loadFamilies, lockFamilies } from './calls.repository.js';
import { createFamilies } from './families.js';
import { namesOf, wholeSessions } from './look-around.js';
import { type CallChange, collectChanges, type LegReports } from './record-reports.js';

export interface RebuildQuestion {
  /** The legs with what their webhooks say, as read before the locks: they name the families. */
  readonly legs: readonly LegReports[];
  /** Reads again under the locks: all reports of a call by its id. A call that it leaves out is left alone. */
  reread(calls: readonly CallRecord[]): Promise<ReadonlyMap<string, readonly Report[]>>;
  /** Nothing is written of it: ids that must be renamed before that may be as they are. */
  readonly isForShow: boolean;
}

export interface RebuildPlan {
  readonly changes: readonly CallChange[];
  readonly unstated: readonly string[];
}

export async function planRebuild(tx: SqlRunner, { legs, reread }: RebuildQuestion, now: number): Promise<RebuildPlan> {
  const names = namesOf(legs);
  const [, records] = await runTogether(tx, [lockFamilies(names), loadFamilies(names)]);
  const families = createFamilies(records, wholeSessions(names, records));
  const wanted = new Set(legs.map(({ carrierId, callId }) => legKey(carrierId, callId)));
  const own = records.filter((record) => wanted.has(legKey(record.carrier_id, record.carrier_call_id)));
  const told = await reread(own);
  const unstated: string[] = [];
  for (const record of own) {
    const reports = told.get(record.id);
    if (!reports) continue;
    const facts = foldReports(reports, record.facts.lost ? { ...NO_FACTS, lost: true } : NO_FACTS);
    if (viewCall(facts) === null) unstated.push(record.id);
    else families.put(rebuilt(record, facts, now));
  }
  // Without reports: what changes is told as of now, not as of a webhook that said so long ago.
  return { changes: collectChanges([], families, now), unstated };
}

function rebuilt(known: CallRecord, facts: CallFacts, now: number): CallRecord {
  const record = buildRecord({ base: known, facts, reports: [] });
  if (!isSameView(known, record)) return { ...record, updated_at: new Date(now) };
  return isDeepStrictEqual(facts, known.facts) ? known : record;
}

/** The webhooks that a call log's facts and timeline name: without all of them it cannot be made anew. */
export interface CallSources {
  readonly webhookIds: readonly string[];
  readonly deliveryKeys: readonly string[];
}

export function sourcesOf({ facts, timeline }: Pick<CallRecord, 'facts' | 'timeline'>): CallSources {
  const first = CALL_STATES.map((state) => facts.states[state]?.webhookId);
  const causes = timeline.map((entry) => entry.inbound_webhook_id);
  const ranks = [facts.end?.rank, ...Object.values(facts.registers).map((register) => register?.rank)];
  return {
    webhookIds: [...new Set([...first, ...causes].filter((id) => id !== undefined && id !== null))],
    deliveryKeys: [...new Set(ranks.filter((rank) => rank !== undefined).map((rank) => rank[3]))],
  };
}
