import { type Actor, hasRole } from '../../http/actor.js';
import type { IdSlice, Page } from '../../http/pagination.js';
import { permissionDenied } from '../../lib/errors.js';
import type { Platform } from '../../platform/platform.js';
import { saveComment } from './order-journal.js';
import { listComments, type PortComment } from './port-comments.repository.js';
import { listEntries, type TimelineEntry } from './port-timeline.repository.js';
import { handOf, type PortingService } from './porting.service.js';

export type PortCommentService = ReturnType<typeof createPortCommentService>;

/** What is said about an order and what happened to it; what operators write among themselves stays among them. */
export function createPortCommentService({ db }: Platform, orders: PortingService) {
  const isOperator = (actor: Actor): boolean => hasRole(actor, 'operator');

  return {
    async list(actor: Actor, id: string, slice: IdSlice): Promise<Page<PortComment>> {
      const order = await orders.getOrder(actor, id);
      return listComments(db, order.id, { withInternal: isOperator(actor), slice });
    },

    async timeline(actor: Actor, id: string, slice: IdSlice): Promise<Page<TimelineEntry>> {
      const order = await orders.getOrder(actor, id);
      return listEntries(db, order.id, { withInternal: isOperator(actor), slice });
    },

    /** @throws 403 when an account's admin writes for operators */
    async add(actor: Actor, id: string, { text, internal }: { text: string; internal: boolean }): Promise<PortComment> {
      if (internal && !isOperator(actor)) throw permissionDenied();
      const hand = handOf(actor, isOperator(actor) ? 'operator' : 'account');
      return orders.onOrder(actor, id, (journal, order) => saveComment(journal, order, { text, internal, hand }));
    },
  };
}
