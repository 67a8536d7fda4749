/**
 * Hints from one process to the others: «account X has events up to 17», «user Y was changed». A hint may be lost,
 * doubled or late; whoever listens also looks by itself now and then. On PostgreSQL by LISTEN/NOTIFY, with `REDIS_URL`
 * by publish/subscribe. Hints are gathered: the first goes out at once, those of the next 10 ms together.
 */
export interface Wakeups {
  /**
   * Sends a hint to every process, this one included (which hears it in the same turn, without the round trip). Where
   * hints do not fit into one message (8 kB on PostgreSQL), the others get `short` instead: less, but still enough to
   * know where to look; without one, LOOK.
   */
  publish(topic: string, hint: string, short?: string): void;
  /** Calls `hear` with each hint of the topic; returns how to stop. Every listener understands LOOK. */
  subscribe(topic: string, hear: (hint: string) => void): () => void;
  close(): Promise<void>;
}

/** The hint that says no more than: something was missed, look yourself. Also given after a lost connection. */
export const LOOK = '!';
