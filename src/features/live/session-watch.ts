import type { Actor, UserRole } from '../../http/actor.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../platform/log.js';
import type { Wakeups } from '../../platform/wakeups.js';
import { SESSIONS_TOPIC } from '../accounts/index.js';
import type { Session } from './session.js';

/** Whether what an actor came with still counts, and its role now. */
export interface SessionVerdict {
  readonly isValid: boolean;
  readonly role: UserRole;
}

/** What has become of these actors, in their order. One statement however many there are. */
export type SessionChecker = (actors: readonly Actor[]) => Promise<readonly SessionVerdict[]>;

/** Contract: within a second. A check may take a while itself. */
const CHECK_MS = 500;
const TICK_MS = 200;

export interface WatchDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly wakeups: Wakeups;
  readonly checkSessions: SessionChecker;
}

/** Watches the open connections for tokens that end, and for users, keys and sign-ins that were changed. */
export function watchSessions(deps: WatchDeps, sessions: ReadonlySet<Session>): { stop(): Promise<void> } {
  let checking: Promise<void> | null = null;
  let again = false;
  let stopped = false;

  function check(): void {
    again = true;
    checking ??= checkAll()
      .catch((error: unknown) => deps.log.warn({ err: error }, 'open connections could not be checked'))
      .finally(() => {
        checking = null;
      });
  }

  async function checkAll(): Promise<void> {
    while (again && !stopped) {
      again = false;
      await checkOnce(deps, [...sessions]);
    }
  }

  const checks = setInterval(check, CHECK_MS);
  const ticks = setInterval(() => {
    const now = deps.clock.now();
    for (const session of sessions) session.tick(now);
  }, TICK_MS);
  const unsubscribe = deps.wakeups.subscribe(SESSIONS_TOPIC, check);

  return {
    async stop() {
      stopped = true;
      clearInterval(checks);
      clearInterval(ticks);
      unsubscribe();
      await checking;
    },
  };
}

async function checkOnce(
  { checkSessions, clock }: Pick<WatchDeps, 'checkSessions' | 'clock'>,
  sessions: readonly Session[],
): Promise<void> {
  const groups = new Map<string, { actor: Actor; sessions: Session[] }>();
  for (const session of sessions) {
    const { actor } = session;
    const key = JSON.stringify([actor.userId, actor.apiKeyId, actor.sessionId, actor.expiresAt]);
    const group = groups.get(key);
    if (group) group.sessions.push(session);
    else groups.set(key, { actor, sessions: [session] });
  }
  if (groups.size === 0) return;
  const asked = [...groups.values()];
  const found = await checkSessions(asked.map(({ actor }) => actor));
  asked.forEach((group, place) => {
    for (const session of group.sessions) apply(session, { asked: group.actor, found: found[place], now: clock.now() });
  });
}

interface Finding {
  readonly asked: Actor;
  readonly found: SessionVerdict | undefined;
  readonly now: number;
}

function apply(session: Session, { asked, found, now }: Finding): void {
  // Renewed meanwhile: the answer is about a token that it no longer lives on.
  if (session.actor.expiresAt !== asked.expiresAt || session.actor.sessionId !== asked.sessionId) return;
  if (!found?.isValid) {
    // What has come to its end is not found either, and was not taken away.
    session.tick(now);
    session.close('token_revoked');
  } else if (found.role !== session.actor.role) session.become({ ...session.actor, role: found.role });
}
