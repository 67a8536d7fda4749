/**
 * How many webhooks wait for a worker. The door asks for each one and cannot count each time: what was counted last and
 * what was let in since is an upper bound, and only where that reaches the limit is it counted once more.
 */
import type { Db } from '../../platform/db/connect.js';
import { type Backlog, readBacklog } from './inbox.repository.js';

export interface BacklogWatch {
  /** Lets a webhook in unless as many wait as may; what was let in leaves when its storing has ended. */
  enter(): Promise<boolean>;
  leave(): void;
  isFull(): boolean;
  stop(): void;
}

const LOOK_EVERY_MS = 1000;
/** A long backlog takes long to count: counting may cost a hundredth of the time, no more. */
const REST_PER_LOOK = 100;
/** Nor may what was worked off meanwhile be refused for longer than senders are told to wait. */
const LONGEST_REST_MS = 10_000;

export function watchBacklog(db: Db, most: number, onLook: (backlog: Backlog) => void): BacklogWatch {
  let counted = 0;
  let inside = 0;
  let enteredSince = 0;
  let restUntil = 0;
  let counting: Promise<void> | undefined;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;

  const bound = (): number => counted + inside + enteredSince;

  async function count(): Promise<void> {
    const began = performance.now();
    counted += enteredSince;
    enteredSince = 0;
    try {
      const backlog = await readBacklog(db, most);
      counted = backlog.count;
      const ended = performance.now();
      restUntil = ended + Math.min(LONGEST_REST_MS, (ended - began) * REST_PER_LOOK);
      onLook(backlog);
    } catch {
      // Out of reach: the store itself refuses then, and the last count stands. How long that took says nothing of how
      // long counting takes.
      restUntil = performance.now() + LOOK_EVERY_MS;
    }
    counting = undefined;
  }
  const countOnce = (): Promise<void> => {
    counting ??= count();
    return counting;
  };

  async function look(): Promise<void> {
    await countOnce();
    const rest = Math.max(LOOK_EVERY_MS, restUntil - performance.now());
    if (!isStopped) timer = setTimeout(() => void look(), rest).unref();
  }
  void look();
  return {
    async enter() {
      if (bound() >= most && (counting || performance.now() >= restUntil)) await countOnce();
      if (bound() >= most) return false;
      inside += 1;
      return true;
    },
    leave() {
      inside -= 1;
      enteredSince += 1;
    },
    isFull: () => bound() >= most,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
