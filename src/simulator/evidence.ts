/** What the switchboard holds of a run. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Api, Json } from './api.js';
import type { RunFacts } from './journal.js';

export interface Evidence {
  readonly logs: readonly Json[];
  /** Call events by the id of their call log, ascending. */
  readonly events: ReadonlyMap<string, readonly Json[]>;
  /** Timelines of some call logs, by id. */
  readonly timelines: ReadonlyMap<string, readonly Json[]>;
  readonly webhooks: readonly Json[];
}

const POLL_MS = 500;
/** One request each: a sample is enough, since the events are looked at without exception. */
const TIMELINES = 100;

/** Waits until no webhook of the run waits for a worker; false: time ran out. */
export async function awaitBacklog(api: Api, facts: RunFacts, patience: number): Promise<boolean> {
  const deadline = Date.now() + patience;
  for (;;) {
    const pending = await api.list(`/api/inbound_webhooks/?${ofRun(facts)}&status=pending&limit=1`);
    if (pending.length === 0) return true;
    if (Date.now() > deadline) return false;
    await pause(POLL_MS);
  }
}

const ofRun = ({ carriers }: RunFacts): string => `carrier_id=${Object.values(carriers).join(',')}`;

export async function gatherEvidence(api: Api, facts: RunFacts): Promise<Evidence> {
  const logs = await gather(api, `/api/call_logs/?${ofRun(facts)}&limit=500`);
  const webhooks = await gather(api, `/api/inbound_webhooks/?${ofRun(facts)}&limit=500`);
  const ids = new Set(logs.map(({ id }) => String(id)));
  const events = new Map<string, Json[]>();
  for await (const event of api.all(`/api/call_events/?after=${facts.afterSeq}&limit=500`)) {
    const id = String((event.call as Json).id);
    if (!ids.has(id)) continue;
    events.set(id, [...(events.get(id) ?? []), event]);
  }
  const timelines = new Map<string, readonly Json[]>();
  const step = Math.max(1, Math.floor(logs.length / TIMELINES));
  for (const { id } of logs.filter((_, i) => i % step === 0).slice(0, TIMELINES)) {
    timelines.set(String(id), await api.list(`/api/call_logs/${id}/events/`));
  }
  return { logs, events, timelines, webhooks };
}

async function gather(api: Api, path: string): Promise<Json[]> {
  const rows: Json[] = [];
  for await (const row of api.all(path)) rows.push(row);
  return rows;
}
