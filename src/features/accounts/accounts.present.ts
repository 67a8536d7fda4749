import type { Account } from './account.js';
import { presentUser } from './users.present.js';

export const presentNewAccount = (account: Account) => ({
  id: account.id,
  name: account.name,
  is_active: account.isActive,
  created_at: account.createdAt.toISOString(),
  user: account.user && presentUser(account.user),
});

export const presentAccount = (account: Account) => ({
  ...presentNewAccount(account),
  call_retention_days: account.callRetentionDays,
  event_retention_days: account.eventRetentionDays,
  webhook_retention_days: account.webhookRetentionDays,
  updated_at: account.updatedAt.toISOString(),
});
