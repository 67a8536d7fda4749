import { io, type Socket } from 'socket.io-client';
import { createListeners } from './listeners.js';
import {
  type Call,
  type CallEvent,
  type CallFilter,
  type CallRemoved,
  type LiveClient,
  LiveError,
  type LiveListeners,
  type LiveOptions,
} from './types.js';

/** A filter that the program has asked for. */
interface Wish {
  readonly filter: CallFilter;
  readonly refuse: (error: LiveError) => void;
}

type Answer = { ok: true; seq: number } | { ok: false; error: { code: string; message: string } };

const EVENTS = [
  'call.initiated',
  'call.ringing',
  'call.answered',
  'call.ended',
  'call.updated',
  'call.removed',
] as const;
const ANSWER_MS = 10_000;
const RETRY_MS = [500, 15_000] as const;
const NO_ANSWER = 'no_answer';
/** Another attempt would meet the same answer. */
const FATAL_CODES = ['invalid_request', 'insufficient_scope'];

const clientClosed = (): LiveError => new LiveError('closed', 'This client has been closed.');

/** Connects to the live channel, and stays connected until `close()`. */
export function connectLive(options: LiveOptions): LiveClient {
  return new Client(options);
}

class Client implements LiveClient {
  seq: number | null;
  readonly board = new Map<string, Call>();
  private readonly options: LiveOptions;
  private readonly socket: Socket;
  private readonly listeners = createListeners();
  private takenFilter: CallFilter;
  /** Asked for after the filter that the server has last taken, oldest first, and not refused: answers may yet come. */
  private wishes: Wish[] = [];
  /** What the last handshake asked for, where that is not the taken filter. */
  private offered: Wish | undefined;
  /** The board does not (or no longer) follow from a snapshot of this connection and the events after it. */
  private needsSnapshot = true;
  private isResetting = false;
  private attempts = 0;
  /** Counts the handshakes, so that a token that comes late is not sent with a later one. */
  private handshakes = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(options: LiveOptions) {
    this.options = options;
    this.seq = options.after ?? null;
    this.takenFilter = options.filter ?? {};
    // Attempts are ours: Socket.IO's own end where a server refuses or closes a connection.
    this.socket = io(`${options.url.replace(/\/+$/, '')}/live`, {
      forceNew: true,
      reconnection: false,
      autoConnect: false,
      transports: [...(options.transports ?? ['websocket', 'polling'])],
      auth: (give) => void this.giveAuth(give),
    });
    this.hear();
    this.socket.connect();
  }

  get isConnected(): boolean {
    return this.socket.connected;
  }

  on<N extends keyof LiveListeners>(name: N, listener: LiveListeners[N]): () => void {
    return this.listeners.on(name, listener);
  }

  subscribe(filter: CallFilter): Promise<number> {
    return new Promise((resolve, refuse) => {
      const wish = { filter, refuse };
      this.wishes.push(wish);
      this.ask('subscribe', filter).then(
        (seq) => {
          this.takenFilter = filter;
          this.wishes = this.wishes.slice(this.wishes.indexOf(wish) + 1);
          resolve(seq);
        },
        (error: LiveError) => {
          // Refused, it must not be asked for with the next connection; without an answer it is.
          if (error.code !== NO_ANSWER) this.drop(wish);
          refuse(error);
        },
      );
    });
  }

  close(): void {
    this.closed = true;
    this.handshakes += 1;
    clearTimeout(this.retry);
    for (const wish of this.wishes.splice(0)) wish.refuse(clientClosed());
    this.socket.disconnect();
  }

  /** The filter to ask for. */
  private get filter(): CallFilter {
    return this.wishes.at(-1)?.filter ?? this.takenFilter;
  }

  private drop(wish: Wish): void {
    this.wishes = this.wishes.filter((other) => other !== wish);
  }

  private async ask(message: 'subscribe' | 'authenticate', body: unknown): Promise<number> {
    if (this.closed) throw clientClosed();
    let answer: Answer;
    try {
      answer = (await this.socket.timeout(ANSWER_MS).emitWithAck(message, body)) as Answer;
    } catch {
      throw new LiveError(NO_ANSWER, `The server did not answer ${message}.`);
    }
    if (answer.ok) return answer.seq;
    throw new LiveError(answer.error.code, answer.error.message);
  }

