import type Joi from 'joi';
import type { Platform } from '../../platform/platform.js';
import type { PeriodicJob } from '../../platform/queue/periodic.js';
import { skipAhead } from './events.repository.js';
import { createEventRoutes } from './events.routes.js';
import { createEventLog } from './events.service.js';
import { createEventSweeper, PRUNE_EVERY_MS } from './events.sweeper.js';

export {
  CALL_EVENT_TYPES,
  type CallEventType,
  EVENT_TYPES,
  type EventType,
  type NewEvent,
  type QueuedEvent,
  type StoredEvent,
} from './event.js';
export { presentEvent, presentRemoval } from './events.present.js';
export {
  type EventPage,
  findLogBounds,
  type LogBounds,
  newestSeq,
  readEventPage,
  readEventsAfter,
} from './events.repository.js';
export { callEventWith, callRemoval as callRemovalSchema, seq as seqSchema } from './events.schema.js';
export {
  type Closing,
  createEventLog,
  EVENTS_REWRITTEN_TOPIC,
  EVENTS_TOPIC,
  type EventLog,
  type Record,
} from './events.service.js';
export { createEventTail, type EventTail, type Following, type TailListener } from './events.tail.js';

/** More than an installation tells between a backup and its loss. */
const AFTER_RESTORE = 1_000_000;

export interface EventsParts {
  /** What a call log looks like, for the documents: that is the calls' own. */
  readonly callSchema?: Joi.ObjectSchema;
}

/**
 * The ordered event log of the accounts.
 *
 *   const events = createEvents(platform);
 *   await events.log.transaction(async (tx, record) => record({ accountId, type: 'call.ringing', … }));
 *
 * `log` is for every writer, `routes` for the role api, `jobs` for the role worker. The role live
 * makes its own tail with `createEventTail`.
 */
export function createEvents(platform: Platform, { callSchema }: EventsParts = {}) {
  const { db, wakeups, clock, log, config } = platform;
  const prune = createEventSweeper({ db, log, retentionSeconds: config.eventRetention });
  const jobs: readonly PeriodicJob[] = [{ name: 'prune-events', everyMs: PRUNE_EVERY_MS, run: prune }];
  return {
    log: createEventLog(db, wakeups),
    routes: createEventRoutes({ db, clock, callSchema }),
    jobs,
    prune,
    /** After a restore and before the first start: the next event of each account gets a place far above the last. */
    afterRestore: () => skipAhead(db, AFTER_RESTORE),
  };
}

export type Events = ReturnType<typeof createEvents>;
