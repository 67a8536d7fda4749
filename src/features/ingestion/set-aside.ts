/**
 * Webhooks that say too little each may say enough together: one tells the direction, another the parties. What came in
 * one batch is joined anyway; what came earlier and was set aside is taken in here, so that batches change nothing.
 */
import type { SqlRunner } from '../../platform/db/connect.js';
import type { PendingWebhook, WebhookOutcome } from './inbound-webhook.js';
import { CLAIMED, SET_ASIDE } from './inbox.repository.js';

/** A call id that is used over and over by a mistake must not make every batch endless. */
const MOST = 500;

/** What was set aside of these legs, the newest first to be kept, locked until the commit. */
export async function claimSetAside(
  tx: SqlRunner,
  legKeys: readonly string[],
  except: readonly string[],
): Promise<PendingWebhook[]> {
  if (legKeys.length === 0) return [];
  const { rows } = await tx.raw<{ rows: PendingWebhook[] }>(
    `with found as materialized (
       select distinct w.id from unnest(?::text[]) as key
       cross join lateral (select id from inbound_webhooks where wait_keys @> array[key] offset 0) as w
       order by w.id desc limit ?)
     select ${CLAIMED} from inbound_webhooks
     where id in (select id from found) and status <> 'pending' and code = any(?::text[]) and id <> all(?::uuid[])
     order by id for update`,
    [[...legKeys], MOST, SET_ASIDE, [...except]],
  );
  return rows;
}

export const isSetAside = ({ code }: WebhookOutcome): boolean => code !== null && SET_ASIDE.includes(code);

/**
 * A webhook that is set aside once more stays as it was, and does not begin to wait anew; unless what has come says for
 * what it waits in vain, such as the number that nobody holds.
 */
export const staysSetAside = (webhook: PendingWebhook, outcome: WebhookOutcome): boolean =>
  isSetAside(outcome) && (outcome.status === 'waiting' || outcome.code === webhook.code);
