/** Moving phone numbers here from another carrier: the order and the one table of its moves. */

export const PORT_ORDER_STATUSES = [
  'draft',
  'submitted',
  'in_process',
  'foc_confirmed',
  'exception',
  'cancel_pending',
  'ported',
  'canceled',
] as const;
export type PortOrderStatus = (typeof PORT_ORDER_STATUSES)[number];

/** Who acts: the account whose order it is, the operator who deals with the carriers, or time. */
export const SIDES = ['account', 'operator', 'system'] as const;
export type Side = (typeof SIDES)[number];

export interface Move {
  readonly from: PortOrderStatus;
  readonly to: PortOrderStatus;
  readonly by: Side;
}

/** Every move there is. The code asks it, the documentation draws it, the tests try it. */
export const MOVES: readonly Move[] = [
  { from: 'draft', to: 'submitted', by: 'account' },
  { from: 'draft', to: 'canceled', by: 'account' },
  { from: 'draft', to: 'canceled', by: 'system' },
  { from: 'submitted', to: 'in_process', by: 'operator' },
  { from: 'submitted', to: 'exception', by: 'operator' },
  { from: 'submitted', to: 'cancel_pending', by: 'account' },
  { from: 'in_process', to: 'foc_confirmed', by: 'operator' },
  { from: 'in_process', to: 'exception', by: 'operator' },
  { from: 'in_process', to: 'cancel_pending', by: 'account' },
  { from: 'foc_confirmed', to: 'ported', by: 'operator' },
  { from: 'foc_confirmed', to: 'exception', by: 'operator' },
  { from: 'foc_confirmed', to: 'cancel_pending', by: 'account' },
  { from: 'exception', to: 'submitted', by: 'account' },
  { from: 'exception', to: 'cancel_pending', by: 'account' },
  { from: 'cancel_pending', to: 'canceled', by: 'operator' },
];

/** The move as one of these sides may make it; else whether another side may (`foreign`) or nobody (`unknown`). */
export function findMove(
  from: PortOrderStatus,
  to: PortOrderStatus,
  sides: readonly Side[],
): Move | 'foreign' | 'unknown' {
  const people = MOVES.filter((move) => move.from === from && move.to === to && move.by !== 'system');
  if (people.length === 0) return 'unknown';
  return people.find((move) => sides.includes(move.by)) ?? 'foreign';
}

/** Where these sides may move an order to. */
export const movesFrom = (from: PortOrderStatus, sides: readonly Side[]): PortOrderStatus[] =>
  MOVES.filter((move) => move.from === from && sides.includes(move.by)).map(({ to }) => to);

/** While the account may change what the order says. */
export const isEditable = (status: PortOrderStatus): boolean => status === 'draft' || status === 'exception';

/** Whether no move leads on from there. */
export const isOver = (status: PortOrderStatus): boolean => MOVES.every(({ from }) => from !== status);

export const CANCEL_REASONS = ['requested', 'draft_expired'] as const;
export type CancelReason = (typeof CANCEL_REASONS)[number];

/** Times in ms since 1970, days as YYYY-MM-DD. */
export interface PortOrder {
  readonly id: string;
  readonly accountId: string;
  readonly status: PortOrderStatus;
  /** E.164. */
  readonly phoneNumbers: readonly string[];
  readonly losingCarrier: string | null;
  readonly subscriberName: string | null;
  readonly subscriberAddress: string | null;
  /** Sealed; see subscriber-secrets.ts. */
  readonly subscriberSecrets: string | null;
  readonly requestedFor: string | null;
  readonly focDate: string | null;
  readonly focOverdueAt: number | null;
  readonly exception: PortException | null;
  readonly cancelReason: CancelReason | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly submittedAt: number | null;
  readonly portedAt: number | null;
  readonly canceledAt: number | null;
}

export interface PortException {
  readonly code: string;
  readonly message: string;
}

export interface PortDocument {
  readonly id: string;
  readonly portOrderId: string;
  readonly kind: DocumentKind;
  readonly fileName: string;
  readonly contentType: string;
  readonly size: number;
  readonly sha256: string;
  readonly createdAt: number;
}

export const DOCUMENT_KINDS = ['loa', 'invoice'] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

/** A number that an order brought. `firstCallAt`: when the first call after the port came in; null: silent so far. */
export interface PortedNumber {
  readonly virtualNumberId: string;
  readonly portOrderId: string;
  readonly accountId: string;
  readonly phoneNumber: string;
  readonly portedAt: number;
  readonly firstCallAt: number | null;
}

/** How long a draft lies untouched before it expires: 30 days. */
export const DRAFT_LIFETIME_MS = 30 * 86_400_000;

export const draftExpiry = (order: Pick<PortOrder, 'updatedAt'>): number => order.updatedAt + DRAFT_LIFETIME_MS;

/** The day in UTC. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Whether the promised day has passed and the numbers are not here. */
export const isFocOverdue = (order: Pick<PortOrder, 'status' | 'focDate'>, now: number): boolean =>
  order.status === 'foc_confirmed' && order.focDate !== null && order.focDate < dayOf(now);
