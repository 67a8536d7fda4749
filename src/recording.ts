/** What turns reports into call logs, and the rules that accounts have for it: for every thread that works webhooks off. */
import { type CallsWriter, createCallsWriter } from './features/calls/index.js';
import { createErasureRule, type ErasureRule } from './features/erasure/index.js';
import { createRetentionRule, type RetentionRule } from './features/retention/index.js';
import type { Platform } from './platform/platform.js';

export interface Recording {
  readonly writer: CallsWriter;
  readonly retentionRule: RetentionRule;
  readonly erasureRule: ErasureRule;
}

export function createRecording(platform: Pick<Platform, 'db' | 'clock' | 'wakeups' | 'secrets'>): Recording {
  const retentionRule = createRetentionRule(platform);
  const erasureRule = createErasureRule(platform);
  const { keptSince } = retentionRule;
  const { erasedIn, callIds } = erasureRule;
  return { retentionRule, erasureRule, writer: createCallsWriter(platform.clock, { keptSince, erasedIn, callIds }) };
}
