import type { AnyRoute } from '../../http/route.js';
import type { Platform } from '../../platform/platform.js';
import { accountsRoutes } from './accounts.routes.js';
import { type AccountsService, createAccountsService } from './accounts.service.js';
import { ensureFirstOperator } from './first-operator.js';
import { createPasswords, type Passwords } from './password.js';
import { usersRoutes } from './users.routes.js';
import { createUsersService, type RemovingUser, type UsersService } from './users.service.js';

export { newAccount } from './accounts.schema.js';
export type { Passwords } from './password.js';
export { publishSessions, SESSIONS_TOPIC, type SessionsHint } from './sessions-hint.js';
export type { User } from './user.js';
export { type Credentials, findCredentials, replacePasswordHash } from './users.repository.js';
export { newPassword, storedText } from './users.schema.js';
export type { LeavingUser, RemovingUser, UsersService } from './users.service.js';

/**
 * Accounts and their users.
 *
 * @example
 * const accounts = createAccounts(platform, { removingUser: (user, remove) => … });
 * await accounts.ensureFirstOperator();            // at start, after the migration, before the ready line
 * const tokens = createTokens(platform, { passwords: accounts.passwords, apiKeys });
 */
export interface Accounts {
  readonly service: AccountsService;
  readonly users: UsersService;
  readonly passwords: Passwords;
  readonly routes: readonly AnyRoute[];
  /** Makes the first operator if there is none; a made-up login is printed once on stdout (or by `print`). */
  ensureFirstOperator(print?: (text: string) => void): Promise<void>;
}

export interface AccountsDeps {
  /** Opens the transaction of a user's removal, in which their numbers become unassigned. */
  readonly removingUser: RemovingUser;
}

export function createAccounts(platform: Platform, { removingUser }: AccountsDeps): Accounts {
  const { db, clock, wakeups, config } = platform;
  const passwords = createPasswords();
  const service = createAccountsService({ db, clock, wakeups, passwords });
  const users = createUsersService({ db, clock, wakeups, passwords, removingUser });
  const { adminUsername: username, adminPassword: password } = config;
  const given = username !== null && password !== null ? { username, password } : null;
  return {
    service,
    users,
    passwords,
    routes: [...accountsRoutes(service, config.signupOpen), ...usersRoutes(users)],
    ensureFirstOperator: (print = (text) => void process.stdout.write(text)) =>
      ensureFirstOperator({ db, clock, passwords, given, print }),
  };
}
