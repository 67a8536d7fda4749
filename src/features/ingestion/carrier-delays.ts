/**
 * How long carriers' webhooks are on the way: from the time that the carrier tells to the arrival. Gathered in the
 * worker and written now and then, off the path of the webhooks; a crash loses a few seconds of it.
 */
import type { Knex } from 'knex';
import type { Clock } from '../../lib/clock.js';
import type { Db } from '../../platform/db/connect.js';
import type { Logger } from '../../platform/log.js';
import type { Metrics } from '../../platform/metrics.js';
import type { SeenWebhook } from './batch.js';
import { IMPORTED, type PendingWebhook } from './inbound-webhook.js';
import type { Understood } from './understand.js';

const FLUSH_EVERY_MS = 5000;
const HOUR_MS = 3_600_000;
const KEPT_MS = 7 * 24 * HOUR_MS;
/** What is worked off for the first time later than this came in an outage of ours: not telling. */
const FRESH_MS = 600_000;
const BASE = 1.1;
const LAST_BUCKET = 250;
const SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 21_600, 86_400];

/** Bucket k holds the delays from 1.1^k − 1 ms up to 1.1^(k + 1) − 1 ms. */
const bucketOf = (ms: number): number =>
  Math.min(LAST_BUCKET, Math.floor(Math.log(Math.max(0, ms) + 1) / Math.log(BASE)));

/** The upper end of a bucket, in seconds. */
const secondsOf = (bucket: number): number => Math.round(BASE ** (bucket + 1) - 1) / 1000;

export interface CarrierDelays {
  /** A webhook was worked off, which had been on its way for so long; counted the first time alone. */
  observe(webhook: SeenWebhook, delay: number | null): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** From the latest told time of the webhook, which is what made the carrier send it; null: none is told. */
export function delayOf(webhook: Pick<PendingWebhook, 'received_at'>, words: Understood | undefined): number | null {
  if (words?.kind !== 'reports') return null;
  const told = words.signals.flatMap(({ report }) => report.occurredAt ?? []);
  return told.length === 0 ? null : Math.max(0, webhook.received_at.getTime() - Math.max(...told));
}

export function createCarrierDelays(deps: { db: Knex; clock: Clock; log: Logger; metrics: Metrics }): CarrierDelays {
  const { db, clock, log } = deps;
  const histogram = deps.metrics.histogram(
    'switchboard_carrier_delay_seconds',
    'From the time that the carrier tells to the arrival of the webhook.',
    ['provider'],
    SECONDS,
  );
  let counts = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let flushing = Promise.resolve();

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const batch = [...counts].map(([key, count]) => ({ key, count }));
    counts = new Map();
    if (batch.length > 0) {
      flushing = flushing
        .then(() => addDelays(db, batch))
        .catch((error: unknown) => log.warn({ err: error, lost: batch.length }, 'delays could not be written'));
    }
    return flushing;
  }

  return {
    observe(webhook, delay) {
      const receivedAt = webhook.received_at.getTime();
      if (delay === null || !webhook.is_new || webhook.method === IMPORTED || clock.now() - receivedAt > FRESH_MS)
        return;
      histogram.observe({ provider: webhook.provider }, delay / 1000);
      const key = `${webhook.carrier_id} ${receivedAt - (receivedAt % HOUR_MS)} ${bucketOf(delay)}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      timer ??= setTimeout(() => void flush(), FLUSH_EVERY_MS).unref();
    },
    flush,
    close: flush,
  };
}

/** In the order of the keys, so that two processes never wait for each other in a circle. */
async function addDelays(db: Db, batch: readonly { key: string; count: number }[]): Promise<void> {
  const rows = batch.map(({ key, count }) => {
    const [carrier_id, hour, bucket] = key.split(' ');
    return { carrier_id, hour: new Date(Number(hour)).toISOString(), bucket: Number(bucket), count };
  });
  await db.raw(
    `insert into carrier_delays as d (carrier_id, hour, bucket, count)
     select carrier_id, hour, bucket, count
     from jsonb_to_recordset(?::jsonb) as r (carrier_id uuid, hour timestamptz, bucket smallint, count bigint)
     order by carrier_id, hour, bucket
     on conflict (carrier_id, hour, bucket) do update set count = d.count + excluded.count`,
    [JSON.stringify(rows)],
  );
}

export interface DelaySummary {
  readonly count: number;
  /** Seconds; null: nothing was told. */
  readonly p50: number | null;
  readonly p99: number | null;
}

export async function summariseDelays(db: Db, carrierId: string, from: Date): Promise<DelaySummary> {
  const { rows } = await db.raw<{ rows: { bucket: number; count: number }[] }>(
    `select bucket, sum(count)::bigint as count from carrier_delays
     where carrier_id = ? and hour >= date_trunc('hour', ?::timestamptz, 'UTC') group by bucket order by bucket`,
    [carrierId, from],
  );
  const count = rows.reduce((sum, row) => sum + row.count, 0);
  return { count, p50: rankOf(rows, count, 0.5), p99: rankOf(rows, count, 0.99) };
}

/** Nearest rank. */
function rankOf(rows: readonly { bucket: number; count: number }[], count: number, share: number): number | null {
  let left = Math.ceil(count * share);
  for (const row of rows) {
    left -= row.count;
    if (left <= 0) return secondsOf(row.bucket);
  }
  return null;
}

export async function deleteOldDelays(db: Db, now: number): Promise<void> {
  await db.raw('delete from carrier_delays where hour < ?', [new Date(now - KEPT_MS)]);
}
