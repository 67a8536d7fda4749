import type { ProviderAdapter, ProviderName, Secrets } from './provider.js';

/** A row of `carriers` with what was last heard on the line (`carrier_activity`). */
export interface CarrierRow {
  readonly id: string;
  /** Null: shared, the operator's, serving every account's numbers. */
  readonly account_id: string | null;
  readonly provider: string;
  readonly name: string;
  /** Sealed JSON of the `Secrets`. */
  readonly credentials: string;
  /** Names of all credentials that are set, the plain ones too. */
  readonly credential_names: readonly string[];
  /** The plain credentials. */
  readonly settings: Readonly<Record<string, string>>;
  readonly is_active: boolean;
  readonly voice_url: string | null;
  readonly country: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly deleted_at: Date | null;
}

export interface CarrierActivityRow {
  readonly last_event_at: Date | null;
  readonly last_accepted: AcceptedWebhook | null;
  readonly last_refused: RefusedWebhook | null;
  readonly accepted_count: number;
  readonly refused_count: number;
}

export type ListedCarrier = CarrierRow & CarrierActivityRow;

/** As the answer shows it; `at` is ISO 8601. */
export interface AcceptedWebhook {
  readonly at: string;
  readonly inbound_webhook_id: string | null;
}

export interface RefusedWebhook {
  readonly at: string;
  readonly code: string;
  readonly detail: string;
}

/** What the webhook door and the worker need of a carrier, opened and ready. */
export interface CarrierLine {
  readonly id: string;
  readonly accountId: string | null;
  readonly provider: ProviderName;
  readonly adapter: ProviderAdapter;
  /** Empty for a deleted carrier. */
  readonly secrets: Secrets;
  readonly isActive: boolean;
  readonly isDeleted: boolean;
  readonly voiceUrl: string | null;
  readonly country: string | null;
  readonly plain: Readonly<Record<string, string>>;
}

/** Credentials as a request gives them; `null` takes one away (changes only). */
export type GivenCredentials = Readonly<Record<string, unknown>>;

export interface NewCarrier {
  readonly provider: string;
  readonly name: string;
  readonly credentials: GivenCredentials;
  readonly shared?: boolean;
  readonly is_active?: boolean;
  readonly voice_url?: string | null;
  readonly country?: string | null;
}

export interface CarrierChanges {
  readonly provider?: string;
  readonly shared?: boolean;
  readonly name?: string;
  readonly credentials?: GivenCredentials;
  readonly is_active?: boolean;
  readonly voice_url?: string | null;
  readonly country?: string | null;
}
