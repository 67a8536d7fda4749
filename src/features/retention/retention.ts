/** How long an account keeps what it has: days, or null for what is said of each. */
export interface Retention {
  /** Null: for ever. */
  readonly call_retention_days: number | null;
  /** Null: as the installation is set (EVENT_RETENTION). */
  readonly event_retention_days: number | null;
  /** Null: as the installation is set (WEBHOOK_RETENTION). */
  readonly webhook_retention_days: number | null;
}

export const DAY_MS = 86_400_000;
