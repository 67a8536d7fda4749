import type { Clock } from '../../lib/clock.js';
import type { Db } from '../../platform/db/connect.js';
import { type Logger, throttledWarn } from '../../platform/log.js';
import type { AcceptedWebhook, RefusedWebhook } from './carrier.js';
import { addActivity } from './carriers.repository.js';

const FLUSH_EVERY_MS = 1000;
const MOST_CARRIERS = 10_000;
const LONGEST_DETAIL = 500;

interface Heard {
  accepted: AcceptedWebhook | null;
  refused: RefusedWebhook | null;
  acceptedCount: number;
  refusedCount: number;
}

export interface CarrierActivity {
  /** A webhook of the carrier stands on durable storage. `at`: ms since 1970. */
  accepted(carrierId: string, info: { readonly at: number; readonly inboundWebhookId?: string | null }): void;
  /** A webhook for the carrier was turned away (signature, time, unreadable body): counted, never stored. */
  refused(carrierId: string, info: { readonly at: number; readonly code: string; readonly detail: string }): void;
  /** Writes what was gathered; never rejects: what could not be written is kept for the next time. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** What was heard on the lines, gathered in memory and written at most once a second, in one statement. */
export function createCarrierActivity(deps: { db: Db; clock: Clock; log: Logger }): CarrierActivity {
  let heard = new Map<string, Heard>();
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<void> | undefined;
  let lastFlush = Number.NEGATIVE_INFINITY;
  const warn = throttledWarn(deps.log, 'activity of carriers could not be written');

  function writeSoon(): void {
    timer ??= setTimeout(() => void flush(), Math.max(0, lastFlush + FLUSH_EVERY_MS - performance.now())).unref();
  }

  function of(carrierId: string): Heard {
    const known = heard.get(carrierId);
    if (known) return known;
    const fresh: Heard = { accepted: null, refused: null, acceptedCount: 0, refusedCount: 0 };
    if (heard.size < MOST_CARRIERS) heard.set(carrierId, fresh);
    writeSoon();
    return fresh;
  }

  async function write(): Promise<void> {
    const batch = heard;
    heard = new Map();
    try {
      await addActivity(deps.db, [...batch].map(toRow));
    } catch (error) {
      for (const [id, entry] of heard) batch.set(id, join(batch.get(id), entry));
      heard = batch;
      warn(error);
    }
    lastFlush = performance.now();
    if (heard.size > 0) writeSoon();
  }

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    while (flushing) await flushing;
    if (heard.size === 0) return;
    flushing = write().finally(() => {
      flushing = undefined;
    });
    await flushing;
  }

  return {
    accepted(carrierId, { at, inboundWebhookId = null }) {
      const entry = of(carrierId);
      entry.acceptedCount += 1;
      entry.accepted = { at: new Date(at).toISOString(), inbound_webhook_id: inboundWebhookId };
    },
    refused(carrierId, { at, code, detail }) {
      const entry = of(carrierId);
      entry.refusedCount += 1;
      entry.refused = { at: new Date(at).toISOString(), code, detail: storable(detail) };
    },
    flush,
    async close() {
      await flush();
      clearTimeout(timer);
    },
  };
}

/** jsonb takes neither NUL nor a lone surrogate, and a detail may quote what a stranger sent. */
const storable = (text: string): string =>
  text
    .slice(0, LONGEST_DETAIL)
    .replaceAll('\0', ' ')
    .replaceAll(/\p{Surrogate}/gu, '\ufffd');

function join(before: Heard | undefined, after: Heard): Heard {
  if (!before) return after;
  return {
    accepted: after.accepted ?? before.accepted,
    refused: after.refused ?? before.refused,
    acceptedCount: before.acceptedCount + after.acceptedCount,
    refusedCount: before.refusedCount + after.refusedCount,
  };
}

const toRow = ([carrierId, entry]: [string, Heard]) => ({
  carrier_id: carrierId,
  last_event_at: entry.accepted?.at ?? null,
  last_accepted: entry.accepted,
  last_refused: entry.refused,
  accepted_count: entry.acceptedCount,
  refused_count: entry.refusedCount,
});
