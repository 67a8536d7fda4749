/**
 * Hints from one process to the others: «account X has events up to 17», «user Y was changed». A hint may be lost,
 * doubled or late; whoever listens also looks by itself now and then. On PostgreSQL by LISTEN/NOTIFY, with `REDIS_URL`
 * by publish/subscribe. Hints on one topic are gathered: the first goes out at once, those of the next 10 ms together.
 */
export interface Wakeups {
  /** Sends a hint to every process, this one included (which hears it in the same turn, without the round trip). */
  publish(topic: string, hint: string): void;
  /** Calls `hear` with each hint of the topic; returns how to stop. */
  subscribe(topic: string, hear: (hint: string) => void): () => void;
  close(): Promise<void>;
}
