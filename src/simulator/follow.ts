/**
 * A listener of the live channel whose line is cut again and again: it comes back with the last `seq` it has, and keeps
 * every `seq` as it came. A plain socket: the typed client would drop what comes twice.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { Random } from './random.js';
import type { TokenSource } from './sign-in.js';

export interface FollowOptions {
  readonly url: string;
  readonly token: TokenSource;
  /** The cursor of the first connection. */
  readonly after: number;
  readonly cuts: number;
  /** The time over which the cuts are spread, ms. */
  readonly overMs: number;
  readonly random: Random;
}

export interface Follower {
  /** As they came, whatever connection they came over. */
  readonly seqs: readonly number[];
  connections(): number;
  /** Waits for this `seq`, for the last cut and until what that connection missed was sent again; false: time ran out. */
  hasReached(seq: number, patience: number): Promise<boolean>;
  close(): void;
}

const LEAST_UP_MS = 10;
const RETRY_MS = 200;
const POLL_MS = 50;

export function follow(options: FollowOptions): Follower {
  const seqs: number[] = [];
  let connections = 0;
  let newest = options.after;
  let cutsLeft = options.cuts;
  let hasAll = false;
  let isClosed = false;
  let retry: NodeJS.Timeout | undefined;
  let socket = connect();

  function connect(): Socket {
    const made = io(`${options.url}/live`, {
      ...{ forceNew: true, reconnection: false, transports: ['websocket'] },
      auth: (give) => void options.token().then((token) => give({ token, after: newest }), connectLater),
    });
    hasAll = false;
    made.on('connect', () => {
      connections += 1;
    });
    made.on('caught_up', () => {
      hasAll = true;
    });
    made.onAny((name: string, { seq }: { seq: number }) => {
      if (!name.startsWith('call.')) return;
      seqs.push(seq);
      newest = Math.max(newest, seq);
    });
    made.on('connect_error', connectLater).on('disconnect', connectLater);
    return made;
  }

  function connectLater(): void {
    clearTimeout(retry);
    if (!isClosed) retry = setTimeout(connectAgain, RETRY_MS);
  }

  function connectAgain(): void {
    clearTimeout(retry);
    cutLine(socket);
    socket = connect();
  }

  /** A cut takes a line that stands: whoever is still on the way in is left alone. */
  async function cutNowAndThen(): Promise<void> {
    const most = (2 * options.overMs) / (options.cuts + 1);
    while (cutsLeft > 0 && !isClosed) {
      await pause(Math.max(LEAST_UP_MS, options.random.next() * most));
      if (isClosed || !socket.connected) continue;
      cutsLeft -= 1;
      connectAgain();
    }
  }

  void cutNowAndThen();
  return {
    seqs,
    connections: () => connections,
    async hasReached(seq, patience) {
      for (const until = Date.now() + patience; newest < seq || cutsLeft > 0 || !hasAll; await pause(POLL_MS)) {
        if (Date.now() > until) return false;
      }
      return true;
    },
    close() {
      isClosed = true;
      clearTimeout(retry);
      cutLine(socket);
    },
  };
}

/** As a network does it: without a goodbye, and what is still on its way is lost. */
function cutLine(socket: Socket): void {
  socket.off().offAny();
  const transport = socket.io.engine?.transport as unknown as { ws?: { terminate(): void } } | undefined;
  transport?.ws?.terminate();
  socket.disconnect();
}
