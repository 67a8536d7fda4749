import type { Db } from '../../platform/db/connect.js';
import { NO_SUCH_CARRIER, NO_SUCH_USER, noSuchReference } from './numbers.errors.js';

/** Whom and what line a number is given to, where it is given at all. */
export interface Assignment {
  readonly userId?: string | null;
  readonly carrierId?: string | null;
}

export interface References {
  readonly userIds: ReadonlySet<string>;
  readonly carrierIds: ReadonlySet<string>;
}

/**
 * Which users and carriers of these assignments the account may give a number to. In a transaction they stay until its
 * commit, so that a number is never assigned to what is being removed: to be asked before numbers are locked, as they
 * are behind the row that goes.
 */
export async function findReferences(tx: Db, accountId: string, wanted: readonly Assignment[]): Promise<References> {
  const wantedUsers = wanted.map(({ userId }) => userId).filter((id) => typeof id === 'string');
  const wantedCarriers = wanted.map(({ carrierId }) => carrierId).filter((id) => typeof id === 'string');
  const userIds = new Set<string>();
  const carrierIds = new Set<string>();
  if (wantedUsers.length > 0) {
    const { rows } = await tx.raw<{ rows: { id: string }[] }>(
      'select id from users where account_id = ? and id = any(?::uuid[]) order by id for key share',
      [accountId, wantedUsers],
    );
    for (const { id } of rows) userIds.add(id);
  }
  if (wantedCarriers.length > 0) {
    const { rows } = await tx.raw<{ rows: { id: string }[] }>(
      `select id from carriers
       where (account_id = ? or account_id is null) and id = any(?::uuid[]) and deleted_at is null
       order by id for key share`,
      [accountId, wantedCarriers],
    );
    for (const { id } of rows) carrierIds.add(id);
  }
  return { userIds, carrierIds };
}

/** Sentences for an assignment to a user or carrier that the account does not have; null: all is well. */
export function referenceErrors(known: References, wanted: Assignment): { [field: string]: string[] } | null {
  const errors = {
    ...(wanted.userId && !known.userIds.has(wanted.userId) && { user_id: [NO_SUCH_USER] }),
    ...(wanted.carrierId && !known.carrierIds.has(wanted.carrierId) && { carrier_id: [NO_SUCH_CARRIER] }),
  };
  return Object.keys(errors).length > 0 ? errors : null;
}

/** What the number has already it may keep. @throws 400 */
export function checkReferences(known: References, wanted: Assignment, present: Assignment = {}): void {
  const errors = referenceErrors(known, {
    ...(wanted.userId !== present.userId && { userId: wanted.userId ?? null }),
    ...(wanted.carrierId !== present.carrierId && { carrierId: wanted.carrierId ?? null }),
  });
  if (errors) throw noSuchReference(errors);
}
