import type { Knex } from 'knex';
import type { Clock } from '../../lib/clock.js';
import { run } from '../../platform/db/statement.js';
import { numberKey } from '../calls/index.js';
import { findNumbersHeldSince } from '../numbers/index.js';
import { deleteOldWebhooks, endWaiting, takeUpForgotten, takeUpWebhooks } from './inbox.repository.js';

/** How long a webhook waits for one of the same call before it is passed over. */
const WAIT_MS = 600_000;
const BATCH = 5000;

/** Twice the period of the sweep and more, so that each claim is looked at at least once after its commit. */
const CLAIMED_WITHIN_MS = 120_000;

/**
 * Takes up once more what should have been: webhooks of numbers that were claimed lately (the claim's own replay is lost
 * with its process, and a webhook that was being processed while the number was claimed saw nobody hold it), and
 * waiting ones whose call is here.
 */
export async function takeUpMissed(db: Knex, clock: Clock): Promise<number> {
  const numbers = await findNumbersHeldSince(db, new Date(clock.now() - CLAIMED_WITHIN_MS));
  let total = await takeUpForgotten(db);
  for (let from = 0; from < numbers.length; from += BATCH) {
    total += await run(db, takeUpWebhooks(numbers.slice(from, from + BATCH).map(numberKey)));
  }
  return total;
}

/** Passes over what has waited too long. */
export async function sweepWaiting(db: Knex, clock: Clock): Promise<number> {
  let total = 0;
  for (let count = BATCH; count === BATCH; total += count) count = await endWaiting(db, clock.now() - WAIT_MS);
  return total;
}

/** Deletes processed and ignored webhooks past their retention (failed ones stay until they are replayed or deleted). */
export async function sweepOldWebhooks(db: Knex, clock: Clock, retentionSeconds: number): Promise<number> {
  let total = 0;
  for (let count = BATCH; count === BATCH; total += count) {
    count = await deleteOldWebhooks(db, clock.now(), retentionSeconds, BATCH);
  }
  return total;
}
