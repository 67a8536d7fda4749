import type { AnyRoute } from '../../http/route.js';
import type { Platform } from '../../platform/platform.js';
import type { EventLog } from '../events/index.js';
import { callsRoutes } from './calls.routes.js';
import { type CallsService, createCallsService } from './calls.service.js';

export { CALL_COLUMNS, CALL_DIRECTIONS, CALL_DISPOSITIONS, CALL_STATUSES, type CallRow } from './call.js';
export {
  type CallFacts,
  foldReports,
  LONGEST_CAUSE,
  type Register,
  type Report,
  withCauses,
  withDeliveryKeys,
} from './call-facts.js';
export { type CallFilters, conditionsOf, joinSql, ownedBy, type Sql, sql, startedWithin } from './call-filters.js';
export { callFilterKeys } from './call-filters.schema.js';
export {
  type CallIdRule,
  CallIdsChanged,
  type ErasedInId,
  type FindErased,
  type IdKind,
  type Rename,
  type RenamingState,
  wholeOnes,
} from './call-id-rule.js';
export { idWithout, renameOf } from './call-ids.js';
export { findOwnLegs, findRenamed, renameCallIds, renameParents } from './call-ids.repository.js';
export { legKey, numberKey, sessionKey } from './call-placement.js';
export { buildRecord } from './call-record.js';
export { presentCall } from './calls.present.js';
export { type CallRecord, writeCalls } from './calls.repository.js';
export { callAnswer } from './calls.schema.js';
export type { CallMarks, CallsService } from './calls.service.js';
export { closeLostCalls } from './calls.sweeper.js';
export { type CallsWriter, createCallsWriter, type PlannedCalls, type PlannedRebuild } from './calls.writer.js';
export { type CallSources, type RebuildQuestion, sourcesOf } from './rebuild-plan.js';
export type { LegReports, RecordPlan, ReportingCarrier } from './record-reports.js';
export type { ErasedFromWebhook, ErasedIn, ErasedParty, KeptSince, RecordingRules } from './recording-rules.js';

/**
 * Call logs. The writing side (`createCallsWriter`) joins what carriers report, inside the transaction of whoever has
 * the reports; this is what people and programs read, and the tags and notes that they write.
 *
 * @example
 * const calls = createCalls(platform, { eventLog: events.log });
 * mount(calls.routes);
 *
 * Reports take the list's filters by `callFilterKeys()` (Joi) and `conditionsOf(filters)` (SQL on `call_logs c`), with
 * `ownedBy(visibility)` and `startedWithin(filters)` beside them.
 */
export interface Calls {
  readonly service: CallsService;
  readonly routes: readonly AnyRoute[];
}

export function createCalls(platform: Platform, deps: { readonly eventLog: EventLog }): Calls {
  const service = createCallsService(platform, deps);
  return { service, routes: callsRoutes(service) };
}
