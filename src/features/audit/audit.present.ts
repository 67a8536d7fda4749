import type { AuditEntry } from './audit-entry.js';

export const presentEntry = (entry: AuditEntry) => ({
  id: entry.id,
  created_at: entry.createdAt.toISOString(),
  action: entry.action,
  outcome: entry.outcome,
  actor_type: entry.actor.type,
  actor_user_id: entry.actor.userId,
  actor_api_key_id: entry.actor.apiKeyId,
  address: entry.address,
  request_id: entry.requestId,
  object_type: entry.objectType,
  object_id: entry.objectId,
  members: entry.members,
  before: entry.before,
  after: entry.after,
});
