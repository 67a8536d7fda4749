import type { Clock } from '../../lib/clock.js';
import type { Metrics } from '../../platform/metrics.js';
import type { StoredEvent } from '../events/index.js';

/** The way of an event, hop by hop. */
export const HOPS = ['carrier_to_arrival', 'arrival_to_commit', 'commit_to_sent', 'arrival_to_sent'] as const;
export type Hop = (typeof HOPS)[number];

export interface HopSummary {
  readonly count: number;
  /** Milliseconds; null without events. */
  readonly p50: number | null;
  readonly p99: number | null;
}

const MINUTES = 5;
/** Buckets grow by a tenth: a quantile is right to 5 %, from 0.1 ms to about a day. */
const GROWTH = Math.log(1.1);
const BUCKETS = 220;

interface Minute {
  readonly minute: number;
  readonly hops: Readonly<Record<Hop, Uint32Array>>;
}

/** Delays of the last minutes by account, and histograms over everybody for `/metrics`. */
export interface Delays {
  observe(event: StoredEvent, sentAt: number): void;
  summary(accountId: string): Record<Hop, HopSummary>;
}

export function createDelays(clock: Clock, metrics: Metrics): Delays {
  const seconds = metrics.histogram('switchboard_live_hop_seconds', 'Way of a call event, hop by hop.', ['hop']);
  const accounts = new Map<string, Minute[]>();

  const minuteNow = (): number => Math.floor(clock.now() / 60_000);

  return {
    observe(event, sentAt) {
      const committedAt = event.committedAt ?? sentAt;
      const hops: Record<Hop, number> = {
        carrier_to_arrival: event.receivedAt - event.occurredAt,
        arrival_to_commit: committedAt - event.receivedAt,
        commit_to_sent: sentAt - committedAt,
        arrival_to_sent: sentAt - event.receivedAt,
      };
      const minute = currentMinute(accounts, event.accountId, minuteNow());
      for (const hop of HOPS) {
        const ms = Math.max(hops[hop], 0);
        seconds.observe({ hop }, ms / 1000);
        const bucket = bucketOf(ms);
        minute.hops[hop][bucket] = (minute.hops[hop][bucket] ?? 0) + 1;
      }
    },
    summary(accountId) {
      const kept = (accounts.get(accountId) ?? []).filter(({ minute }) => minute > minuteNow() - MINUTES);
      if (kept.length === 0) accounts.delete(accountId);
      const entries = HOPS.map((hop) => [hop, summarise(kept.map(({ hops }) => hops[hop]))] as const);
      return Object.fromEntries(entries) as Record<Hop, HopSummary>;
    },
  };
}

function currentMinute(accounts: Map<string, Minute[]>, accountId: string, now: number): Minute {
  const minutes = accounts.get(accountId) ?? [];
  const last = minutes.at(-1);
  if (last?.minute === now) return last;
  const hops = Object.fromEntries(HOPS.map((hop) => [hop, new Uint32Array(BUCKETS)])) as Record<Hop, Uint32Array>;
  const fresh = { minute: now, hops };
  for (const [id, kept] of accounts) if ((kept.at(-1)?.minute ?? 0) <= now - MINUTES) accounts.delete(id);
  accounts.set(accountId, [...minutes.filter(({ minute }) => minute > now - MINUTES), fresh]);
  return fresh;
}

const bucketOf = (ms: number): number =>
  ms <= 0.1 ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / 0.1) / GROWTH));

/** Its middle. */
const bucketMs = (bucket: number): number => Math.round(0.1 * Math.exp((bucket - 0.5) * GROWTH) * 10) / 10;

function summarise(histograms: readonly Uint32Array[]): HopSummary {
  const sums = Array.from({ length: BUCKETS }, (_, bucket) =>
    histograms.reduce((total, histogram) => total + (histogram[bucket] ?? 0), 0),
  );
  const count = sums.reduce((total, bucket) => total + bucket, 0);
  return { count, p50: quantile(sums, count, 0.5), p99: quantile(sums, count, 0.99) };
}

function quantile(sums: readonly number[], count: number, share: number): number | null {
  if (count === 0) return null;
  let seen = 0;
  const bucket = sums.findIndex((inBucket) => {
    seen += inBucket;
    return seen >= Math.ceil(count * share);
  });
  return bucketMs(bucket);
}
