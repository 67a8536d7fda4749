import type { UserRole } from '../../http/actor.js';

export interface User {
  readonly id: string;
  readonly accountId: string;
  readonly username: string;
  readonly role: UserRole;
  readonly isActive: boolean;
  readonly contactNumber: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface NewUser {
  readonly username: string;
  readonly password: string;
  readonly role: UserRole;
  readonly isActive: boolean;
  readonly contactNumber: string | null;
}

export interface UserChanges {
  readonly username?: string;
  readonly password?: string;
  readonly role?: UserRole;
  readonly isActive?: boolean;
  readonly contactNumber?: string | null;
}

/** Who may be changed, deleted or given a new password by whom: an operator only by operators. */
export const mayChange = (actorRole: UserRole, target: Pick<User, 'role'>): boolean =>
  actorRole === 'operator' || target.role !== 'operator';

/** Only an operator gives the role operator. */
export const mayGive = (actorRole: UserRole, role: UserRole): boolean =>
  actorRole === 'operator' || role !== 'operator';

/** An operator is an admin of their own account too. */
export const isActingAdmin = (user: Pick<User, 'role' | 'isActive'>): boolean =>
  user.isActive && user.role !== 'member';

/** Whether the change ends every sign-in of the user: a new password, or being deactivated. */
export const stopsSessions = (user: User, changes: UserChanges): boolean =>
  changes.password !== undefined || (user.isActive && changes.isActive === false);
