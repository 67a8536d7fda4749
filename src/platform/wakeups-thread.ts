/**
 * Wake-ups for a thread beside the process's own: it hears and is heard through it, so it needs no connection to the
 * other processes. Hints pass a message port, which loses none as long as both sides live.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import { LOOK, type Wakeups } from './wakeups.js';

type Port = Pick<MessagePort | Worker, 'postMessage'>;

/** What the thread tells: it listens to a topic now, or it has a hint, in the forms that others would hear. */
export type FromThread =
  | { readonly listensTo: string }
  | { readonly topic: string; readonly forms: readonly unknown[] };

/** What the thread is told. */
export interface ToThread {
  readonly topic: string;
  readonly hint: unknown;
}

export interface ThreadWakeups extends Wakeups {
  /** A hint has come from the process. */
  heard(told: ToThread): void;
}

/** The thread's side. Only what the other processes would hear leaves it: what is told in one process may be large. */
export function createThreadWakeups(port: Port): ThreadWakeups {
  const listeners = new Map<string, Set<(hint: unknown) => void>>();
  const tell = ({ topic, hint }: ToThread): void => {
    for (const hear of listeners.get(topic) ?? []) hear(hint);
  };
  return {
    heard: tell,
    publish(topic, hint, elsewhere = [hint]) {
      tell({ topic, hint });
      port.postMessage({ topic, forms: elsewhere } satisfies FromThread);
    },
    subscribe(topic, hear) {
      const known = listeners.get(topic);
      if (!known) port.postMessage({ listensTo: topic } satisfies FromThread);
      const heard = known ?? new Set();
      listeners.set(topic, heard.add(hear));
      return () => heard.delete(hear);
    },
    close: async () => undefined,
  };
}

export interface WakeupsRelay {
  heard(told: FromThread): void;
  stop(): void;
}

/** The process's side. */
export function relayWakeups(wakeups: Wakeups, port: Port): WakeupsRelay {
  const stops: (() => void)[] = [];
  return {
    heard(told) {
      if ('topic' in told) {
        wakeups.publish(told.topic, told.forms[0], told.forms);
        return;
      }
      const topic = told.listensTo;
      stops.push(wakeups.subscribe(topic, (hint) => port.postMessage({ topic, hint } satisfies ToThread)));
      // What was told before that is not known any more.
      port.postMessage({ topic, hint: LOOK } satisfies ToThread);
    },
    stop() {
      for (const stop of stops) stop();
    },
  };
}
