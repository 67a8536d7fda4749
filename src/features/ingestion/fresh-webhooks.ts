/**
 * What this process has stored and will work off itself, in memory until then: it need not be read from the inbox. The
 * inbox stays the truth: whatever is lost here, or was never put here, is found there.
 */
import { type PackedWebhooks, packWebhooks, unpackWebhooks } from './batch-messages.js';
import { type NewWebhook, type PendingWebhook, toPending } from './inbound-webhook.js';

/** Together some tens of MB at most: a burst that is larger waits in the inbox. */
const MOST = 2000;
const MOST_BYTES = 16_777_216;

export interface FreshWebhooks {
  /** How many wait here. */
  count(): number;
  /** Resolves when so many wait here. One waits for it at a time: a later call takes the place of one that still waits. */
  whenHolds(count: number): Promise<void>;
  /** The least of their ids; null: there are none. */
  oldest(): string | null;
  /**
   * Those of them that wait for a worker. Answers false when there is no room for them. `isToWait`: they will be here for
   * a while, and are packed for it.
   */
  put(stored: readonly NewWebhook[], isToWait?: boolean): boolean;
  /** The oldest, at most so many (or as many as came together), which are then no longer here; null: there are none. */
  take(most: number): TakenWebhooks | null;
  /** What was found in the inbox is worked off from there. Answers how many of them were here. */
  forget(ids: readonly string[]): number;
}

export interface TakenWebhooks {
  readonly ids: readonly string[];
  packed(): readonly PackedWebhooks[];
  /** By how they came. */
  groups(): readonly (readonly PendingWebhook[])[];
}

/** Webhooks that came together: of one statement. */
interface Group {
  /** Of those that are still here. */
  readonly ids: Set<string>;
  readonly bytes: number;
  /** How many came. */
  readonly count: number;
  /** All of them, those that are not here any more as well. */
  readonly all: PackedWebhooks | readonly PendingWebhook[];
}

export function createFreshWebhooks(): FreshWebhooks {
  /** Oldest first. */
  const groups = new Set<Group>();
  const groupOf = new Map<string, Group>();
  let bytes = 0;
  let awaited: { readonly count: number; tell(): void } | undefined;

  function remove(group: Group): void {
    groups.delete(group);
    bytes -= group.bytes;
    for (const id of group.ids) groupOf.delete(id);
  }

  function tellAwaited(): void {
    if (!awaited || groupOf.size < awaited.count) return;
    awaited.tell();
    awaited = undefined;
  }

  return {
    count: () => groupOf.size,
    whenHolds: (count) =>
      new Promise((resolve) => {
        awaited = { count, tell: resolve };
        tellAwaited();
      }),
    oldest: () => [...groupOf.keys()].toSorted()[0] ?? null,
    put(stored, isToWait = false) {
      const pending = stored.filter(({ status }) => status === 'pending');
      const more = pending.reduce((sum, { body }) => sum + body.length, 0);
      if (groupOf.size + pending.length > MOST || bytes + more > MOST_BYTES) return false;
      if (pending.length === 0) return true;
      const webhooks = pending.map(toPending);
      const ids = new Set(webhooks.map(({ id }) => id));
      const group = { ids, bytes: more, count: ids.size, all: isToWait ? packWebhooks(webhooks) : webhooks };
      bytes += more;
      groups.add(group);
      for (const id of ids) groupOf.set(id, group);
      tellAwaited();
      return true;
    },
    take(most) {
      const taken: Group[] = [];
      let count = 0;
      for (const group of groups) {
        if (taken.length > 0 && count + group.ids.size > most) break;
        taken.push(group);
        count += group.ids.size;
      }
      for (const group of taken) remove(group);
      return taken.length === 0 ? null : takenFrom(taken);
    },
    forget(ids) {
      const before = groupOf.size;
      if (before === 0) return 0;
      for (const id of ids) {
        const group = groupOf.get(id);
        groupOf.delete(id);
        group?.ids.delete(id);
        if (group?.ids.size === 0) remove(group);
      }
      return before - groupOf.size;
    },
  };
}

const takenFrom = (groups: readonly Group[]): TakenWebhooks => ({
  ids: groups.flatMap(({ ids }) => [...ids]),
  packed: () => groups.map(packedOf),
  groups: () => groups.map(webhooksOf),
});

const isPacked = (all: Group['all']): all is PackedWebhooks => 'heads' in all;

function webhooksOf({ ids, all }: Group): readonly PendingWebhook[] {
  const webhooks = isPacked(all) ? unpackWebhooks(all) : all;
  return webhooks.length === ids.size ? webhooks : webhooks.filter(({ id }) => ids.has(id));
}

/** Whole as it came, unless some of it has gone. */
function packedOf(group: Group): PackedWebhooks {
  const { ids, all, count } = group;
  return isPacked(all) && ids.size === count ? all : packWebhooks(webhooksOf(group));
}
