import type { UserRole } from '../../http/actor.js';
import type { Db } from '../../platform/db/connect.js';
import type { ForkView } from './token-fork.js';

/** A sign-in and everything refreshed from it. */
export interface Family {
  readonly id: string;
  readonly userId: string;
  readonly accountId: string;
  readonly role: UserRole;
  readonly expiresAt: Date;
}

export interface NewFamily {
  readonly id: string;
  readonly userId: string;
  readonly sessionEpoch: number;
  readonly nodeId: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly aliveUntil: Date;
}

/** The family with its first node; false when the user has gone meanwhile. */
export async function insertFamily(db: Db, family: NewFamily): Promise<boolean> {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `with someone as materialized (select id from users where id = ? for key share),
       family as (
         insert into token_families (id, user_id, session_epoch, created_at, expires_at, alive_until)
         select ?, id, ?, ?, ?, ? from someone returning id, created_at)
     insert into token_nodes (family_id, id, first_issued_at)
     select id, ?, created_at from family returning id`,
    [
      family.userId,
      family.id,
      family.sessionEpoch,
      family.createdAt,
      family.expiresAt,
      family.aliveUntil,
      family.nodeId,
    ],
  );
  return rows.length === 1;
}

interface FamilyRow {
  id: string;
  user_id: string;
  account_id: string;
  role: UserRole;
  expires_at: Date;
}

/** The family, if it and its user may still act; `lock` holds it until the transaction ends. */
export async function findLivingFamily(
  db: Db,
  id: string,
  options: { readonly now: Date; readonly lock: boolean },
): Promise<Family | undefined> {
  const query = db('token_families as f')
    .join('users as u', 'u.id', 'f.user_id')
    .join('accounts as a', 'a.id', 'u.account_id')
    .where('f.id', id)
    .where('f.expires_at', '>', options.now)
    .whereNull('f.revoked_at')
    .where('f.session_epoch', db.ref('u.session_epoch'))
    .where({ 'u.is_active': true, 'a.is_active': true });
  if (options.lock) query.forUpdate('f');
  const row = await query.first<FamilyRow>('f.id', 'f.user_id', 'u.account_id', 'u.role', 'f.expires_at');
  return (
    row && { id: row.id, userId: row.user_id, accountId: row.account_id, role: row.role, expiresAt: row.expires_at }
  );
}

interface ForkRow {
  child_presented: boolean;
  sibling_presented: boolean;
  newest_child_id: string | null;
  newest_child_at: Date | null;
}

/** What the fork rule looks at; undefined when the family has no such node. */
export async function findForkView(db: Db, familyId: string, nodeId: string): Promise<ForkView | undefined> {
  const { rows } = await db.raw<{ rows: ForkRow[] }>(
    `select newest.id as newest_child_id, newest.issued_at as newest_child_at,
       exists (select from token_nodes c where c.family_id = n.family_id and c.parent_id = n.id
         and c.presented_at is not null) as child_presented,
       exists (select from token_nodes s where s.family_id = n.family_id and s.parent_id = n.parent_id and s.id <> n.id
         and s.presented_at is not null) as sibling_presented
     from token_nodes n
     left join lateral (select id, coalesce(last_issued_at, first_issued_at) as issued_at from token_nodes c
       where c.family_id = n.family_id and c.parent_id = n.id order by issued_at desc limit 1) newest on true
     where n.family_id = ? and n.id = ?`,
    [familyId, nodeId],
  );
  const [row] = rows;
  if (!row) return undefined;
  const { newest_child_id: id, newest_child_at: lastIssuedAt } = row;
  return {
    childPresented: row.child_presented,
    siblingPresented: row.sibling_presented,
    newestChild: id !== null && lastIssuedAt !== null ? { id, lastIssuedAt } : null,
  };
}

export interface Presentation {
  readonly familyId: string;
  readonly nodeId: string;
  readonly now: Date;
  readonly aliveUntil: Date;
}

/** Marks the node as presented, and the family as alive until its newest tokens end. */
export async function markPresented(tx: Db, { familyId, nodeId, now, aliveUntil }: Presentation): Promise<void> {
  await tx.raw(
    `with presented as (update token_nodes set presented_at = ? where family_id = ? and id = ? and presented_at is null)
     update token_families set alive_until = greatest(alive_until, ?) where id = ?`,
    [now, familyId, nodeId, aliveUntil, familyId],
  );
}

export async function insertNode(
  tx: Db,
  node: { readonly familyId: string; readonly id: string; readonly parentId: string; readonly firstIssuedAt: Date },
): Promise<void> {
  await tx('token_nodes').insert({
    family_id: node.familyId,
    id: node.id,
    parent_id: node.parentId,
    first_issued_at: node.firstIssuedAt,
  });
}

/** One more token of the node was issued. */
export async function noteIssue(tx: Db, familyId: string, nodeId: string, now: Date): Promise<void> {
  await tx('token_nodes').where({ family_id: familyId, id: nodeId }).update({ last_issued_at: now });
}

export type RevokedReason = 'signed_out' | 'forked';

export async function revokeFamily(db: Db, id: string, reason: RevokedReason, now: Date): Promise<void> {
  await db('token_families').where({ id }).whereNull('revoked_at').update({ revoked_at: now, revoked_reason: reason });
}

/** Families whose last token has ended; answers how many went. */
export async function deleteEndedFamilies(db: Db, before: Date, most: number): Promise<number> {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `delete from token_families where id in (select id from token_families where alive_until < ? limit ?) returning 1`,
    [before, most],
  );
  return rows.length;
}
