/**
 * Closes calls whose end never came: without news for LOST_CALL_AFTER since the last webhook's arrival. The mark is one
 * more fact of the call, so that what comes later is joined with it; a reported end takes its place.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../lib/clock.js';
import type { EventLog } from '../events/index.js';
import { eventsOf } from './call-events.js';
import { buildRecord } from './call-record.js';
import { type CallRecord, lockSilentCalls } from './calls.repository.js';
import { writeChanges } from './calls.writer.js';
import type { CallChange } from './record-reports.js';

const BATCH = 500;

export interface LostCallsDeps {
  readonly eventLog: EventLog;
  readonly clock: Clock;
  /** Seconds. */
  readonly lostCallAfter: number;
}

/** Closes all that are due; answers how many. */
export async function closeLostCalls({ eventLog, clock, lostCallAfter }: LostCallsDeps): Promise<number> {
  let total = 0;
  for (let count = BATCH; count === BATCH; total += count) {
    const closed = await eventLog.transaction(
      async (tx, record) => {
        const now = clock.now();
        const silent = await lockSilentCalls(tx, now - lostCallAfter * 1000, BATCH);
        const changes = silent.map((before): CallChange => ({ before, after: closeAsLost(before, now), reports: [] }));
        const events = changes.flatMap((change) => eventsOf(change, now));
        for (const event of events) record(event);
        return { changes, events };
      },
      (_, { changes, events }, queue) => ({ writes: writeChanges(changes, events, queue) }),
    );
    count = closed.changes.length;
  }
  return total;
}

function closeAsLost(call: CallRecord, now: number): CallRecord {
  const facts = { ...call.facts, lost: true as const };
  if (isDeepStrictEqual(facts, call.facts)) return call;
  return { ...buildRecord({ base: call, facts, reports: [] }), updated_at: new Date(now) };
}
