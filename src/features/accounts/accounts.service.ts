import type { Knex } from 'knex';
import type { Actor } from '../../http/actor.js';
import { type Page, toPage } from '../../http/pagination.js';
import type { Clock } from '../../lib/clock.js';
import { newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import type { Wakeups } from '../../platform/wakeups.js';
import type { Account, AccountChanges, NewAccount } from './account.js';
import { accountNotFound, ownAccount } from './accounts.errors.js';
import { findAccount, insertAccount, listAccounts, updateAccount } from './accounts.repository.js';
import type { Passwords } from './password.js';
import { publishSessions } from './sessions-hint.js';
import { insertUser } from './users.repository.js';
import { explained } from './users.service.js';

export interface AccountsService {
  list(page: { readonly before: string | null; readonly limit: number }): Promise<Page<Account>>;
  /** @throws 404 */
  get(id: string): Promise<Account>;
  create(input: NewAccount): Promise<Account>;
  change(actor: Actor, id: string, changes: AccountChanges): Promise<Account>;
}

export interface AccountsServiceDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly wakeups: Wakeups;
  readonly passwords: Passwords;
}

/** The account, its counters and its first user, in the transaction; answers the account's id. */
export async function openAccount(
  tx: Db,
  { name, owner }: NewAccount,
  { passwordHash, now }: { readonly passwordHash: string; readonly now: Date },
): Promise<string> {
  const id = newId();
  await insertAccount(tx, { id, name }, now);
  const { password: _, ...user } = owner;
  await insertUser(tx, { ...user, id: newId(), accountId: id, passwordHash }, now);
  return id;
}

export function createAccountsService({ db, clock, wakeups, passwords }: AccountsServiceDeps): AccountsService {
  const present = (): Date => new Date(clock.now());

  async function get(id: string): Promise<Account> {
    const account = await findAccount(db, id);
    if (!account) throw accountNotFound();
    return account;
  }

  return {
    get,
    async list({ before, limit }) {
      const accounts = await listAccounts(db, { before, limit: limit + 1 });
      return toPage(accounts, limit, (account) => [account.id]);
    },
    async create(input) {
      const passwordHash = await passwords.hash(input.owner.password);
      const id = await explained(() =>
        db.transaction((tx) => openAccount(tx, input, { passwordHash, now: present() })),
      );
      return get(id);
    },
    async change(actor, id, changes) {
      if (changes.isActive === false && id === actor.accountId) throw ownAccount();
      if (!(await updateAccount(db, id, changes, present()))) throw accountNotFound();
      if (changes.isActive === false) publishSessions(wakeups, { account_id: id });
      return get(id);
    },
  };
}
