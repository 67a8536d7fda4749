/**
 * The port between the switchboard and a provider's wire format. An adapter is one file under `providers/`, pure over
 * headers and bytes: no I/O, no clock of its own, no state. The service calls it in this order:
 *
 *   verify(request, secrets, now)   is this from the provider? over the raw bytes, before anything is parsed
 *   read(request)                   the body as the provider means it, or null where it is unreadable (the 400 of the door)
 *   deliveryKey(request, content)   the key by which a repeated delivery is known
 *   answer(request, content, …)     what the provider wants to hear
 *   understand(request, content, …) later, in a worker: what the webhook states, as signals
 */

/** A webhook as it arrived. Header names are in lower case; a repeated header's values are joined by `, `. */
export interface WebhookRequest {
  readonly method: string;
  /** The URL that the provider signed: `PUBLIC_URL` + path + query as received. */
  readonly url: string;
  /** Path and query as received, such as `/webhooks/018f…/status?tenant=acme`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Decrypted credentials by name; each secret is the list of the values that may verify (one, or two in rotation). */
export type Secrets = Readonly<Record<string, readonly string[]>>;

export type Verdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** `missing_signature`, `bad_signature`, `stale_timestamp`, `bad_credentials`, … (snake_case, for the inspector). */
      readonly code: string;
      /** One sentence that helps the person who set the provider up: wrong secret, wrong URL, body changed on the way. */
      readonly detail: string;
    };

/** The parsed body; a form with all its pairs in order (of a repeated member, adapters take the last value). */
export type WebhookContent =
  | { readonly kind: 'json'; readonly json: unknown }
  | { readonly kind: 'form'; readonly form: ReadonlyArray<readonly [string, string]> };

export type CallState = 'initiated' | 'ringing' | 'answered' | 'ended';
export type Direction = 'incoming' | 'outgoing';
export type Disposition = 'completed' | 'no_answer' | 'busy' | 'rejected' | 'canceled' | 'failed';
export type HangupSource = 'caller' | 'callee' | 'system';

/**
 * One statement about one leg. A webhook may make several (a FreeSWITCH record tells a whole life; a Twilio dial
 * action speaks of parent and child). A member that is absent says nothing.
 */
export interface Signal {
  /** The provider's id of the leg: the call log's `carrier_call_id`. */
  readonly callId: string;
  /** The state that is stated; absent for a note (cost, recording, bridge) that only adds facts. */
  readonly state?: CallState;
  /** Milliseconds since 1970 as told by the provider, cut (not rounded) to milliseconds; absent: the arrival counts. */
  readonly occurredAt?: number;
  readonly direction?: Direction;
  /** What the provider's way to report makes likely: counts where none is told and both numbers are held here. */
  readonly presumedDirection?: Direction;
  /** As sent; the service reads it as a phone number with the carrier's `country`. Empty means not told. */
  readonly from?: string;
  readonly to?: string;
  /** The leg that made this one, when the provider names it. */
  readonly parentCallId?: string;
  /** Shared by the legs of one conversation, where the provider tells only that. */
  readonly sessionId?: string;
  readonly disposition?: Disposition;
  /** Canonical name where known (`docs/providers`), else as sent. */
  readonly hangupCause?: string;
  readonly hangupSource?: HangupSource;
  /** The provider's own code or word beside the canonical one. */
  readonly providerCause?: string;
  /** When the leg was answered, as its end tells (ms): a time alone, which states no answer. */
  readonly answeredAt?: number;
  /** Seconds of talk and of the whole leg, as told. */
  readonly talkSeconds?: number;
  readonly totalSeconds?: number;
  /** Decimal string, with `currency` (ISO 4217). */
  readonly price?: string;
  readonly currency?: string;
}

export type Understanding =
  | {
      readonly kind: 'signals';
      /** The provider's own name of the event, such as `call.hangup` or `completed`. */
      readonly eventType: string | null;
      readonly signals: readonly Signal[];
    }
  /** Right but of no use: an event type or status that says nothing about a call. `code`: `unknown_event`, … */
  | { readonly kind: 'ignored'; readonly eventType: string | null; readonly code: string; readonly detail: string }
  /** Cannot be used although it should: no call id, a time that cannot be read (`impossible_time`). */
  | { readonly kind: 'failed'; readonly eventType: string | null; readonly code: string; readonly detail: string };

export interface WebhookAnswer {
  readonly status: number;
  readonly contentType?: string;
  readonly body?: string;
}

/** What the carrier's settings give to the adapter besides its secrets. */
export interface CarrierContext {
  /** Where a voice request is redirected to. */
  readonly voiceUrl: string | null;
  /** Plain (not secret) credentials such as `time_zone`. */
  readonly plain: Readonly<Record<string, string>>;
}

/** One credential of a provider, as `POST /api/carriers/` takes it. */
export interface CredentialRule {
  readonly name: string;
  readonly required: boolean;
  /** Secret: encrypted, never shown, may be a list of two. Otherwise a plain setting that is shown. */
  readonly secret: boolean;
  /** A sentence that says what is wrong with the value, or null. */
  check(value: string): string | null;
}

export interface ProviderAdapter {
  readonly name: ProviderName;
  readonly credentials: readonly CredentialRule[];
  /** Sets of which one must be given in full, e.g. generic: `[['secret'], ['public_key']]`. */
  readonly oneOf?: ReadonlyArray<readonly string[]>;
  /** `WWW-Authenticate` of the 401, for providers that sign in by Basic. */
  readonly challenge?: string;
  verify(request: WebhookRequest, secrets: Secrets, now: number): Verdict;
  /** Parsed body, or null when it is unreadable (no JSON, no form). */
  read(request: WebhookRequest): WebhookContent | null;
  /** The provider's own delivery id, or null: then the SHA-256 of path, query and body is used. */
  deliveryKey(request: WebhookRequest, content: WebhookContent): string | null;
  answer(request: WebhookRequest, content: WebhookContent, carrier: CarrierContext): WebhookAnswer;
  understand(request: WebhookRequest, content: WebhookContent, carrier: CarrierContext): Understanding;
  /** What to enter at the provider, one line a step; `url` is the carrier's webhook URL. */
  setup(url: string): readonly string[];
}

export const PROVIDER_NAMES = [
  'twilio',
  'telnyx',
  'vonage',
  'plivo',
  'signalwire',
  'jambonz',
  'bandwidth',
  'sinch',
  'freeswitch',
  'generic',
] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];
