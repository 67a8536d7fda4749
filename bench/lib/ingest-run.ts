import type pg from 'pg';
import { type LoadRequest, type LoadResult, sendLoad } from './http-load.js';
import { withClient } from './installation.js';
import { makeTraffic } from './traffic.js';
import { type Line, WEBHOOK_SECRET } from './world.js';

export interface TrafficWish {
  readonly calls: number;
  readonly tag: string;
  readonly seed: number;
  readonly weights?: readonly number[];
}

export const trafficFor = (lines: readonly Line[], wish: TrafficWish): LoadRequest[] =>
  makeTraffic({
    ...wish,
    paths: lines.map(({ path }) => path),
    numbers: lines.map(({ numbers }) => numbers),
    secret: WEBHOOK_SECRET,
  });

export interface RunOptions {
  readonly port: number;
  readonly databaseUrl: string;
  readonly requests: readonly LoadRequest[];
  /** The ids of the requests begin with it. */
  readonly tag: string;
  readonly rate: number | null;
  /** False: nobody works the inbox off, so a webhook is done when it is stored. */
  readonly isProcessed: boolean;
  /** Takes the times of the sendings, epoch ms by id. */
  readonly sent?: Map<string, number>;
}

export interface RunResult {
  /** Webhooks with their call log committed (or only stored) each second, from the first sending to the last commit. */
  readonly committedPerSecond: number;
  readonly answeredPerSecond: number;
  /** Milliseconds from the sending to the answer. */
  readonly toAnswer: readonly number[];
  /** Milliseconds from the sending to the commit of the call log, as PostgreSQL keeps the times of commits. */
  readonly toCommit: readonly number[];
}

export const CONNECTIONS = 64;

/** Drives the requests and waits until nothing is pending. @throws Error when an answer was no 2xx */
export async function runIngest(options: RunOptions): Promise<RunResult> {
  const { port, databaseUrl, requests, rate } = options;
  const load = await sendLoad(requests, { port, connections: CONNECTIONS, rate });
  const refused = Object.entries(load.statuses).filter(([status]) => !status.startsWith('2'));
  if (refused.length > 0) throw new Error(`Not all webhooks were taken: ${JSON.stringify(load.statuses)}`);
  for (const [id, at] of load.sentAt) options.sent?.set(id, at);
  const toCommit = await withClient(databaseUrl, async (client) => {
    if (options.isProcessed) await settled(client);
    return commitTimes(client, options.tag, load);
  });
  const first = Math.min(...load.sentAt.values());
  return {
    committedPerSecond: (requests.length / (toCommit.last - first)) * 1000,
    answeredPerSecond: requests.length / load.seconds,
    toAnswer: load.latencies,
    toCommit: toCommit.delays,
  };
}

const PATIENCE_MS = 600_000;

export async function settled(client: pg.Client): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { rowCount } = await client.query(
      `(select 1 from webhook_arrivals limit 1) union all (select 1 from inbound_webhooks where status = 'pending' limit 1)`,
    );
    if (rowCount === 0) return;
    if (Date.now() > deadline) throw new Error('The inbox was not worked off in time.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A repeated delivery is counted on the row later, which hides the commit that matters: those rows are left out. */
async function commitTimes(
  client: pg.Client,
  tag: string,
  load: LoadResult,
): Promise<{ last: number; delays: number[] }> {
  const { rows } = await client.query<{ key: string; at: number }>(
    `select w.delivery_key as key,
       (extract(epoch from pg_xact_commit_timestamp(coalesce(o.xmin, w.xmin))) * 1000)::float8 as at
     from inbound_webhooks w left join webhook_outcomes o on o.webhook_id = w.id
     where w.delivery_key like $1 and w.deliveries = 1`,
    [`${tag}-%`],
  );
  const delays = rows.flatMap(({ key, at }) => {
    const sent = load.sentAt.get(key);
    return sent === undefined ? [] : [at - sent];
  });
  return { last: Math.max(...rows.map(({ at }) => at)), delays };
}
