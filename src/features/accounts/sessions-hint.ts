import type { Wakeups } from '../../platform/wakeups.js';

/** Topic of the hints that somebody's sessions have stopped or changed: a SessionsHint. */
export const SESSIONS_TOPIC = 'sessions';

/** Whose open sockets are to be judged anew. */
export interface SessionsHint {
  readonly user_id?: string;
  readonly account_id?: string;
  readonly api_key_id?: string;
}

export const publishSessions = (wakeups: Wakeups, hint: SessionsHint): void => wakeups.publish(SESSIONS_TOPIC, hint);
