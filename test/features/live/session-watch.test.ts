import { expect } from 'chai';
import type { Session } from '../../../src/features/live/session.js';
import { watchSessions } from '../../../src/features/live/session-watch.js';
import type { Actor } from '../../../src/http/actor.js';
import { createLogger } from '../../../src/platform/log.js';
import type { Wakeups } from '../../../src/platform/wakeups.js';
import { makeActor } from '../../support/door.js';

const NOW = 1_800_000_000_000;

/** A connection that keeps why it was closed. */
function connect(expiresAt: number | null) {
  const actor: Actor = { ...makeActor({ keyWith: ['calls:read'] }), expiresAt };
  const closed: string[] = [];
  const close = (code: string): void => {
    if (closed.length === 0) closed.push(code);
  };
  const tick = (now: number): void => {
    if (expiresAt !== null && now >= expiresAt) close('token_expired');
  };
  return { closed, session: { actor, close, tick } as unknown as Session };
}

describe('the watch over live sessions', () => {
  it('says of a key that is found no more whether it came to its end or was taken away', async () => {
    const [ended, deleted, endless] = [connect(NOW - 1), connect(NOW + 60_000), connect(null)];
    let hear: (hint: unknown) => void = () => undefined;
    const wakeups = {
      subscribe: (_topic: string, listener: typeof hear) => {
        hear = listener;
        return () => undefined;
      },
    };
    const watch = watchSessions(
      {
        clock: { now: () => NOW },
        log: createLogger('silent'),
        wakeups: wakeups as unknown as Wakeups,
        checkSessions: async (actors) => actors.map(() => ({ isValid: false, role: 'admin' })),
      },
      new Set([ended.session, deleted.session, endless.session]),
    );

    hear({});
    await watch.stop();

    expect([ended, deleted, endless].map(({ closed }) => closed)).to.deep.equal([
      ['token_expired'],
      ['token_revoked'],
      ['token_revoked'],
    ]);
  });
});
