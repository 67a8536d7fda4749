import { type Actor, hasRole } from '../../http/actor.js';
import { permissionDenied } from '../../lib/errors.js';
import type { Claim } from './claim-numbers.js';
import type { NumberPatch } from './number.js';
import type { NumberFilters } from './numbers.queries.js';
import type { ChangeInput, ClaimInput, ListQuery } from './numbers.schema.js';

/** An empty text is what a form sends for nothing. */
const textOrNull = (value: string | null | undefined): string | null => value || null;

/** What is claimed; a member claims for themselves alone. @throws 403 */
export function claimFrom(actor: Actor, input: ClaimInput): Claim {
  const isAdmin = hasRole(actor, 'admin');
  const { user_id: userId = isAdmin ? null : actor.userId, carrier_id: carrierId = null } = input;
  if (!isAdmin && (userId !== actor.userId || carrierId !== null)) throw permissionDenied();
  return {
    ...{ phoneNumber: input.phone_number, userId, carrierId },
    ...{ isActive: input.is_active, label: textOrNull(input.label), tags: input.tags ?? [] },
  };
}

/** What is changed; assigning is an admin's. @throws 403 */
export function patchFrom(actor: Actor, input: ChangeInput): NumberPatch {
  const { user_id: userId, carrier_id: carrierId } = input;
  if (!hasRole(actor, 'admin') && (userId !== undefined || carrierId !== undefined)) throw permissionDenied();
  return {
    ...(input.is_active !== undefined && { isActive: input.is_active }),
    ...(input.label !== undefined && { label: textOrNull(input.label) }),
    ...(input.tags !== undefined && { tags: input.tags }),
    ...(userId !== undefined && { userId }),
    ...(carrierId !== undefined && { carrierId }),
  };
}

export const filtersFrom = (query: ListQuery): NumberFilters => ({
  ...(query.is_active && { isActive: query.is_active }),
  ...(query.user_id && { userId: query.user_id }),
  ...(query.carrier_id && { carrierId: query.carrier_id }),
  ...(query.country && { country: query.country }),
  ...(query.tag && { tag: query.tag }),
  ...(query.search && { search: query.search }),
});
