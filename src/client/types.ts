/** A call log as Switchboard shows it. */
export interface Call {
  readonly id: string;
  readonly virtual_number_id: string | null;
  readonly virtual_number: string | null;
  readonly user_id: string | null;
  readonly direction: 'incoming' | 'outgoing';
  readonly caller_number: string | null;
  readonly called_number: string | null;
  readonly status: 'initiated' | 'ringing' | 'answered' | 'ended';
  readonly disposition: 'completed' | 'no_answer' | 'busy' | 'rejected' | 'canceled' | 'failed' | 'lost' | null;
  readonly timestamp: string;
  readonly started_at: string;
  readonly ringing_at: string | null;
  readonly answered_at: string | null;
  readonly ended_at: string | null;
  readonly duration: number;
  readonly ring_duration: number | null;
  readonly hangup_cause: string | null;
  readonly hangup_source: 'caller' | 'callee' | 'system' | null;
  readonly provider_cause: string | null;
  readonly provider: string;
  readonly carrier_id: string;
  readonly carrier_call_id: string;
  readonly parent_call_log_id: string | null;
  readonly price: string | null;
  readonly currency: string | null;
  readonly tags: readonly string[];
  readonly note: string | null;
  readonly updated_at: string;
}

export type CallEventType = 'call.initiated' | 'call.ringing' | 'call.answered' | 'call.ended' | 'call.updated';

export interface CallEvent {
  readonly seq: number;
  readonly type: CallEventType;
  readonly occurred_at: string;
  readonly received_at: string;
  readonly sent_at: string;
  readonly call: Call;
}

/** The call has left what one may see, or the filter. */
export interface CallRemoved {
  readonly seq: number;
  readonly type: 'call.removed';
  readonly call: { readonly id: string };
}

/** Lists are OR inside and AND between; an absent one asks nothing. Null: calls without one. */
export interface CallFilter {
  readonly virtual_number_ids?: readonly (string | null)[];
  readonly user_ids?: readonly (string | null)[];
  readonly directions?: readonly ('incoming' | 'outgoing')[];
  /** Narrows the events; the board is then kept by these events alone. */
  readonly types?: readonly CallEventType[];
  readonly tags?: readonly string[];
}

export class LiveError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'LiveError';
    this.code = code;
  }
}

export interface LiveOptions {
  /** Where Switchboard is, such as `https://switchboard.example`. */
  readonly url: string;
  /** A valid access token or API key; asked before each connection and when the token is about to end. */
  readonly token: () => string | Promise<string>;
  /** Where to go on, kept from an earlier run (`client.seq`); 0: everything that is kept. Absent: from now. */
  readonly after?: number;
  readonly filter?: CallFilter;
  /** First and longest wait before another attempt; default 500 and 15,000 ms. */
  readonly retryMs?: readonly [first: number, longest: number];
  readonly transports?: readonly ('polling' | 'websocket')[];
}

export interface LiveListeners {
  /** Each event once, in order, when the board already shows it. */
  event: (event: CallEvent | CallRemoved) => void;
  /** The board has changed. */
  board: (board: ReadonlyMap<string, Call>) => void;
  /** Everything that was missed has been handed out. */
  caught_up: (seq: number) => void;
  /** Events have been missed for good; the board is right again by the snapshot that comes. */
  reset: (oldestSeq: number) => void;
  connected: () => void;
  /** The connection is gone and is being made anew. */
  disconnected: (reason: string) => void;
  /** What went wrong; `fatal`: it is not tried again. */
  error: (error: LiveError, fatal: boolean) => void;
}

export interface LiveClient {
  /** The cursor: the last event that was handed out; null before the first connection. */
  readonly seq: number | null;
  /** The calls in progress, by id. */
  readonly board: ReadonlyMap<string, Call>;
  readonly isConnected: boolean;
  on<N extends keyof LiveListeners>(name: N, listener: LiveListeners[N]): () => void;
  /** Replaces the filter; resolves with the seq from which it holds. @throws LiveError */
  subscribe(filter: CallFilter): Promise<number>;
  close(): void;
}
