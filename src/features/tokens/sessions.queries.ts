import type { UserRole } from '../../http/actor.js';
import type { Db } from '../../platform/db/connect.js';
import { run } from '../../platform/db/statement.js';

/** Whom a token names: ids that are no UUIDs find nobody. */
export interface SessionQuestion {
  readonly userId: string | null;
  readonly familyId: string | null;
  readonly apiKeyId: string | null;
}

export interface SessionRow {
  /** Null: there is no such user (any more). */
  readonly account_id: string | null;
  readonly role: UserRole | null;
  readonly is_active: boolean | null;
  readonly tokens_valid_from: Date | null;
  /** The family is the user's, of their present epoch, and not stopped. */
  readonly is_family_alive: boolean | null;
  /** The key exists, is neither deleted nor past its end, and its account is active. */
  readonly is_key_alive: boolean;
}

/** Prepared, because it is asked with every request: planning these joins costs five times what running them does. */
const FIND_SESSIONS = {
  name: 'find_sessions',
  sql: `
    select u.account_id, u.role, u.is_active and a.is_active as is_active, u.tokens_valid_from,
      f.revoked_at is null and f.session_epoch = u.session_epoch and f.expires_at > ? as is_family_alive,
      k.id is not null as is_key_alive
    from unnest(?::uuid[], ?::uuid[], ?::uuid[]) with ordinality as q (user_id, family_id, api_key_id, place)
    left join users u on u.id = q.user_id
    left join accounts a on a.id = u.account_id
    left join token_families f on f.id = q.family_id and f.user_id = u.id
    left join (api_keys k join accounts ka on ka.id = k.account_id and ka.is_active)
      on k.id = q.api_key_id and k.revoked_at is null and (k.expires_at is null or k.expires_at > ?)
    order by q.place`,
};

/** What stands behind many tokens and keys, in one statement of index look-ups; answers in the order of the questions. */
export function findSessions(db: Db, questions: readonly SessionQuestion[], now: Date): Promise<SessionRow[]> {
  // A list with nulls in it is nothing that Knex's types know.
  const column = (name: keyof SessionQuestion) => questions.map((question) => question[name]) as string[];
  const bindings = [now, column('userId'), column('familyId'), column('apiKeyId'), now];
  return run(db, { ...FIND_SESSIONS, bindings, read: (rows) => rows as SessionRow[] });
}
