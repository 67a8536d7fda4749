import { setTimeout as pause } from 'node:timers/promises';
import type { CallEvent, CallRemoved } from '../../src/client/index.js';

export const VIP = 'vip';
const ONE_IN = 10;
const AGAIN_MS = 200;

/** Tags some of the calls, and takes the tag from half of these again, so that calls enter and leave filters. */
export interface Tagger {
  see(event: CallEvent | CallRemoved): void;
  /** Resolves when every change was made; answers how many. */
  finish(): Promise<number>;
}

export function createTagger(url: string, token: () => Promise<string>): Tagger {
  const open = new Set<Promise<void>>();
  let answered = 0;
  let changes = 0;

  async function tag(id: string, tags: readonly string[]): Promise<void> {
    for (;;) {
      const answer = await fetch(`${url}/api/call_logs/${id}/`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${await token()}` },
        body: JSON.stringify({ tags }),
      }).catch(() => null);
      if (answer?.ok) break;
      await pause(AGAIN_MS);
    }
    changes += 1;
  }

  return {
    see(event) {
      if (event.type !== 'call.answered') return;
      answered += 1;
      if (answered % ONE_IN !== 0) return;
      const isTakenAgain = answered % (2 * ONE_IN) === 0;
      const done: Promise<void> = tag(event.call.id, [VIP])
        .then(() => (isTakenAgain ? tag(event.call.id, ['other']) : undefined))
        .finally(() => open.delete(done));
      open.add(done);
    },
    async finish() {
      while (open.size > 0) await Promise.all(open);
      return changes;
    },
  };
}
