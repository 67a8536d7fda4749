/** Call logs: the merge of what carriers report (writing side), and what people and programs read. */
export type { CallFacts, Report } from './call-facts.js';
export { legKey, numberKey, sessionKey } from './call-placement.js';
export { closeLostCalls } from './calls.sweeper.js';
export { type CallsWriter, createCallsWriter, type PlannedCalls } from './calls.writer.js';
export type { LegReports, RecordPlan, ReportingCarrier } from './record-reports.js';
