import type { IncomingMessage } from 'node:http';
import type { Actor } from '../../http/actor.js';
import { callerAddress } from '../../http/client-address.js';

export interface LimitSettings {
  readonly perUser: number;
  readonly perAddress: number;
  readonly trustProxy: boolean;
}

const SPARE = 100;

/** Counts the open connections of this process by address and by user or key. */
export interface ConnectionLimits {
  addressOf(request: IncomingMessage): string;
  /** Counts one more, or answers null when there are too many; the answer takes it back. */
  takeAddress(address: string): (() => void) | null;
  takeActor(actor: Actor): (() => void) | null;
  /** Connections that may never say who they are; some more than those that do, so that the others can be told. */
  takeUnnamed(address: string): (() => void) | null;
}

export function createConnectionLimits({ perUser, perAddress, trustProxy }: LimitSettings): ConnectionLimits {
  const addresses = new Map<string, number>();
  const actors = new Map<string, number>();
  const unnamed = new Map<string, number>();
  return {
    addressOf(request) {
      const forwarded = trustProxy ? request.headers['x-forwarded-for'] : undefined;
      // The last entry is the proxy's own; those before it are the client's to invent.
      const last = String(forwarded ?? '')
        .split(',')
        .at(-1)
        ?.trim();
      return callerAddress(last || (request.socket.remoteAddress ?? ''));
    },
    takeAddress: (address) => take(addresses, address, perAddress),
    takeActor: (actor) => take(actors, actor.apiKeyId ?? actor.userId ?? '', perUser),
    takeUnnamed: (address) => take(unnamed, address, perAddress + SPARE),
  };
}

function take(counts: Map<string, number>, key: string, most: number): (() => void) | null {
  const count = counts.get(key) ?? 0;
  if (count >= most) return null;
  counts.set(key, count + 1);
  let isTaken = true;
  return () => {
    if (!isTaken) return;
    isTaken = false;
    const left = (counts.get(key) ?? 1) - 1;
    if (left > 0) counts.set(key, left);
    else counts.delete(key);
  };
}

/** A bucket that holds `size` and fills by `perSecond`; `take` answers whether there was one left. */
export function createBucket(size: number, perSecond: number, now: () => number = Date.now): { take(): boolean } {
  let level = size;
  let at = now();
  return {
    take() {
      const time = now();
      level = Math.min(size, level + ((time - at) / 1000) * perSecond);
      at = time;
      if (level < 1) return false;
      level -= 1;
      return true;
    },
  };
}
