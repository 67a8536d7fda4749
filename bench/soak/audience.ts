import { setTimeout as pause } from 'node:timers/promises';
import {
  type CallEvent,
  type CallFilter,
  type CallRemoved,
  connectLive,
  type LiveClient,
} from '../../src/client/index.js';
import type { Login, Scene } from './scene.js';
import { VIP } from './tagger.js';

export interface Subscriber {
  readonly login: Login;
  /** Null: sees the whole account. */
  readonly userId: string | null;
  readonly filter: CallFilter;
  readonly seqs: number[];
  readonly types: string[];
  client: LiveClient | null;
}

/** A third admins without a filter, a third members, a third admins and members with one. */
export function castSubscriber(scene: Scene, place: number, admin: Login): Subscriber {
  const member = scene.members[place % scene.members.length];
  const filters: CallFilter[] = [
    { types: ['call.ended', 'call.updated'] },
    { virtual_number_ids: scene.numberIds.slice(place % 10, (place % 10) + 6) },
    { user_ids: [member?.id ?? null], directions: ['incoming'] },
    { tags: [VIP] },
    { directions: ['outgoing'] },
  ];
  const kind = place % 3;
  const isMember = kind === 1 || (kind === 2 && place % 2 === 0);
  return {
    login: isMember && member ? member.login : admin,
    userId: isMember && member ? member.id : null,
    filter: kind === 2 ? (filters[Math.floor(place / 3) % filters.length] ?? {}) : {},
    ...{ seqs: [], types: [], client: null },
  };
}

export interface AudienceOptions {
  readonly urls: readonly string[];
  readonly token: (login: Login) => Promise<string>;
  readonly random: () => number;
  /** Shown every event that the first subscriber gets. */
  readonly see: (event: CallEvent | CallRemoved) => void;
}

const LOOK_MS = 20;
const LAST_CUT = 0.98;
const RETRY_MS = [50, 1000] as const;

export function createAudience(subscribers: readonly Subscriber[], { urls, token, random, see }: AudienceOptions) {
  /** As a program that starts with the cursor it kept, on whatever node. */
  function connect(subscriber: Subscriber): void {
    const after = subscriber.client?.seq ?? 0;
    subscriber.client?.close();
    const url = urls[Math.floor(random() * urls.length)] ?? '';
    const client = connectLive({
      ...{ url, after, filter: subscriber.filter, retryMs: RETRY_MS },
      token: () => token(subscriber.login),
    });
    subscriber.client = client;
    client.on('event', (event) => {
      subscriber.seqs.push(event.seq);
      subscriber.types.push(event.type);
      if (subscriber === subscribers[0]) see(event);
    });
  }

  /** Half of the cuts end the program, the others only the wire under it: the client comes back by itself. */
  function cut(subscriber: Subscriber): void {
    if (random() < 0.5) connect(subscriber);
    else severWire(subscriber.client);
  }

  return {
    connectAll: () => subscribers.forEach(connect),
    /** Cuts every socket so often, at random moments of what `progress` (0 to 1) goes through. Answers how many cuts. */
    async cutNowAndThen(times: number, progress: () => number): Promise<number> {
      const moments = subscribers.flatMap((subscriber) =>
        Array.from({ length: times }, () => ({ subscriber, at: random() * LAST_CUT })),
      );
      moments.sort((a, b) => a.at - b.at);
      for (const { subscriber, at } of moments) {
        while (progress() < at) await pause(LOOK_MS);
        cut(subscriber);
      }
      return moments.length;
    },
    closeAll(): void {
      for (const { client } of subscribers) client?.close();
    },
  };
}

/** What the client's own methods cannot do: end the connection without a word to either side. */
function severWire(client: LiveClient | null): void {
  const { socket } = client as unknown as { socket: { io: { engine?: { transport: { ws?: { close(): void } } } } } };
  socket.io.engine?.transport.ws?.close();
}
