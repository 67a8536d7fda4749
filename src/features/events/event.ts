/** What the account's event log carries. Live (`/live`, `/api/call_events/`) shows `call.*` alone. */
export const CALL_EVENT_TYPES = [
  'call.initiated',
  'call.ringing',
  'call.answered',
  'call.ended',
  'call.updated',
] as const;
export type CallEventType = (typeof CALL_EVENT_TYPES)[number];

export const EVENT_TYPES = [
  ...CALL_EVENT_TYPES,
  'number.created',
  'number.updated',
  'number.assigned',
  'number.released',
  'port_order.created',
  'port_order.updated',
  'port_order.status_changed',
  'port_order.commented',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** An event before it has its place in the log. Times in ms since 1970. */
export interface NewEvent {
  readonly accountId: string;
  readonly type: EventType;
  /** Id of the call log, number or port order. */
  readonly subjectId: string;
  readonly occurredAt: number;
  readonly receivedAt: number;
  /** The thing as the transaction leaves it, as the wire shows it. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** What visibility and filters were judged by before the change, where it changed. */
  readonly before?: Readonly<Record<string, unknown>> | null;
}

/** An event of a transaction, told by its place from the end: its seq is the account's newest less `behind`. */
export interface QueuedEvent extends NewEvent {
  /** How many of its account's come after it in the transaction. */
  readonly behind: number;
}

export interface StoredEvent extends NewEvent {
  readonly seq: number;
  /** When it was committed, as near as the reader can know; ms since 1970. */
  readonly committedAt?: number;
}
