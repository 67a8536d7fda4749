export const ACTOR_TYPES = ['user', 'api_key', 'operator', 'system', 'anonymous'] as const;
export type ActorType = (typeof ACTOR_TYPES)[number];

export const OUTCOMES = ['succeeded', 'failed', 'unknown'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface AuditActor {
  readonly type: ActorType;
  readonly userId: string | null;
  readonly apiKeyId: string | null;
}

/** Where a request came from. */
export interface Origin {
  readonly address: string | null;
  readonly requestId: string | null;
}

/** An entry before it has its place. */
export interface NewAuditEntry extends Origin {
  /** Whose log; null: nobody's. */
  readonly accountId: string | null;
  readonly action: string;
  readonly outcome: Outcome;
  readonly actor: AuditActor;
  readonly objectType: string;
  readonly objectId: string | null;
  readonly members: readonly string[];
  readonly before: unknown;
  readonly after: unknown;
}

export interface AuditEntry extends NewAuditEntry {
  readonly id: string;
  readonly createdAt: Date;
}

export const NOBODY: AuditActor = { type: 'anonymous', userId: null, apiKeyId: null };
export const SYSTEM: AuditActor = { type: 'system', userId: null, apiKeyId: null };
