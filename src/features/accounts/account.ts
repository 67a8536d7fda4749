import type { NewUser, User } from './user.js';

/** The tenant. */
export interface Account {
  readonly id: string;
  readonly name: string;
  readonly isActive: boolean;
  /** Days that things are kept; null: call logs for ever, the others as the installation is set. */
  readonly callRetentionDays: number | null;
  readonly eventRetentionDays: number | null;
  readonly webhookRetentionDays: number | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Who has been with it longest; null when nobody is left. */
  readonly user: User | null;
}

/** A new tenant and its first user. */
export interface NewAccount {
  readonly name: string;
  readonly owner: NewUser;
}

export interface AccountChanges {
  readonly name?: string;
  readonly isActive?: boolean;
  readonly callRetentionDays?: number | null;
  readonly eventRetentionDays?: number | null;
  readonly webhookRetentionDays?: number | null;
}
