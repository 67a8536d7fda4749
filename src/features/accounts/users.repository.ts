import type { UserRole } from '../../http/actor.js';
import type { Db } from '../../platform/db/connect.js';
import type { User, UserChanges } from './user.js';

export interface UserRow {
  readonly id: string;
  readonly account_id: string;
  readonly username: string;
  readonly role: UserRole;
  readonly is_active: boolean;
  readonly contact_number: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const COLUMNS = ['id', 'account_id', 'username', 'role', 'is_active', 'contact_number', 'created_at', 'updated_at'];

export const toUser = (row: UserRow): User => ({
  id: row.id,
  accountId: row.account_id,
  username: row.username,
  role: row.role,
  isActive: row.is_active,
  contactNumber: row.contact_number,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export interface UserToInsert extends Omit<User, 'createdAt' | 'updatedAt'> {
  readonly passwordHash: string;
}

export async function insertUser(db: Db, user: UserToInsert, now: Date): Promise<User> {
  const rows: UserRow[] = await db('users').insert(
    {
      id: user.id,
      account_id: user.accountId,
      username: user.username,
      password_hash: user.passwordHash,
      role: user.role,
      is_active: user.isActive,
      contact_number: user.contactNumber,
      created_at: now,
      updated_at: now,
    },
    COLUMNS,
  );
  return toUser(rows[0] as UserRow);
}

/** Newest first; `before`: the id of the last one of the page before. */
export async function listUsers(
  db: Db,
  accountId: string,
  page: { readonly before: string | null; readonly limit: number },
): Promise<User[]> {
  const query = db('users').where({ account_id: accountId });
  if (page.before !== null) query.where('id', '<', page.before);
  const rows: UserRow[] = await query.orderBy('id', 'desc').limit(page.limit).select(COLUMNS);
  return rows.map(toUser);
}

export async function findUser(db: Db, accountId: string, id: string): Promise<User | undefined> {
  const row = await db('users').where({ account_id: accountId, id }).first<UserRow>(COLUMNS);
  return row && toUser(row);
}

/** One change of the account's users at a time; whoever only refers to the account is not held up. */
export async function lockUsersOf(tx: Db, accountId: string): Promise<void> {
  await tx.raw('select 1 from accounts where id = ? for no key update', [accountId]);
}

export async function hasOtherAdmin(tx: Db, accountId: string, id: string): Promise<boolean> {
  const row = await tx('users')
    .where({ account_id: accountId, is_active: true })
    .whereIn('role', ['admin', 'operator'])
    .whereNot({ id })
    .first('id');
  return row !== undefined;
}

export interface UserUpdate extends Omit<UserChanges, 'password'> {
  readonly passwordHash?: string;
  /** Ends every sign-in so far. */
  readonly stopsSessions: boolean;
}

/** Undefined when there is no such user (any more). */
export async function updateUser(
  tx: Db,
  user: Pick<User, 'id' | 'accountId'>,
  update: UserUpdate,
  now: Date,
): Promise<User | undefined> {
  const [row]: (UserRow | undefined)[] = await tx('users')
    .where({ account_id: user.accountId, id: user.id })
    .update(
      {
        ...(update.username !== undefined && { username: update.username }),
        ...(update.passwordHash !== undefined && { password_hash: update.passwordHash }),
        ...(update.role !== undefined && { role: update.role }),
        ...(update.isActive !== undefined && { is_active: update.isActive }),
        ...(update.contactNumber !== undefined && { contact_number: update.contactNumber }),
        ...(update.stopsSessions && stopped(tx, now)),
        updated_at: now,
      },
      COLUMNS,
    );
  return row && toUser(row);
}

// A token tells its second only: one of the present second may have been issued before.
const stopped = (tx: Db, now: Date) => ({
  session_epoch: tx.raw('session_epoch + 1'),
  tokens_valid_from: new Date((Math.floor(now.getTime() / 1000) + 1) * 1000),
});

export async function deleteUser(tx: Db, accountId: string, id: string): Promise<void> {
  await tx('users').where({ account_id: accountId, id }).delete();
}

/** What a sign-in is judged by. */
export interface Credentials {
  readonly userId: string;
  readonly username: string;
  readonly accountId: string;
  readonly role: UserRole;
  readonly passwordHash: string;
  /** The user and the account. */
  readonly isActive: boolean;
  readonly sessionEpoch: number;
}

interface CredentialsRow {
  id: string;
  username: string;
  account_id: string;
  role: UserRole;
  password_hash: string;
  is_active: boolean;
  session_epoch: number;
}

export async function findCredentials(
  db: Db,
  by: { readonly username: string } | { readonly id: string },
): Promise<Credentials | undefined> {
  const [column, value] = 'id' in by ? ['u.id', by.id] : ['u.username', by.username];
  const row = await db('users as u')
    .join('accounts as a', 'a.id', 'u.account_id')
    .where(column, value)
    .first<CredentialsRow>(
      'u.id',
      'u.username',
      'u.account_id',
      'u.role',
      'u.password_hash',
      'u.session_epoch',
      db.raw('u.is_active and a.is_active as is_active'),
    );
  return (
    row && {
      userId: row.id,
      username: row.username,
      accountId: row.account_id,
      role: row.role,
      passwordHash: row.password_hash,
      isActive: row.is_active,
      sessionEpoch: row.session_epoch,
    }
  );
}

/** Puts the new hash in the place of the one that was judged; false when that one is no longer there. */
export async function replacePasswordHash(
  tx: Db,
  judged: Credentials,
  passwordHash: string,
  now: Date,
): Promise<boolean> {
  const changed = await tx('users')
    .where({ id: judged.userId, password_hash: judged.passwordHash, is_active: true })
    .update({ password_hash: passwordHash, updated_at: now, ...stopped(tx, now) });
  return changed === 1;
}
