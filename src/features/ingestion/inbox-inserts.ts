/** How webhooks get into the inbox: many in one statement, alone or together with what came of them. */
import type { Db } from '../../platform/db/connect.js';
import { arraysOf, bytesAt, joinBytes, namesIn, parametersOf, unnested } from '../../platform/db/row-arrays.js';
import { command, run, type Statement } from '../../platform/db/statement.js';
import type { NewWebhook, WebhookOutcome } from './inbound-webhook.js';

const NEW_TYPES = {
  id: 'uuid',
  carrier_id: 'uuid',
  account_id: 'uuid',
  provider: 'text',
  delivery_key: 'text',
  status: 'text',
  code: 'text',
  detail: 'text',
  method: 'text',
  path: 'text',
  received_at: 'timestamptz',
};
const NEW = namesIn(NEW_TYPES);

/** Prepared, as the other statements of a webhook's way that leave the planner no choice: half of a lone one's time is planning. */
const INSERT = { name: 'insert_webhooks', sql: insertSql('status') };

/**
 * What is not to be worked off is seen by a worker all the same where its account has had numbers erased: whether it has
 * is asked by the very statement that stores. An erasure that this does not see waits for its transaction. Nobody is
 * woken for it: it is found when the inbox is looked into next.
 */
const INSERT_IGNORED = {
  name: 'insert_ignored_webhooks',
  sql: insertSql(
    `case when status = 'ignored' and exists (select 1 from erasures e where e.account_id = w.account_id)
       then 'pending' else status end`,
  ),
};

function insertSql(status: string): string {
  const told = NEW.replace(' status,', ` ${status},`);
  return `
    with stored as (
      insert into inbound_webhooks (${NEW}, headers, body, processed_at)
      select ${told}, headers, ${bytesAt('start', 'length')},
        case when ${status} in ('new', 'pending') then null else received_at end
      from rows from (${unnested(NEW_TYPES)}, jsonb_array_elements(?::jsonb), unnest(?::int[], ?::int[]))
        as w (${NEW}, headers, start, length)
      on conflict on constraint inbound_webhooks_delivery_key do nothing
      returning id, status),
    arrived as (
      insert into webhook_arrivals (id, ids)
      select ids[1], ids from (select array_agg(id order by id) as ids from stored where status = 'new') as new
      where ids is not null)
    select id from stored`;
}

/** New ones share a row that tells that they wait. */
const newRow = (webhook: NewWebhook) => ({
  id: webhook.id,
  carrier_id: webhook.carrierId,
  account_id: webhook.accountId,
  provider: webhook.provider,
  delivery_key: webhook.deliveryKey,
  status: webhook.status === 'pending' ? 'new' : webhook.status,
  code: webhook.code,
  detail: webhook.detail,
  method: webhook.method,
  path: webhook.path,
  received_at: new Date(webhook.receivedAt),
});

/** Stores the webhooks that are not there yet, in one statement; answers the ids that were stored. */
export async function insertWebhooks(db: Db, webhooks: readonly NewWebhook[]): Promise<Set<string>> {
  const { bytes, starts, lengths } = joinBytes(webhooks.map(({ body }) => body));
  const headers = JSON.stringify(webhooks.map((webhook) => webhook.headers));
  const read = (stored: readonly unknown[]): Set<string> => new Set((stored as { id: string }[]).map(({ id }) => id));
  const columns = arraysOf(NEW_TYPES, webhooks.map(newRow));
  const isAllToDo = webhooks.every(({ status }) => status === 'pending');
  const bindings = [bytes, ...columns, headers, starts, lengths];
  return run(db, { ...(isAllToDo ? INSERT : INSERT_IGNORED), bindings, read });
}

const DONE_TYPES = { ...NEW_TYPES, event_type: 'text', call_log_id: 'uuid' };
const STORE_WORKED_OFF = {
  name: 'store_worked_off',
  sql: `select store_worked_off(?::timestamptz, ?::bytea, ?::int[], ?::int[], ?::jsonb, ${parametersOf(DONE_TYPES)})`,
};

/**
 * Stores webhooks together with what came of them. Fails in the database, so that nothing which is sent along takes
 * effect, when one of them is there already: `isTakenElsewhere`.
 */
export function storeWorkedOff(
  webhooks: readonly NewWebhook[],
  outcomes: readonly WebhookOutcome[],
  now: number,
): Statement[] {
  if (webhooks.length === 0) return [];
  const found = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
  const done = webhooks.map((webhook) => {
    const outcome = found.get(webhook.id);
    if (!outcome) throw new Error('Nothing is known of what came of a webhook.');
    return { webhook, outcome };
  });
  const rows = done.map(({ webhook, outcome }) => ({
    ...newRow(webhook),
    account_id: outcome.accountId ?? webhook.accountId,
    status: outcome.status,
    code: outcome.code,
    detail: outcome.detail,
    event_type: outcome.eventType,
    call_log_id: outcome.callLogId,
  }));
  const { bytes, starts, lengths } = joinBytes(webhooks.map(({ body }) => body));
  const lists = done.map(({ webhook: { headers }, outcome: { waitKeys, legKeys } }) => ({
    headers,
    wait_keys: waitKeys,
    leg_keys: legKeys,
  }));
  const bindings = [new Date(now), bytes, starts, lengths, JSON.stringify(lists), ...arraysOf(DONE_TYPES, rows)];
  return [command({ ...STORE_WORKED_OFF, bindings })];
}
