/** A call log: one for each leg. What of it a webhook states is joined in `call-facts.ts`; this is how it is stored. */
export const CALL_STATUSES = ['initiated', 'ringing', 'answered', 'ended'] as const;
export type CallStatus = (typeof CALL_STATUSES)[number];

export const CALL_DIRECTIONS = ['incoming', 'outgoing'] as const;
export type CallDirection = (typeof CALL_DIRECTIONS)[number];

export const CALL_DISPOSITIONS = ['completed', 'no_answer', 'busy', 'rejected', 'canceled', 'failed', 'lost'] as const;
export type CallDisposition = (typeof CALL_DISPOSITIONS)[number];

export type CallHangupSource = 'caller' | 'callee' | 'system';

/**
 * A row of `call_logs` as pg returns it, without what only the merge reads (`facts`) and without the timeline. Where
 * it is only passed on, its times are asked for as texts.
 */
export interface CallRow<Time = Date> {
  readonly id: string;
  readonly account_id: string;
  readonly virtual_number_id: string | null;
  readonly virtual_number: string | null;
  readonly user_id: string | null;
  readonly direction: CallDirection;
  /** Null: nobody told one. */
  readonly caller_number: string | null;
  readonly called_number: string | null;
  readonly status: CallStatus;
  readonly disposition: CallDisposition | null;
  readonly started_at: Time;
  readonly ringing_at: Time | null;
  readonly answered_at: Time | null;
  readonly ended_at: Time | null;
  readonly duration: number;
  readonly ring_duration: number | null;
  readonly hangup_cause: string | null;
  readonly hangup_source: CallHangupSource | null;
  readonly provider_cause: string | null;
  readonly provider: string;
  readonly carrier_id: string;
  readonly carrier_call_id: string;
  readonly parent_call_log_id: string | null;
  /** numeric, which pg returns as a decimal text. */
  readonly price: string | null;
  readonly currency: string | null;
  readonly tags: readonly string[];
  readonly note: string | null;
  readonly updated_at: Time;
}

/** The columns of a `CallRow`. */
export const CALL_COLUMNS = [
  'id',
  'account_id',
  'virtual_number_id',
  'virtual_number',
  'user_id',
  'direction',
  'caller_number',
  'called_number',
  'status',
  'disposition',
  'started_at',
  'ringing_at',
  'answered_at',
  'ended_at',
  'duration',
  'ring_duration',
  'hangup_cause',
  'hangup_source',
  'provider_cause',
  'provider',
  'carrier_id',
  'carrier_call_id',
  'parent_call_log_id',
  'price',
  'currency',
  'tags',
  'note',
  'updated_at',
] as const satisfies readonly (keyof CallRow)[];

/** An entry of a call's timeline, as it is stored with the row and answered. */
export interface TimelineEntry {
  readonly seq: number;
  readonly type: string;
  readonly occurred_at: string;
  readonly received_at: string;
  /** Null: no webhook stated it (tags, note, closed as lost). */
  readonly inbound_webhook_id: string | null;
}

/** The same while its event is on its way into the log: with its place from the end, as `QueuedEvent` has it. */
export type ToldEntry = Omit<TimelineEntry, 'seq'> & { readonly behind: number };
