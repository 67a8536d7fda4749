import type { User } from './user.js';

export const presentUser = (user: User) => ({
  id: user.id,
  username: user.username,
  role: user.role,
  is_active: user.isActive,
  contact_number: user.contactNumber,
  created_at: user.createdAt.toISOString(),
  updated_at: user.updatedAt.toISOString(),
});
