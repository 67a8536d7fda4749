import type { PortComment } from './port-comments.repository.js';
import { exceptionKind } from './port-exception.js';
import { draftExpiry, isFocOverdue, type PortDocument, type PortedNumber, type PortOrder } from './port-order.js';
import type { Hand, TimelineEntry } from './port-timeline.repository.js';
import type { JudgedCheck } from './submission.js';
import { maskPin, type SubscriberSecrets } from './subscriber-secrets.js';

const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

export interface OrderParts {
  readonly order: PortOrder;
  readonly documents: readonly PortDocument[];
}

/** An order as the event log tells it: everything but what is secret. */
export function presentOrder({ order, documents }: OrderParts, now: number): Record<string, unknown> {
  return {
    id: order.id,
    account_id: order.accountId,
    phone_numbers: order.phoneNumbers,
    losing_carrier: order.losingCarrier,
    subscriber: { name: order.subscriberName, address: order.subscriberAddress },
    requested_for: order.requestedFor,
    status: order.status,
    exception: presentException(order),
    foc_date: order.focDate,
    foc_overdue: isFocOverdue(order, now),
    documents: documents.map(presentDocument),
    cancel_reason: order.cancelReason,
    created_at: iso(order.createdAt),
    updated_at: iso(order.updatedAt),
    expires_at: order.status === 'draft' ? iso(draftExpiry(order)) : null,
    submitted_at: isoOrNull(order.submittedAt),
    ported_at: isoOrNull(order.portedAt),
    canceled_at: isoOrNull(order.canceledAt),
  };
}

/** An order as it is answered: `showPin` for those who must read it to the losing carrier. */
export function presentOrderWithSecrets(
  parts: OrderParts,
  secrets: SubscriberSecrets,
  { now, showPin }: { readonly now: number; readonly showPin: boolean },
): Record<string, unknown> {
  const shown = presentOrder(parts, now);
  const pin = showPin ? secrets.pin : maskPin(secrets.pin);
  return {
    ...shown,
    subscriber: { ...(shown.subscriber as object), account_number: secrets.accountNumber, pin },
  };
}

function presentException({ exception }: PortOrder): Record<string, unknown> | null {
  if (exception === null) return null;
  const kind = exceptionKind(exception.code);
  return { ...exception, correction: kind?.correction ?? null, members: kind?.members ?? [] };
}

export const presentDocument = (document: PortDocument): Record<string, unknown> => ({
  id: document.id,
  kind: document.kind,
  file_name: document.fileName,
  content_type: document.contentType,
  size: document.size,
  sha256: document.sha256,
  created_at: iso(document.createdAt),
  url: `/api/port_orders/${document.portOrderId}/documents/${document.id}/`,
});

/** `account_id` and `port_order_id` stand where the numbers of several are listed. */
export const presentPortedNumber = (number: PortedNumber): Record<string, unknown> => ({
  phone_number: number.phoneNumber,
  virtual_number_id: number.virtualNumberId,
  ported_at: iso(number.portedAt),
  first_call_at: isoOrNull(number.firstCallAt),
  silent: number.firstCallAt === null,
});

export const presentSilentNumber = (number: PortedNumber): Record<string, unknown> => ({
  ...presentPortedNumber(number),
  port_order_id: number.portOrderId,
  account_id: number.accountId,
});

export const presentCheck = ({ check, fault }: JudgedCheck): Record<string, unknown> => ({
  code: check.code,
  field: check.field,
  passed: fault === null,
  blocking: check.isBlocking,
  message: fault === null ? null : check.message,
  correction: fault === null ? null : check.correction,
  phone_numbers: fault?.phoneNumbers ?? [],
});

/** Who reads: an account is not told which of the operator's people did something. */
export interface Reader {
  readonly accountId: string;
  readonly isOperator: boolean;
}

const presentHand = (hand: Hand, reader: Reader): Record<string, unknown> => ({
  by: hand.side,
  by_user_id: reader.isOperator || hand.accountId === reader.accountId ? hand.userId : null,
});

export const presentComment = (comment: PortComment, reader: Reader): Record<string, unknown> => ({
  id: comment.id,
  text: comment.text,
  internal: comment.internal,
  ...presentHand(comment.hand, reader),
  created_at: iso(comment.createdAt),
});

export const presentEntry = (entry: TimelineEntry, reader: Reader): Record<string, unknown> => ({
  id: entry.id,
  at: iso(entry.at),
  action: entry.action,
  ...presentHand(entry.hand, reader),
  internal: entry.internal,
  changes: {},
  ...entry.details,
});
