/** Roles, least first; an operator may what an admin may, an admin what a member may. */
export const USER_ROLES = ['member', 'admin', 'operator'] as const;
export type UserRole = (typeof USER_ROLES)[number];

export const API_KEY_SCOPES = [
  'numbers:read',
  'numbers:write',
  'calls:read',
  'calls:write',
  'carriers:read',
  'carriers:write',
  'webhooks:read',
  'webhooks:write',
  'port_orders:read',
  'port_orders:write',
  'users:read',
  'users:write',
  'reports:read',
] as const;
export type Scope = (typeof API_KEY_SCOPES)[number];

/** Who asks: a signed-in user or an API key (which acts as an admin within its scopes). */
export interface Actor {
  readonly kind: 'user' | 'api_key';
  readonly accountId: string;
  /** Null for an API key. */
  readonly userId: string | null;
  readonly apiKeyId: string | null;
  readonly role: UserRole;
  /** Null: everything that the role may. */
  readonly scopes: ReadonlySet<Scope> | null;
  /** The sign-in that the token belongs to; null for API keys and tokens without one. */
  readonly sessionId: string | null;
  /** When the credential ends, ms since 1970; null: never. */
  readonly expiresAt: number | null;
}

export const hasRole = (actor: Actor, least: UserRole): boolean =>
  USER_ROLES.indexOf(actor.role) >= USER_ROLES.indexOf(least);

export const hasScope = (actor: Actor, scope: Scope): boolean => actor.scopes === null || actor.scopes.has(scope);

/**
 * Whose things the actor sees within its account: everybody's, or only one user's. Repositories take it as it is, so
 * that a member's question can never be answered with a colleague's rows.
 */
export interface Visibility {
  readonly accountId: string;
  /** Null: the whole account. */
  readonly userId: string | null;
}

export const visibilityOf = (actor: Actor): Visibility => ({
  accountId: actor.accountId,
  userId: actor.role === 'member' ? actor.userId : null,
});
