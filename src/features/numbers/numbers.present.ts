import type { ListedNumber, NumberChange } from './number.js';

const iso = (ms: number): string => new Date(ms).toISOString();

/** A number as the wire and the events show it. */
export const presentNumber = (number: ListedNumber): Record<string, unknown> => ({
  id: number.id,
  phone_number: number.phoneNumber,
  is_active: number.isActive,
  label: number.label,
  country: number.country,
  type: number.type,
  tags: number.tags,
  user_id: number.userId,
  carrier_id: number.carrierId,
  created_at: iso(number.createdAt),
  updated_at: iso(number.updatedAt),
});

export const presentChange = (change: NumberChange): Record<string, unknown> => ({
  id: change.id,
  at: iso(change.at),
  action: change.action,
  by_user_id: change.byUserId,
  by_api_key_id: change.byApiKeyId,
  changes: change.changes,
});