  private hear(): void {
    const { socket } = this;
    for (const name of EVENTS) socket.on(name, (event: CallEvent | CallRemoved) => this.take(event));
    socket.on('snapshot', (snapshot: { seq: number; calls: Call[] }) => this.takeSnapshot(snapshot));
    socket.on('caught_up', ({ seq }: { seq: number }) => this.caughtUp(seq));
    socket.on('reset', ({ oldest_seq }: { oldest_seq: number }) => {
      this.isResetting = true;
      this.listeners.tell('reset', oldest_seq);
    });
    socket.on('token_expiring', () => void this.renew());
    socket.on('closed', ({ code, seq }: { code: string; seq: number }) => {
      if (!this.isResetting && this.seq !== null) this.seq = Math.max(this.seq, seq);
      this.listeners.tell('error', new LiveError(code, 'The server closed the connection.'), false);
    });
    socket.on('connect', () => {
      this.attempts = 0;
      this.listeners.tell('connected');
    });
    socket.on('disconnect', (reason) => {
      // What one may see may be another thing when the connection is there again, and no event tells that.
      this.needsSnapshot = true;
      this.listeners.tell('disconnected', reason);
      this.tryAgain();
    });
    socket.on('connect_error', (error: Error & { data?: { code?: string } }) => this.refused(error));
  }

  private async giveAuth(give: (auth: Record<string, unknown>) => void): Promise<void> {
    const handshake = ++this.handshakes;
    try {
      const token = await this.options.token();
      if (handshake !== this.handshakes) return;
      const { filter } = this;
      this.offered = this.wishes.at(-1);
      const hasFilter = Object.keys(filter).length > 0;
      give({ token, ...(this.seq !== null && { after: this.seq }), ...(hasFilter && { subscribe: filter }) });
    } catch (error) {
      if (handshake !== this.handshakes) return;
      this.socket.disconnect();
      this.refused(new LiveError('no_token', error instanceof Error ? error.message : 'There is no token.'));
    }
  }

  private refused(error: Error & { data?: { code?: string }; code?: string }): void {
    const code = error.data?.code ?? (error instanceof LiveError ? error.code : 'unreachable');
    const refusal = new LiveError(code, error.message);
    // What the server has not judged before may be at fault: without it the next attempt may meet another answer.
    const wish = code === 'invalid_request' ? this.offered : undefined;
    if (wish) {
      this.drop(wish);
      wish.refuse(refusal);
    }
    const fatal = FATAL_CODES.includes(code) && !wish;
    this.listeners.tell('error', refusal, fatal);
    if (fatal) this.close();
    else this.tryAgain();
  }

  private tryAgain(): void {
    if (this.closed) return;
    clearTimeout(this.retry);
    const [first, longest] = this.options.retryMs ?? RETRY_MS;
    const most = Math.min(longest, first * 2 ** this.attempts);
    this.attempts += 1;
    // Half of it by chance, so that a restarted server is not met by everybody at once.
    this.retry = setTimeout(() => this.socket.connect(), most / 2 + (Math.random() * most) / 2);
  }

  private take(event: CallEvent | CallRemoved): void {
    if (this.seq !== null && event.seq <= this.seq) return;
    this.seq = event.seq;
    if (event.type === 'call.removed' || event.call.status === 'ended') this.board.delete(event.call.id);
    else this.board.set(event.call.id, event.call);
    this.listeners.tell('event', event);
    if (!this.needsSnapshot) this.listeners.tell('board', this.board);
  }

  private takeSnapshot({ seq, calls }: { seq: number; calls: readonly Call[] }): void {
    this.seq = this.isResetting || this.seq === null ? seq : Math.max(this.seq, seq);
    this.isResetting = false;
    this.needsSnapshot = false;
    this.board.clear();
    for (const call of calls) this.board.set(call.id, call);
    this.listeners.tell('board', this.board);
  }

  private caughtUp(seq: number): void {
    this.seq = Math.max(this.seq ?? 0, seq);
    this.listeners.tell('caught_up', this.seq);
    // Events alone do not tell of the calls that were in progress before the cursor.
    if (this.needsSnapshot) void this.askForBoard();
  }

  private async askForBoard(): Promise<void> {
    const { filter } = this;
    try {
      await this.ask('subscribe', filter);
    } catch (failure) {
      const error = failure as LiveError;
      // The program's own request for this filter has been refused as well: the one before holds.
      if (error.code !== NO_ANSWER && filter !== this.filter) await this.askForBoard();
      else this.failed(error);
    }
  }

  private async renew(): Promise<void> {
    try {
      await this.ask('authenticate', { token: await this.options.token() });
    } catch (error) {
      this.failed(error instanceof LiveError ? error : new LiveError('no_token', String(error)));
    }
  }

  private failed(error: LiveError): void {
    this.listeners.tell('error', error, false);
  }
}
