import type { Actor } from './actor.js';
import type { AnyRoute } from './route.js';

/** A request that is about to change something. */
export interface AuditedRequest {
  /** Null: nobody signed in (an account opened where sign-up is open). */
  readonly actor: Actor | null;
  readonly address: string;
  readonly requestId: string;
  readonly action: string;
  readonly objectType: string;
  readonly objectId: string | null;
  /** Names of what the body gave. */
  readonly members: readonly string[];
  /** The object as its own GET shows it. */
  readonly before: unknown;
}

/** How a request that was announced ended. */
export interface AuditedOutcome {
  /** `nothing`: it was refused and changed nothing; `unknown`: it broke off. */
  readonly kind: 'changed' | 'nothing' | 'unknown';
  /** What was answered. */
  readonly after?: unknown;
}

/** Where the frame announces a change before the handler runs, and tells its end. Made by a feature. */
export type AuditTrail = (request: AuditedRequest) => Promise<(outcome: AuditedOutcome) => Promise<void>>;

const VERBS: Readonly<Record<AnyRoute['method'], string>> = {
  get: 'read',
  post: 'created',
  put: 'updated',
  patch: 'updated',
  delete: 'deleted',
};

/** Parts of a path that say nothing about what happens there. */
const SILENT = new Set(['create', 'me']);

export interface AuditNames {
  /** `user.updated`, `inbound_webhook.replay` */
  readonly action: string;
  readonly objectType: string;
}

/**
 * What the audit log calls the route's change: `PATCH /api/users/:id/` is `user.updated`, `POST …/:id/replay/` is
 * `inbound_webhook.replay`, `DELETE …/:id/two_factor/` is `user.two_factor.deleted`.
 */
export function auditNames(row: Pick<AnyRoute, 'method' | 'path'>): AuditNames {
  const words = row.path.split('/').filter((part) => part !== '' && part !== 'api' && !part.startsWith(':'));
  const [collection = '', ...more] = words;
  const objectType = singular(collection);
  const doings = more.filter((word) => !SILENT.has(word));
  const isDoing = row.method === 'post' && doings.length > 0;
  return { objectType, action: [objectType, ...doings, ...(isDoing ? [] : [VERBS[row.method]])].join('.') };
}

const singular = (plural: string): string => plural.replace(/s$/, '');
