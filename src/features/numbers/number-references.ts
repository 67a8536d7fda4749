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
 * Which of these users and carriers the account may give a number to. In a transaction the users stay until its commit,
 * so that a number is never assigned to one who is being removed.
 */
export async function findReferences(
  tx: Db,
  accountId: string,
  wanted: { readonly userIds: readonly string[]; readonly carrierIds: readonly string[] },
): Promise<References> {
  const userIds = new Set<string>();
  const carrierIds = new Set<string>();
  if (wanted.userIds.length > 0) {
    const { rows } = await tx.raw<{ rows: { id: string }[] }>(
      'select id from users where account_id = ? and id = any(?::uuid[]) order by id for key share',
      [accountId, [...wanted.userIds]],
    );
    for (const { id } of rows) userIds.add(id);
  }
  if (wanted.carrierIds.length > 0) {
    const { rows } = await tx.raw<{ rows: { id: string }[] }>(
      `select id from carriers
       where (account_id = ? or account_id is null) and id = any(?::uuid[]) and deleted_at is null`,
      [accountId, [...wanted.carrierIds]],
    );
    for (const { id } of rows) carrierIds.add(id);
  }
  return { userIds, carrierIds };
}

/** The references that are looked up for these assignments. */
export const referencesIn = (wanted: readonly Assignment[]) => ({
  userIds: wanted.map(({ userId }) => userId).filter((id) => typeof id === 'string'),
  carrierIds: wanted.map(({ carrierId }) => carrierId).filter((id) => typeof id === 'string'),
});

/** Sentences for an assignment to a user or carrier that the account does not have; null: all is well. */
export function referenceErrors(known: References, wanted: Assignment): { [field: string]: string[] } | null {
  const errors = {
    ...(wanted.userId && !known.userIds.has(wanted.userId) && { user_id: [NO_SUCH_USER] }),
    ...(wanted.carrierId && !known.carrierIds.has(wanted.carrierId) && { carrier_id: [NO_SUCH_CARRIER] }),
  };
  return Object.keys(errors).length > 0 ? errors : null;
}

/** @throws 400 */
export async function checkReferences(tx: Db, accountId: string, wanted: Assignment): Promise<void> {
  const errors = referenceErrors(await findReferences(tx, accountId, referencesIn([wanted])), wanted);
  if (errors) throw noSuchReference(errors);
}
