/**
 * A party's number made unreadable in an account: in call logs, events and stored webhooks a pseudonym stands in its
 * place, always the same, so that counts of callers stay true.
 */
export const ERASURE_STATUSES = ['pending', 'running', 'done'] as const;
export type ErasureStatus = (typeof ERASURE_STATUSES)[number];

/** In this order: whoever still writes the number has read it from a call log, so these are done first. */
export const ERASURE_STEPS = ['calls', 'call_ids', 'call_changes', 'events', 'webhooks'] as const;
export type ErasureStep = (typeof ERASURE_STEPS)[number];

export interface Erasure {
  readonly id: string;
  readonly account_id: string;
  readonly pseudonym: string;
  /** Sealed; null once it is done. */
  readonly sealed_number: string | null;
  readonly status: ErasureStatus;
  readonly step: ErasureStep;
  /** Behind which row the step goes on; null: it begins. */
  readonly place: unknown;
  /** Rows changed so far. */
  readonly changed: Readonly<Record<string, number>>;
  readonly by_user_id: string | null;
  readonly by_api_key_id: string | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
}

/** How long a process may go on recording without having heard of a new erasure, and a little more. */
export const HEARD_AFTER_MS = 1500;
