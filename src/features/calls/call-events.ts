/**
 * What a change of a call log tells: each newly stated fact once, in the order in which calls go through them; any
 * other change as one `call.updated`. Every event of a change shows the call as the transaction leaves it.
 */

import { isoTime } from '../../lib/iso-time.js';
import type { CallState } from '../carriers/index.js';
import type { NewEvent, QueuedEvent } from '../events/index.js';
import type { ToldEntry } from './call.js';
import { NO_FACTS, newlyStated } from './call-facts.js';
import { isSameView } from './call-record.js';
import { type CallView, timeOfState, viewCall } from './call-view.js';
import { presentCall } from './calls.present.js';
import type { CallRecord } from './calls.repository.js';
import type { CallChange } from './record-reports.js';

/** An event with the webhook that caused it, for the timeline. */
export interface CallEvent extends NewEvent {
  readonly webhookId: string | null;
}

/** What a filter or a permission may look at; told with an event where it changed. */
const judged = ({ direction, user_id, virtual_number_id, tags }: CallRecord): Record<string, unknown> => ({
  direction,
  user_id,
  virtual_number_id,
  tags,
});

export function eventsOf(change: CallChange, now: number): CallEvent[] {
  const { before, after } = change;
  const common = {
    accountId: after.account_id,
    subjectId: after.id,
    payload: presentCall(after),
    before: before && before.direction !== after.direction ? judged(before) : null,
  };
  // A rebuild may have taken back a state that was told; when it is stated again it is not told again.
  const told = new Set(before?.timeline.map((entry) => entry.type));
  const stated = newlyStated(before?.facts ?? NO_FACTS, after.facts).filter((state) => !told.has(`call.${state}`));
  if (stated.length > 0) {
    const view = viewCall(after.facts);
    // What was before counts for the first of them: a call leaves a filter once.
    return stated.map((state, place) => {
      const { type, occurredAt, receivedAt, webhookId } = stateEvent(after, view, state);
      return {
        accountId: common.accountId,
        type,
        subjectId: common.subjectId,
        occurredAt,
        receivedAt,
        payload: common.payload,
        before: place === 0 ? common.before : null,
        webhookId,
      };
    });
  }
  if (before && isSameView(before, after)) return [];
  return [{ ...common, type: 'call.updated', ...causeOf(change, now) }];
}

function stateEvent(
  record: CallRecord,
  view: CallView | null,
  state: CallState,
): Pick<CallEvent, 'type' | 'occurredAt' | 'receivedAt' | 'webhookId'> {
  const fact = record.facts.states[state];
  const arrived = fact?.arrived ?? record.last_news_at.getTime();
  const occurredAt = (view && timeOfState(view, state)) ?? arrived;
  return { type: `call.${state}`, occurredAt, receivedAt: arrived, webhookId: fact?.webhookId ?? null };
}

/** The report that came last, else (a parent found, closed as lost) the moment itself. */
function causeOf({ reports }: CallChange, now: number): Pick<CallEvent, 'occurredAt' | 'receivedAt' | 'webhookId'> {
  const [last] = reports.toSorted((a, b) => b.receivedAt - a.receivedAt);
  if (!last) return { occurredAt: now, receivedAt: now, webhookId: null };
  return { occurredAt: last.occurredAt ?? last.receivedAt, receivedAt: last.receivedAt, webhookId: last.webhookId };
}

/** The entries that events add to the calls' timelines, by call log id. `queue`: the planned events, in that order. */
export function timelineEntries(
  queue: readonly QueuedEvent[],
  planned: readonly Pick<CallEvent, 'webhookId'>[],
): Map<string, ToldEntry[]> {
  const entries = new Map<string, ToldEntry[]>();
  queue.forEach((event, place) => {
    const list = entries.get(event.subjectId) ?? [];
    entries.set(event.subjectId, list);
    list.push({
      behind: event.behind,
      type: event.type,
      occurred_at: isoTime(event.occurredAt),
      received_at: isoTime(event.receivedAt),
      inbound_webhook_id: planned[place]?.webhookId ?? null,
    });
  });
  return entries;
}
