import { io, type Socket } from 'socket.io-client';
import type { Random } from './calls.js';

export interface Seen {
  readonly seq: number;
  readonly type: string;
  readonly callId: string;
}

/** Reads an account's events by its own cursor, on whatever node answers, and goes to another one now and then. */
export interface Subscriber {
  readonly seen: readonly Seen[];
  connections(): number;
  /** What the server did that it must not: a reset, an event out of order. */
  readonly faults: readonly string[];
  position(): number;
  close(): void;
}

export interface SubscriberOptions {
  readonly urls: readonly string[];
  readonly token: string;
  readonly random: Random;
}

const AGAIN_MS = 300;
const STAY_MS = 15_000;
/** A node that takes the connection and says nothing is paused, or cut off from its database. */
const PATIENCE_MS = 5000;

export function subscribe({ urls, token, random }: SubscriberOptions): Subscriber {
  const seen: Seen[] = [];
  const faults: string[] = [];
  let connections = 0;
  let position = 0;
  let socket: Socket | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  function open(): void {
    if (isClosed) return;
    const url = urls[Math.floor(random() * urls.length)];
    const made = io(`${url}/live`, {
      ...{ forceNew: true, reconnection: false, transports: ['websocket'], timeout: PATIENCE_MS },
      auth: { token, after: position },
    });
    socket = made;
    let isOver = false;
    const again = (): void => {
      if (isOver) return;
      isOver = true;
      made.disconnect();
      clearTimeout(timer);
      timer = setTimeout(open, AGAIN_MS * (0.5 + random()));
    };
    clearTimeout(timer);
    timer = setTimeout(again, PATIENCE_MS + random() * STAY_MS);
    made.on('connect', () => {
      connections += 1;
    });
    made.on('disconnect', again);
    made.on('connect_error', again);
    made.on('reset', ({ oldest_seq }) => faults.push(`a reset (oldest ${oldest_seq}) although nothing was deleted`));
    made.onAny((name: string, event) => {
      if (isOver || !name.startsWith('call.')) return;
      if (event.seq <= position) faults.push(`seq ${event.seq} came after ${position}`);
      position = Math.max(position, event.seq);
      seen.push({ seq: event.seq, type: event.type, callId: event.call.id });
    });
  }

  open();
  return {
    ...{ seen, faults },
    connections: () => connections,
    position: () => position,
    close() {
      isClosed = true;
      clearTimeout(timer);
      socket?.disconnect();
    },
  };
}
