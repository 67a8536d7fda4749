/** The writing side of call logs, for whoever has reports: plan under locks, then write with the events' places. */
import type { Clock } from '../../lib/clock.js';
import type { SqlRunner } from '../../platform/db/connect.js';
import type { Statement } from '../../platform/db/statement.js';
import type { QueuedEvent } from '../events/index.js';
import { type CallEvent, eventsOf, timelineEntries } from './call-events.js';
import { withoutErasedIds } from './call-ids.js';
import { legKey } from './call-placement.js';
import { writeCalls } from './calls.repository.js';
import { lookAround, type Surroundings } from './look-around.js';
import { planRebuild, type RebuildQuestion } from './rebuild-plan.js';
import { type CallChange, type LegReports, planReports, type RecordPlan } from './record-reports.js';
import { loadGuard, type RecordingRules } from './recording-rules.js';

export interface PlannedCalls {
  readonly plan: RecordPlan;
  /** To be recorded in this order; `writing` gets them back with their places. */
  readonly events: readonly CallEvent[];
}

export interface PlannedRebuild extends PlannedCalls {
  /** Ids of call logs of which nothing states anything any more: left alone. */
  readonly unstated: readonly string[];
}

export interface CallsWriter {
  /** Takes the families' locks, which are held until the commit, and reads what a plan needs; asks `again` under them. */
  look(tx: SqlRunner, reports: readonly LegReports[], again?: readonly Statement<void>[]): Promise<Surroundings>;
  /**
   * What the reports change: those that were looked around for, or some of them.
   *
   * @throws CallIdsChanged ids of calls hold a number that was erased: they must be renamed before
   */
  plan(surroundings: Surroundings, reports: readonly LegReports[]): Promise<PlannedCalls>;
  /** The same for call logs made anew from all their webhooks: what they were is not joined, but replaced. */
  rebuild(tx: SqlRunner, question: RebuildQuestion): Promise<PlannedRebuild>;
  /** What writes the plan. `queue`: the planned events in the same order, with their places. */
  writing(planned: PlannedCalls, queue: readonly QueuedEvent[]): Statement[];
}

/** `rules`: what accounts want of facts before they are recorded. */
export function createCallsWriter(clock: Clock, rules: RecordingRules = {}): CallsWriter {
  return {
    look: lookAround,
    async plan(surroundings, reports) {
      const now = clock.now();
      const plan = await planReports(surroundings, reports, { now, rules });
      const changes = await settleIds(surroundings.tx, rules, plan.changes, () =>
        reports.filter(({ carrierId, callId }) => plan.unplaced.has(legKey(carrierId, callId))),
      );
      return { plan: { ...plan, changes }, events: changes.flatMap((change) => eventsOf(change, now)) };
    },
    async rebuild(tx, question) {
      const now = clock.now();
      const rebuilt = await planRebuild(tx, await withoutErased(question, rules), now);
      const { unstated } = rebuilt;
      const changes = question.isForShow ? rebuilt.changes : await settleIds(tx, rules, rebuilt.changes, () => []);
      const plan = { changes, placed: new Map(), unplaced: new Map(), arrivedKeys: [], expired: new Map(), erased: [] };
      return { plan, unstated, events: changes.flatMap((change) => eventsOf(change, now)) };
    },
    writing: ({ plan, events }, queue) => writeChanges(plan.changes, events, queue),
  };
}

async function settleIds(
  tx: SqlRunner,
  { callIds }: RecordingRules,
  changes: readonly CallChange[],
  unplaced: () => readonly LegReports[],
): Promise<readonly CallChange[]> {
  const rule = await callIds?.();
  return rule ? withoutErasedIds(tx, { changes, unplaced: unplaced() }, rule) : changes;
}

/** An erased party stays erased, whatever the webhooks still say. */
async function withoutErased(
  question: RebuildQuestion,
  { keptSince, ...rules }: RecordingRules,
): Promise<RebuildQuestion> {
  if (!rules.erasedIn) return question;
  const guard = await loadGuard(rules);
  return {
    ...question,
    async reread(calls) {
      const accounts = new Map(calls.map((call) => [call.id, call.account_id]));
      const told = await question.reread(calls);
      return new Map([...told].map(([id, reports]) => [id, guard.admit(accounts.get(id) ?? '', reports).reports]));
    },
  };
}

export function writeChanges(
  changes: readonly CallChange[],
  events: readonly CallEvent[],
  queue: readonly QueuedEvent[],
): Statement[] {
  return writeCalls(
    changes.map(({ after }) => after),
    timelineEntries(queue, events),
  );
}
