/** What every provider's sender does: put a call into the provider's webhooks, and sign them as the provider would. */
import type { CallStory, Direction, LegStory, Party } from '../stories.js';

export type State = 'initiated' | 'ringing' | 'answered' | 'ended';
export type Disposition = 'completed' | 'no_answer' | 'busy' | 'rejected' | 'canceled' | 'failed';

/** One statement about one leg, as a reader of the provider's documentation understands it. */
export interface Claim {
  /** The provider's id of the leg. */
  readonly leg: string;
  readonly state?: State | undefined;
  /** The told time, ms, as exact as the provider tells it; absent: none is told, so the arrival counts. */
  readonly at?: number | undefined;
  readonly direction?: Direction | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly parent?: string | undefined;
  readonly session?: string | undefined;
  readonly disposition?: Disposition | undefined;
  readonly cause?: string | undefined;
  readonly source?: Party | undefined;
  readonly providerCause?: string | undefined;
  /** When the leg was answered, as its end tells, ms. */
  readonly answeredAt?: number | undefined;
  readonly talkSeconds?: number | undefined;
  readonly totalSeconds?: number | undefined;
  readonly price?: string | undefined;
  readonly currency?: string | undefined;
}

/** A webhook before it is signed. */
export interface Webhook {
  /** Its name for people. */
  readonly event: string;
  /** When the provider made it, ms: webhooks are sent in this order unless they are told not to. */
  readonly at: number;
  /** Below the carrier's webhook URL, with the query. */
  readonly path: string;
  readonly body: string;
  readonly contentType: string;
  /** The provider's own id of the delivery, where it has one outside the body. */
  readonly id?: string | undefined;
  readonly claims: readonly Claim[];
}

/** What the carrier is set up with, and what the provider keeps for itself to sign with. */
export interface Keys {
  readonly credentials: Readonly<Record<string, string>>;
  readonly signing: Readonly<Record<string, string>>;
}

export interface Envelope {
  readonly url: string;
  readonly keys: Keys;
  /** When this attempt is made, ms. */
  readonly now: number;
  /** From 1; a webhook that is sent twice counts on. */
  readonly attempt: number;
}

export interface SignedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Sender {
  readonly provider: string;
  /** Fresh keys, different in every run whatever its seed. */
  makeKeys(): Keys;
  /** The webhooks of a call, in the order in which the provider makes them. */
  tell(story: CallStory, run: string): readonly Webhook[];
  sign(webhook: Webhook, envelope: Envelope): SignedRequest;
}

export const seconds = (ms: number): number => Math.floor(ms / 1000);
export const wholeSecond = (ms: number): number => seconds(ms) * 1000;

/** Whole seconds of talk as a carrier counts them; 0 when nobody answered. */
export const talkOf = ({ answeredAt, endedAt }: LegStory): number =>
  answeredAt === null ? 0 : Math.max(1, Math.round((endedAt - answeredAt) / 1000));

export const totalOf = ({ initiatedAt, endedAt }: LegStory): number => (endedAt - initiatedAt) / 1000;

export const withoutPlus = (number: string): string => number.replace(/^\+/, '');

/** An id that no other run has: its first eight digits are the run's. */
export const runUuid = (run: string, uuid: string): string => run + uuid.slice(8);

/** Who of a leg is `user`: the one at its far end. */
export const farEnd = (direction: Direction): Party => (direction === 'incoming' ? 'caller' : 'callee');

/** What an end comes to in the switchboard's words, where the provider's words allow it. */
export interface End {
  readonly disposition: Disposition;
  readonly cause?: string | undefined;
}

export const ENDS: Readonly<Record<LegStory['outcome'], End>> = {
  answered: { disposition: 'completed', cause: 'normal_clearing' },
  missed: { disposition: 'no_answer', cause: 'no_answer' },
  busy: { disposition: 'busy', cause: 'user_busy' },
  rejected: { disposition: 'rejected', cause: 'call_rejected' },
  canceled: { disposition: 'canceled', cause: 'originator_cancel' },
  failed: { disposition: 'failed', cause: undefined },
};

export const FAILURES: Readonly<Record<LegStory['failure'], End>> = {
  unallocated: { disposition: 'failed', cause: 'unallocated_number' },
  congestion: { disposition: 'failed', cause: 'congestion' },
};

/** The end as SIP knows it. */
export const endOf = (leg: LegStory): End => (leg.outcome === 'failed' ? FAILURES[leg.failure] : ENDS[leg.outcome]);

const SIP: Readonly<Record<LegStory['outcome'], number>> = {
  answered: 200,
  missed: 487,
  busy: 486,
  rejected: 603,
  canceled: 487,
  failed: 404,
};

export const sipStatusOf = (leg: LegStory): number =>
  leg.outcome === 'failed' && leg.failure === 'congestion' ? 503 : SIP[leg.outcome];
