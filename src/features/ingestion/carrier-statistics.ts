import type { Knex } from 'knex';
import type { Actor } from '../../http/actor.js';
import { type AnyRoute, route } from '../../http/route.js';
import type { Clock } from '../../lib/clock.js';
import type { Db } from '../../platform/db/connect.js';
import type { Carriers } from '../carriers/index.js';
import { summariseDelays } from './carrier-delays.js';
import type { WebhookStatus } from './inbound-webhook.js';
import { carrierStatisticsAnswer } from './inbound-webhooks.schema.js';

/** Whether a carrier is silent, late or misunderstood: what came over it in the last day and what became of it. */

const SPAN_MS = 86_400_000;

interface ResultCount {
  readonly status: WebhookStatus;
  readonly code: string | null;
  readonly count: number;
  readonly deliveries: number;
}

/**
 * New webhooks were processed but for those that still wait, who are few: so what came of each of the many others need
 * not be read.
 */
export async function countResults(db: Db, carrierId: string, from: Date): Promise<ResultCount[]> {
  const counts = 'count(*) as count, sum(w.deliveries) as deliveries';
  const asked = 'w.carrier_id = :carrierId and w.received_at >= :from';
  const { rows } = await db.raw<{ rows: ResultCount[] }>(
    `with stored as (
       select w.status, w.code, ${counts} from inbound_webhooks w where ${asked} group by w.status, w.code),
     arrived as (
       select w.code, ${counts} from webhook_arrivals a cross join unnest(a.ids) as i (id)
       join inbound_webhooks w on w.id = i.id where ${asked} group by w.code),
     seen as (
       select case status when 'new' then 'processed' else status end as status, code, count, deliveries from stored
       union all select 'pending', code, count, deliveries from arrived
       union all select 'processed', code, -count, -deliveries from arrived)
     select status, code, sum(count)::bigint as count, sum(deliveries)::bigint as deliveries from seen
     group by status, code having sum(count) > 0 order by sum(count) desc, status, code`,
    { carrierId, from },
  );
  return rows;
}

/** An own carrier's calls are the account's; those of a shared one are looked for in the short index of the unlucky. */
async function countLostCalls(db: Db, carrierId: string, accountId: string | null, from: Date): Promise<number> {
  const { rows } = await db.raw<{ rows: { count: number }[] }>(
    `select count(*) as count from call_logs
     where status = 'ended' and disposition = 'lost' and carrier_id = ? and started_at >= ?
       ${accountId === null ? '' : 'and account_id = ?'}`,
    [carrierId, from, ...(accountId === null ? [] : [accountId])],
  );
  return rows[0]?.count ?? 0;
}

interface Deps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly carriers: Carriers;
  /** Writes what this process gathered. */
  flush(): Promise<void>;
}

async function readStatistics(deps: Deps, actor: Actor, id: string): Promise<Record<string, unknown>> {
  const { db, clock, carriers } = deps;
  const carrier = await carriers.service.get(actor, id);
  await deps.flush();
  const now = clock.now();
  const from = new Date(now - SPAN_MS);
  const results = await countResults(db, id, from);
  const countOf = (status: WebhookStatus): number =>
    results.filter((row) => row.status === status).reduce((sum, { count }) => sum + count, 0);
  return {
    carrier_id: id,
    from: from.toISOString(),
    until: new Date(now).toISOString(),
    webhooks: {
      total: results.reduce((sum, { count }) => sum + count, 0),
      deliveries: results.reduce((sum, { deliveries }) => sum + deliveries, 0),
      pending: countOf('pending'),
      waiting: countOf('waiting'),
      processed: countOf('processed'),
      ignored: countOf('ignored'),
      failed: countOf('failed'),
    },
    results: results.map(({ status, code, count }) => ({ status, code, count })),
    delay: await summariseDelays(db, id, from),
    lost_calls: await countLostCalls(db, id, carrier.account_id, from),
    accepted_count: carrier.accepted_count,
    refused_count: carrier.refused_count,
    last_accepted: carrier.last_accepted,
    last_refused: carrier.last_refused,
  };
}

export function carrierStatisticsRoutes(deps: Deps): AnyRoute[] {
  return [
    route<{ readonly id: string }>({
      method: 'get',
      path: '/api/carriers/:id/statistics/',
      summary: 'What came over a carrier in the last 24 hours, and what became of it',
      description:
        'Webhooks by result, how long they were on the way, and calls whose end never came: so that a silent or late ' +
        'carrier is seen.',
      tag: 'Carriers',
      access: 'bearer',
      role: 'admin',
      scope: 'carriers:read',
      responses: { 200: { description: 'The statistics.', schema: carrierStatisticsAnswer } },
      handle: ({ actor, params }) => readStatistics(deps, actor, params.id),
    }),
  ];
}
