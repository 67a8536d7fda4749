import { type Actor, hasRole } from '../../http/actor.js';
import type { IdSlice, Page } from '../../http/pagination.js';
import { newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import type { Platform } from '../../platform/platform.js';
import type { EventLog, Record as RecordEvent } from '../events/index.js';
import { findHolders, type Numbers } from '../numbers/index.js';
import { editOrder, type OrderInput, type OrderPatch } from './order-changes.js';
import { type Journal, note, saveChanges, tell } from './order-journal.js';
import { applyPatch } from './order-patch.js';
import { listDocuments } from './port-documents.repository.js';
import { dayOf, isOver, type PortedNumber, type PortOrder } from './port-order.js';
import type { Hand } from './port-timeline.repository.js';
import { insertPortedNumbers, listPortedNumbers, listSilentNumbers } from './ported-numbers.repository.js';
import { notSubmittable, portOrderNotFound } from './porting.errors.js';
import type { OrderParts } from './porting.present.js';
import { findOrder, listOrders, type OrderFilters } from './porting.queries.js';
import { insertOrder, lockOrder, type PortScope } from './porting.repository.js';
import { type JudgedCheck, judgeSubmission, refusalOf } from './submission.js';
import { openSecrets } from './subscriber-secrets.js';

export interface PortingDeps {
  readonly eventLog: EventLog;
  readonly numbers: Pick<Numbers, 'service'>;
}

export type PortingService = ReturnType<typeof createPortingService>;

/** Operators deal with the carriers for everybody. */
export const scopeOf = (actor: Actor): PortScope => ({
  accountId: hasRole(actor, 'operator') ? null : actor.accountId,
});

export const isOwn = (actor: Actor, order: PortOrder): boolean => order.accountId === actor.accountId;

export const handOf = (actor: Actor, side: 'account' | 'operator'): Hand => ({
  side,
  accountId: actor.accountId,
  userId: actor.userId,
});

export function createPortingService(platform: Platform, { eventLog, numbers }: PortingDeps) {
  const { db, clock, secrets: box } = platform;

  async function getOrder(actor: Actor, id: string): Promise<PortOrder> {
    const order = await findOrder(db, scopeOf(actor), id);
    if (!order) throw portOrderNotFound();
    return order;
  }

  /** Runs the work on the locked order. */
  const onOrder = <T>(actor: Actor, id: string, work: (journal: Journal, order: PortOrder) => Promise<T>): Promise<T> =>
    eventLog.transaction(async (tx, record) => {
      const order = await lockOrder(tx, scopeOf(actor), id);
      if (!order) throw portOrderNotFound();
      return work(journalOf(tx, record), order);
    });

  const journalOf = (tx: Db, record: RecordEvent): Journal => ({ tx, record, box, now: clock.now() });

  const judge = async (tx: Db, order: PortOrder): Promise<JudgedCheck[]> =>
    judgeSubmission({
      order,
      documents: await listDocuments(tx, [order.id]),
      holders: await findHolders(tx, order.phoneNumbers),
      today: dayOf(clock.now()),
    });

  /** @throws 400 with everything that stands in the way */
  async function checkSubmittable({ tx }: Journal, order: PortOrder): Promise<void> {
    const refusal = refusalOf(await judge(tx, order));
    if (refusal) throw notSubmittable(refusal);
  }

  /** @throws 409 `number_taken` */
  async function takeNumbers({ tx, record, now }: Journal, order: PortOrder, actor: Actor): Promise<void> {
    const made = await numbers.service.claimPortedNumbers(tx, record, {
      accountId: order.accountId,
      numbers: order.phoneNumbers,
      // The account's history of a number names its own people alone.
      byUserId: isOwn(actor, order) ? actor.userId : null,
      at: now,
    });
    const ported = made.map((number) => ({
      ...{ virtualNumberId: number.id, portOrderId: order.id, accountId: order.accountId },
      ...{ phoneNumber: number.phoneNumber, portedAt: number.createdAt, firstCallAt: null },
    }));
    await insertPortedNumbers(tx, ported);
  }

  const withDocuments = async (orders: readonly PortOrder[]): Promise<OrderParts[]> => {
    const documents = await listDocuments(
      db,
      orders.map(({ id }) => id),
    );
    return orders.map((order) => ({ order, documents: documents.filter((one) => one.portOrderId === order.id) }));
  };

  return {
    getOrder,
    onOrder,

    /** What belongs to an order when it is answered alone. */
    async inFull(order: PortOrder): Promise<OrderParts & { readonly numbers: readonly PortedNumber[] }> {
      const numbersOf = order.status === 'ported' ? await listPortedNumbers(db, order.id) : [];
      return { order, documents: await listDocuments(db, [order.id]), numbers: numbersOf };
    },

    secretsOf: (order: PortOrder) => openSecrets(box, order),

    /** How the order would be judged if it were submitted now; one that is over is judged no more. */
    async listChecks(actor: Actor, id: string): Promise<JudgedCheck[]> {
      const order = await getOrder(actor, id);
      return isOver(order.status) ? [] : judge(db, order);
    },

    async list(actor: Actor, query: { filters: OrderFilters; slice: IdSlice }): Promise<Page<OrderParts>> {
      const page = await listOrders(db, scopeOf(actor), { ...query, now: clock.now() });
      return { ...page, items: await withDocuments(page.items) };
    },

    listSilent: (
      actor: Actor,
      query: { accountIds: readonly string[] | null; slice: IdSlice },
    ): Promise<Page<PortedNumber>> => listSilentNumbers(db, scopeOf(actor), query),

    create: (actor: Actor, input: OrderInput): Promise<PortOrder> =>
      eventLog.transaction(async (tx, record) => {
        const journal = journalOf(tx, record);
        const order = editOrder(emptyOrder(actor.accountId, journal.now), input, box);
        await insertOrder(tx, order);
        const changes = { status: { from: null, to: order.status } };
        await note(journal, order, { action: 'created', hand: handOf(actor, 'account'), details: { changes } });
        await tell(journal, order, { type: 'port_order.created' });
        return order;
      }),

    /** @throws 403, 400, 409; see order-patch.ts */
    async change(actor: Actor, id: string, patch: OrderPatch): Promise<PortOrder> {
      const { before, after } = await onOrder(actor, id, async (journal, order) => {
        const sides = [
          ...(isOwn(actor, order) ? (['account'] as const) : []),
          ...(hasRole(actor, 'operator') ? (['operator'] as const) : []),
        ];
        const { after: wanted, side } = applyPatch(order, patch, { sides, box, now: journal.now });
        const isMove = wanted.status !== order.status;
        if (isMove && wanted.status === 'submitted') await checkSubmittable(journal, wanted);
        if (isMove && wanted.status === 'ported') await takeNumbers(journal, wanted, actor);
        const saved = await saveChanges(journal, { before: order, after: wanted, hand: handOf(actor, side) });
        return { before: order, after: saved };
      });
      if (before.status !== 'ported' && after.status === 'ported') {
        await numbers.service.announceClaimed(after.phoneNumbers);
      }
      return after;
    },
  };
}

const emptyOrder = (accountId: string, now: number): PortOrder => ({
  id: newId(),
  accountId,
  status: 'draft',
  phoneNumbers: [],
  ...{ losingCarrier: null, subscriberName: null, subscriberAddress: null, subscriberSecrets: null },
  ...{ requestedFor: null, focDate: null, focOverdueAt: null, exception: null, cancelReason: null },
  ...{ createdAt: now, updatedAt: now, submittedAt: null, portedAt: null, canceledAt: null },
});
