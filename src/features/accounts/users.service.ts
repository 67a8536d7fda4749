import type { Knex } from 'knex';
import type { Actor } from '../../http/actor.js';
import { type Page, toPage } from '../../http/pagination.js';
import type { Clock } from '../../lib/clock.js';
import { permissionDenied } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import type { Wakeups } from '../../platform/wakeups.js';
import type { Passwords } from './password.js';
import { publishSessions } from './sessions-hint.js';
import { isActingAdmin, mayChange, mayGive, type NewUser, stopsSessions, type User, type UserChanges } from './user.js';
import { explainUserConflict, lastAdmin, userNotFound } from './users.errors.js';
import {
  deleteUser,
  findUser,
  hasOtherAdmin,
  insertUser,
  listUsers,
  lockUsersOf,
  type UserUpdate,
  updateUser,
} from './users.repository.js';

export interface LeavingUser {
  readonly accountId: string;
  readonly userId: string;
  readonly byUserId: string | null;
  readonly byApiKeyId: string | null;
}

/**
 * Opens the transaction in which a user goes, runs the removal in it, and then lets go of what else is theirs: the
 * removal judges and locks first, in the order of every other change of users.
 */
export type RemovingUser = (user: LeavingUser, remove: (tx: Db) => Promise<void>) => Promise<void>;

export interface UsersService {
  list(accountId: string, page: { readonly before: string | null; readonly limit: number }): Promise<Page<User>>;
  /** @throws 404 */
  get(accountId: string, id: string): Promise<User>;
  /** @throws 404, 403 when the actor may read but not change this user */
  getChangeable(actor: Actor, id: string): Promise<User>;
  create(actor: Actor, input: NewUser): Promise<User>;
  change(actor: Actor, id: string, changes: UserChanges): Promise<User>;
  changeContactNumber(user: { accountId: string; id: string }, contactNumber: string | null): Promise<User>;
  remove(actor: Actor, id: string): Promise<void>;
}

export interface UsersDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly wakeups: Wakeups;
  readonly passwords: Passwords;
  readonly removingUser: RemovingUser;
}

export function createUsersService({ db, clock, wakeups, passwords, removingUser }: UsersDeps): UsersService {
  const present = (): Date => new Date(clock.now());

  async function get(accountId: string, id: string): Promise<User> {
    const user = await findUser(db, accountId, id);
    if (!user) throw userNotFound();
    return user;
  }

  async function getChangeable(actor: Actor, id: string): Promise<User> {
    const user = await get(actor.accountId, id);
    if (!mayChange(actor.role, user)) throw permissionDenied();
    return user;
  }

  async function create(actor: Actor, input: NewUser): Promise<User> {
    if (!mayGive(actor.role, input.role)) throw permissionDenied();
    const { password, ...user } = input;
    const passwordHash = await passwords.hash(password);
    return explained(() =>
      insertUser(db, { ...user, id: newId(), accountId: actor.accountId, passwordHash }, present()),
    );
  }

  /** The user as the transaction holds it, once no other change of the account's users runs. */
  async function lock(tx: Db, actor: Actor, id: string): Promise<User> {
    await lockUsersOf(tx, actor.accountId);
    const user = await findUser(tx, actor.accountId, id);
    if (!user) throw userNotFound();
    if (!mayChange(actor.role, user)) throw permissionDenied();
    return user;
  }

  async function update(db: Db, user: Pick<User, 'id' | 'accountId'>, changes: UserUpdate): Promise<User> {
    const updated = await updateUser(db, user, changes, present());
    if (!updated) throw userNotFound();
    return updated;
  }

  async function keepAnAdmin(tx: Db, before: User, after: Pick<User, 'role' | 'isActive'> | null): Promise<void> {
    if (!isActingAdmin(before) || (after && isActingAdmin(after))) return;
    if (!(await hasOtherAdmin(tx, before.accountId, before.id))) throw lastAdmin();
  }

  async function change(actor: Actor, id: string, changes: UserChanges): Promise<User> {
    if (changes.role !== undefined && !mayGive(actor.role, changes.role)) throw permissionDenied();
    const { password, ...rest } = changes;
    const passwordHash = password === undefined ? {} : { passwordHash: await passwords.hash(password) };
    let isTold = false;
    const changed = await explained(() =>
      db.transaction(async (tx) => {
        const user = await lock(tx, actor, id);
        await keepAnAdmin(tx, user, { role: rest.role ?? user.role, isActive: rest.isActive ?? user.isActive });
        const stops = stopsSessions(user, changes);
        isTold = stops || (rest.role !== undefined && rest.role !== user.role);
        return update(tx, user, { ...rest, ...passwordHash, stopsSessions: stops });
      }),
    );
    if (isTold) publishSessions(wakeups, { user_id: id });
    return changed;
  }

  async function remove(actor: Actor, id: string): Promise<void> {
    const by = { byUserId: actor.userId, byApiKeyId: actor.apiKeyId };
    const leaving = { accountId: actor.accountId, userId: id, ...by };
    await removingUser(leaving, async (tx) => {
      const user = await lock(tx, actor, id);
      await keepAnAdmin(tx, user, null);
      await deleteUser(tx, actor.accountId, id);
    });
    publishSessions(wakeups, { user_id: id });
  }

  return {
    get,
    getChangeable,
    create,
    change,
    remove,
    async list(accountId, { before, limit }) {
      const users = await listUsers(db, accountId, { before, limit: limit + 1 });
      return toPage(users, limit, (user) => [user.id]);
    },
    changeContactNumber: (user, contactNumber) =>
      explained(() => update(db, user, { contactNumber, stopsSessions: false })),
  };
}

/** Runs the work; what the table refused becomes the sentence under the member. */
export async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainUserConflict(error);
  }
}
