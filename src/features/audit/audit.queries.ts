import type { Db } from '../../platform/db/connect.js';
import type { AuditRow } from './audit.repository.js';
import type { AuditEntry } from './audit-entry.js';

export interface AuditFilters {
  readonly action?: readonly string[];
  readonly outcome?: readonly string[];
  readonly actor_type?: readonly string[];
  readonly actor_user_id?: readonly string[];
  readonly actor_api_key_id?: readonly string[];
  readonly object_type?: readonly string[];
  readonly object_id?: readonly string[];
  readonly created_after?: Date;
  readonly created_before?: Date;
}

const LISTS = [
  'action',
  'outcome',
  'actor_type',
  'actor_user_id',
  'actor_api_key_id',
  'object_type',
  'object_id',
] as const;

export interface AuditPage {
  readonly limit: number;
  /** Id of the last entry of the page before. */
  readonly before: string | null;
}

/** The log of an account, newest first; `accountId` null: what is nobody's. */
export async function searchEntries(
  db: Db,
  accountId: string | null,
  { filters, page }: { readonly filters: AuditFilters; readonly page: AuditPage },
): Promise<AuditEntry[]> {
  const query = db('audit_log').where({ account_id: accountId });
  for (const name of LISTS) {
    const values = filters[name];
    if (values) query.whereIn(name, [...values]);
  }
  if (filters.created_after) query.where('created_at', '>=', filters.created_after);
  if (filters.created_before) query.where('created_at', '<', filters.created_before);
  if (page.before !== null) query.where('id', '<', page.before);
  const rows: AuditRow[] = await query.orderBy('id', 'desc').limit(page.limit).select('*');
  return rows.map(toEntry);
}

const toEntry = (row: AuditRow): AuditEntry => ({
  id: row.id,
  accountId: row.account_id,
  createdAt: row.created_at,
  action: row.action,
  outcome: row.outcome,
  actor: { type: row.actor_type, userId: row.actor_user_id, apiKeyId: row.actor_api_key_id },
  address: row.address,
  requestId: row.request_id,
  objectType: row.object_type,
  objectId: row.object_id,
  members: row.members,
  before: row.before,
  after: row.after,
});
