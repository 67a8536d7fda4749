import type { Erasure } from './erasure.js';

export const presentErasure = (erasure: Erasure): Record<string, unknown> => ({
  id: erasure.id,
  status: erasure.status,
  pseudonym: erasure.pseudonym,
  changed: erasure.changed,
  by_user_id: erasure.by_user_id,
  by_api_key_id: erasure.by_api_key_id,
  created_at: erasure.created_at.toISOString(),
  finished_at: erasure.finished_at?.toISOString() ?? null,
});
