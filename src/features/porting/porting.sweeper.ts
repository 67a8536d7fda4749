import type { Clock } from '../../lib/clock.js';
import type { Db } from '../../platform/db/connect.js';
import type { SecretBox } from '../../platform/secret-box.js';
import type { EventLog } from '../events/index.js';
import { type Journal, note, saveChanges, tell } from './order-journal.js';
import { DRAFT_LIFETIME_MS, dayOf, type PortedNumber, type PortOrder } from './port-order.js';
import { SYSTEM } from './port-timeline.repository.js';
import { findNewlyHeard, keepFirstCall } from './ported-numbers.repository.js';
import { lockNewlyOverdue, lockOldDrafts, lockOrder, updateOrder } from './porting.repository.js';

declare module '../../platform/queue/queue.js' {
  interface JobMap {
    'tend-port-orders': Record<string, never>;
  }
}

export const TEND_EVERY_MS = 60_000;
const BATCH = 100;

interface SweeperDeps {
  readonly db: Db;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly secrets: SecretBox;
}

export interface Tended {
  readonly expired: number;
  readonly overdue: number;
  readonly heard: number;
}

/** What time does to port orders: drafts expire, promised days pass, first calls come in. */
export function createPortingSweeper({ db, eventLog, clock, secrets: box }: SweeperDeps) {
  /** Batches of locked orders until none is left; answers how many there were. */
  async function sweep(
    lock: (tx: Db, now: number) => Promise<PortOrder[]>,
    settle: (journal: Journal, order: PortOrder) => Promise<unknown>,
  ): Promise<number> {
    let total = 0;
    for (let count = BATCH; count === BATCH; total += count) {
      count = await eventLog.transaction(async (tx, record) => {
        const journal = { tx, record, box, now: clock.now() };
        const orders = await lock(tx, journal.now);
        for (const order of orders) await settle(journal, order);
        return orders.length;
      });
    }
    return total;
  }

  async function noteFirstCalls(): Promise<number> {
    let total = 0;
    for (let count = BATCH; count === BATCH; total += count) {
      const heard = await findNewlyHeard(db, BATCH);
      for (const number of heard) {
        await eventLog.transaction((tx, record) => tellFirstCall({ tx, record, box, now: clock.now() }, number));
      }
      count = heard.length;
    }
    return total;
  }

  return async function tend(): Promise<Tended> {
    const expired = await sweep((tx, now) => lockOldDrafts(tx, now - DRAFT_LIFETIME_MS, BATCH), expireDraft);
    const overdue = await sweep((tx, now) => lockNewlyOverdue(tx, dayOf(now), BATCH), tellOverdue);
    return { expired, overdue, heard: await noteFirstCalls() };
  };
}

/** The system's move in the table. */
const expireDraft = (journal: Journal, draft: PortOrder): Promise<PortOrder> =>
  saveChanges(journal, {
    before: draft,
    after: { ...draft, status: 'canceled', cancelReason: 'draft_expired', canceledAt: journal.now },
    hand: SYSTEM,
  });

/** Answers show the flag from the day itself; this is for those who follow the log. */
async function tellOverdue(journal: Journal, order: PortOrder): Promise<void> {
  const told = { ...order, focOverdueAt: journal.now };
  await updateOrder(journal.tx, told);
  await note(journal, told, { action: 'foc_overdue', hand: SYSTEM, details: { foc_date: order.focDate } });
  await tell(journal, told, { type: 'port_order.updated' });
}

async function tellFirstCall(journal: Journal, number: PortedNumber): Promise<void> {
  const order = await lockOrder(journal.tx, { accountId: number.accountId }, number.portOrderId);
  if (!order || !(await keepFirstCall(journal.tx, number))) return;
  const first = {
    phone_number: number.phoneNumber,
    first_call_at: new Date(number.firstCallAt ?? journal.now).toISOString(),
  };
  await note(journal, order, { action: 'first_call_seen', hand: SYSTEM, details: first });
  await tell(journal, order, { type: 'port_order.updated', more: { first_call: first } });
}
