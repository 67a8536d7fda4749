import type { Db } from '../../platform/db/connect.js';

export interface SecondFactor {
  readonly userId: string;
  /** Sealed. */
  readonly secret: string;
  readonly enabledAt: Date | null;
}

/** What is asked of a user, in one statement. */
export interface TwoFactorState {
  readonly factor: SecondFactor | null;
  /** Whether the account demands a second factor. */
  readonly isDemanded: boolean;
  readonly codesLeft: number;
}

interface StateRow {
  user_id: string | null;
  secret: string | null;
  enabled_at: Date | null;
  requires_two_factor: boolean;
  codes_left: number;
}

export async function findState(db: Db, userId: string): Promise<TwoFactorState | undefined> {
  const { rows } = await db.raw<{ rows: StateRow[] }>(
    `select f.user_id, f.secret, f.enabled_at, a.requires_two_factor,
       (select count(*) from user_recovery_codes c where c.user_id = u.id) as codes_left
     from users u join accounts a on a.id = u.account_id left join user_two_factor f on f.user_id = u.id
     where u.id = ?`,
    [userId],
  );
  const [row] = rows;
  if (!row) return undefined;
  const { user_id: id, secret } = row;
  const factor = id !== null && secret !== null ? { userId: id, secret, enabledAt: row.enabled_at } : null;
  return { factor, isDemanded: row.requires_two_factor, codesLeft: row.codes_left };
}

/** A secret that the user has yet to confirm; one that is switched on stays. False when there is such a one. */
export async function replaceUnconfirmed(db: Db, userId: string, secret: string, now: Date): Promise<boolean> {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `insert into user_two_factor as f (user_id, secret, created_at)
     select id, ?, ? from users where id = ? for key share
     on conflict (user_id) do update set secret = excluded.secret, created_at = excluded.created_at, last_step = 0
       where f.enabled_at is null
     returning 1`,
    [secret, now, userId],
  );
  return rows.length === 1;
}

/** Takes the step, unless it or a later one was taken; of this secret alone. */
export async function takeStep(db: Db, { userId, secret }: SecondFactor, step: number): Promise<boolean> {
  const taken = await db('user_two_factor')
    .where({ user_id: userId, secret })
    .where('last_step', '<', step)
    .update({ last_step: step });
  return taken === 1;
}

/** False when another request was first. */
export async function switchOn(tx: Db, { userId, secret }: SecondFactor, step: number, now: Date): Promise<boolean> {
  const switched = await tx('user_two_factor')
    .where({ user_id: userId, secret })
    .whereNull('enabled_at')
    .update({ enabled_at: now, last_step: step });
  return switched === 1;
}

/** Keeps the factor, and its recovery codes, to this transaction; false when it is not on any more. */
export async function lockEnabled(tx: Db, userId: string): Promise<boolean> {
  const row = await tx('user_two_factor')
    .where({ user_id: userId })
    .whereNotNull('enabled_at')
    .forUpdate()
    .first('user_id');
  return row !== undefined;
}

/** Of a factor whose row the transaction has locked: else two that come at once leave the codes of both. */
export async function replaceRecoveryCodes(tx: Db, userId: string, hashes: readonly Buffer[]): Promise<void> {
  await tx('user_recovery_codes').where({ user_id: userId }).delete();
  await tx('user_recovery_codes').insert(hashes.map((hash) => ({ user_id: userId, code_hash: hash })));
}

/** True once for each code. */
export async function useRecoveryCode(db: Db, userId: string, hash: Buffer): Promise<boolean> {
  return (await db('user_recovery_codes').where({ user_id: userId, code_hash: hash }).delete()) === 1;
}

export async function deleteFactor(db: Db, userId: string): Promise<boolean> {
  return (await db('user_two_factor').where({ user_id: userId }).delete()) === 1;
}

export async function findDemand(db: Db, accountId: string): Promise<boolean> {
  const row = await db('accounts').where({ id: accountId }).first('requires_two_factor');
  return row?.requires_two_factor === true;
}

export async function setDemand(tx: Db, accountId: string, isDemanded: boolean, now: Date): Promise<void> {
  await tx('accounts').where({ id: accountId }).update({ requires_two_factor: isDemanded, updated_at: now });
}

/** Ends the sign-ins of the account's users without a second factor; answers who they are. */
export async function signOutWithoutFactor(tx: Db, accountId: string, validFrom: Date): Promise<string[]> {
  const { rows } = await tx.raw<{ rows: { id: string }[] }>(
    `update users u set session_epoch = session_epoch + 1, tokens_valid_from = ?
     where account_id = ? and not exists (select from user_two_factor f
       where f.user_id = u.id and f.enabled_at is not null)
     returning u.id`,
    [validFrom, accountId],
  );
  return rows.map(({ id }) => id);
}
