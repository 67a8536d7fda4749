import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from './log.js';
import { LOOK, type Wakeups } from './wakeups.js';

const GATHER_MS = 10;
/** Hints kept whole while the connection is slow; those beyond are kept in their short form. */
const MOST_WHOLE = 1000;
/** Those beyond are forgotten for one LOOK for each topic. */
const MOST_WAITING = 10_000;
/** A stop waits no longer for the last hints. */
const LAST_HINTS_MS = 1000;

type Hint = readonly [topic: string, hint: unknown];

/** How messages travel between processes; `heard` and `missed` are called by it. */
export interface Carrier {
  /** Most bytes of one message. */
  readonly mostBytes: number;
  /** May reject: hints can be lost. */
  send(message: string): Promise<void>;
  close(): Promise<void>;
}

export interface Ears {
  heard(message: string): void;
  /** The connection was lost for a while. */
  missed(): void;
}

interface Waiting {
  readonly topic: string;
  /** The whole one first, the shortest last. */
  readonly forms: readonly unknown[];
}

/** What both kinds of wake-ups share: local listeners, gathering, and knowing one's own messages. */
export function createGatheringWakeups(
  open: (ears: Ears) => Carrier,
  onError: (error: unknown) => void,
  log: Logger,
): Wakeups {
  const self = randomUUID();
  const listeners = new Map<string, Set<(hint: unknown) => void>>();
  let waiting: Waiting[] = [];
  let closing = false;

  function tell(topic: string, hint: unknown): void {
    for (const hear of listeners.get(topic) ?? []) {
      try {
        hear(hint);
      } catch (error) {
        log.error({ err: error, topic }, 'a wake-up was not understood');
      }
    }
  }

  function missed(): void {
    for (const topic of listeners.keys()) tell(topic, LOOK);
  }

  const carrier = open({
    heard(message) {
      try {
        const [sender, hints] = JSON.parse(message) as [string, Hint[]];
        if (sender !== self) for (const [topic, hint] of hints) tell(topic, hint);
      } catch {
        // A stranger's, or that of a version with other messages: whatever it tells of is looked for.
        onError(new Error('A message of no known form came with the wake-ups.'));
        missed();
      }
    },
    missed,
  });

  let sending: Promise<void> | undefined;

  /** Sends until nothing is left; what is published meanwhile, for at least GATHER_MS, goes together. */
  async function send(): Promise<void> {
    while (waiting.length > 0) {
      const messages = pack(self, waiting, carrier.mostBytes);
      waiting = [];
      for (const message of messages) await carrier.send(message).catch(onError);
      if (!closing) await pause(GATHER_MS);
    }
    sending = undefined;
  }

  return {
    publish(topic, hint, elsewhere = [hint]) {
      tell(topic, hint);
      if (waiting.length >= MOST_WAITING) waiting = lookInstead(waiting);
      waiting.push({ topic, forms: waiting.length < MOST_WHOLE ? elsewhere : elsewhere.slice(-1) });
      sending ??= send();
    },
    subscribe(topic, hear) {
      const heard = listeners.get(topic) ?? new Set();
      listeners.set(topic, heard.add(hear));
      return () => heard.delete(hear);
    },
    async close() {
      closing = true;
      await Promise.race([sending, pause(LAST_HINTS_MS, undefined, { ref: false })]);
      await carrier.close();
    },
  };
}

const lookInstead = (gathered: readonly Waiting[]): Waiting[] =>
  [...new Set(gathered.map(({ topic }) => topic))].map((topic) => ({ topic, forms: [LOOK] }));

/**
 * The gathered hints as one message, or, where they do not fit, their short forms in as few messages as hold them: a
 * burst costs the other processes a read, not the database a flood of notifications.
 */
export function pack(self: string, gathered: readonly Waiting[], mostBytes: number): string[] {
  const whole = envelope(self, unique(gathered.map(({ topic, forms }) => encode(topic, forms[0]))));
  if (Buffer.byteLength(whole) <= mostBytes) return [whole];
  const most = mostBytes - Buffer.byteLength(envelope(self, []));
  const messages: string[][] = [];
  let room = 0;
  for (const hint of unique(gathered.map(({ topic, forms }) => shortOf(topic, forms, most)))) {
    const size = sizeOf(hint);
    if (size > room) {
      messages.push([]);
      room = most;
    }
    messages.at(-1)?.push(hint);
    room -= size;
  }
  return messages.map((hints) => envelope(self, hints));
}

function shortOf(topic: string, forms: readonly unknown[], most: number): string {
  const short = encode(topic, forms.at(-1));
  return sizeOf(short) <= most ? short : encode(topic, LOOK);
}

const encode = (topic: string, form: unknown): string => JSON.stringify([topic, form] satisfies Hint);

const envelope = (self: string, encoded: readonly string[]): string => `[${JSON.stringify(self)},[${encoded.join()}]]`;

/** With the comma between two. */
const sizeOf = (encoded: string): number => Buffer.byteLength(encoded) + 1;

const unique = (encoded: readonly string[]): string[] => [...new Set(encoded)];
