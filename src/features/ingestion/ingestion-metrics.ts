import type { Metrics } from '../../platform/metrics.js';
import type { Verdict } from './batch.js';
import type { Backlog } from './inbox.repository.js';

export interface IngestionMetrics {
  accepted(provider: string, isNew: boolean): void;
  refused(provider: string, code: string): void;
  processed(provider: string, outcome: Verdict, seconds: number): void;
  batch(size: number): void;
  backlog(found: Backlog, now: number): void;
  lost(calls: number): void;
}

export function createIngestionMetrics(metrics: Metrics): IngestionMetrics {
  const received = metrics.counter(
    'switchboard_webhooks_received_total',
    'Webhooks by provider and what the door said.',
    ['provider', 'result'],
  );
  const processed = metrics.counter(
    'switchboard_webhooks_processed_total',
    'Webhooks by provider and what came of them.',
    ['provider', 'status', 'code'],
  );
  const delay = metrics.histogram(
    'switchboard_webhook_delay_seconds',
    'From the arrival to the commit of its effect.',
    ['provider'],
  );
  const batches = metrics.histogram(
    'switchboard_drain_batch_webhooks',
    'Webhooks in a batch.',
    [],
    [1, 5, 20, 50, 100, 200, 500],
  );
  const backlog = metrics.gauge('switchboard_webhooks_backlog', 'Webhooks that wait for a worker.');
  const oldest = metrics.gauge('switchboard_webhooks_oldest_seconds', 'Since the oldest waiting webhook arrived.');
  const lost = metrics.counter('switchboard_calls_lost_total', 'Calls closed because their end never came.');
  return {
    lost: (calls) => lost.inc(calls),
    accepted: (provider, isNew) => received.inc({ provider, result: isNew ? 'stored' : 'duplicate' }),
    refused: (provider, code) => received.inc({ provider, result: code }),
    processed(provider, outcome, seconds) {
      processed.inc({ provider, status: outcome.status, code: outcome.code ?? '' });
      if (outcome.status === 'processed') delay.observe({ provider }, seconds);
    },
    batch: (size) => batches.observe(size),
    backlog(found, now) {
      backlog.set(found.count);
      oldest.set(found.oldest === null ? 0 : Math.max(0, now - found.oldest) / 1000);
    },
  };
}
