/**
 * Hints from one process to the others: «account X has events up to 17», «user Y was changed». A hint may be lost,
 * doubled or late; whoever listens also looks by itself now and then. On PostgreSQL by LISTEN/NOTIFY, with `REDIS_URL`
 * by publish/subscribe. Hints are gathered: the first goes out at once, those of the next 10 ms together.
 */
export interface Wakeups {
  /**
   * Sends a hint, which is anything that JSON can say, to every process. This one hears it in the same turn, as it is.
   * The others hear the first of `elsewhere`, or, where hints do not fit into one message (8 kB on PostgreSQL), the last
   * of it: less, but still enough to know where to look; where that is too long as well, LOOK.
   */
  publish(topic: string, hint: unknown, elsewhere?: readonly unknown[]): void;
  /** Calls `hear` with each hint of the topic; returns how to stop. Every listener understands LOOK. */
  subscribe(topic: string, hear: (hint: unknown) => void): () => void;
  close(): Promise<void>;
}

/** The hint that says no more than: something was missed, look yourself. Also given after a lost connection. */
export const LOOK = '!';
