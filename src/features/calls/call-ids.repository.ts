import type { SqlRunner } from '../../platform/db/connect.js';
import { run, type Statement } from '../../platform/db/statement.js';
import type { IdKind, Rename } from './call-id-rule.js';
import { legKey, sessionKey } from './call-placement.js';
import { lockFamilies } from './calls.repository.js';

/** What the ids of these marks are now; those that were never renamed are left out. */
export const findRenamed = (marks: readonly string[]): Statement<Map<string, string>> => ({
  name: 'find_renamed_call_ids',
  sql: 'select mark, name from renamed_call_ids where mark = any(?::text[])',
  bindings: [[...marks]],
  read: (rows) => new Map((rows as { mark: string; name: string }[]).map(({ mark, name }) => [mark, name])),
});

/** Which of the carrier's ids are those of an account's calls. */
export async function findOwnLegs(
  db: SqlRunner,
  asked: readonly { readonly carrierId: string; readonly accountId: string; readonly id: string }[],
): Promise<Set<string>> {
  if (asked.length === 0) return new Set();
  const { rows } = await db.raw<{ rows: { carrier_id: string; carrier_call_id: string }[] }>(
    `select c.carrier_id, c.carrier_call_id from unnest(?::uuid[], ?::uuid[], ?::text[]) as a (carrier_id, account_id, id)
     join call_logs c on c.carrier_id = a.carrier_id and c.carrier_call_id = a.id and c.account_id = a.account_id`,
    [asked.map((one) => one.carrierId), asked.map((one) => one.accountId), asked.map((one) => one.id)],
  );
  return new Set(rows.map((row) => legKey(row.carrier_id, row.carrier_call_id)));
}

const keyOf = (kind: IdKind, carrierId: string, id: string): string =>
  kind === 'leg' ? legKey(carrierId, id) : sessionKey(carrierId, id);

/**
 * Gives calls and sessions their new names, wherever they are named, under the locks that whoever records them takes.
 * One that was renamed already stays as it is. Answers how many were renamed.
 */
export async function renameCallIds(tx: SqlRunner, renames: readonly Rename[]): Promise<number> {
  const names = renames.flatMap(({ kind, carrierId, from, to }) => [from, to].map((id) => ({ kind, carrierId, id })));
  await run(
    tx,
    lockFamilies({
      legs: names.filter(({ kind }) => kind === 'leg').map(({ carrierId, id }) => ({ carrierId, callId: id })),
      parents: [],
      sessions: names
        .filter(({ kind }) => kind === 'session')
        .map(({ carrierId, id }) => ({ carrierId, sessionId: id })),
    }),
  );
  const known = await run(tx, findRenamed(renames.map(({ mark }) => mark)));
  const open = [...new Map(renames.filter(({ mark }) => !known.has(mark)).map((one) => [one.mark, one])).values()];
  await lockNamed(tx, open);
  for (const rename of open) await renameOne(tx, { ...rename, to: await freeName(tx, rename) });
  return open.length;
}

/** All rows at once and in the order of their ids, as by whoever else waits for some of them. */
async function lockNamed(tx: SqlRunner, renames: readonly Rename[]): Promise<void> {
  const legs = renames.filter(({ kind }) => kind === 'leg');
  const sessions = renames.filter(({ kind }) => kind === 'session');
  const [carriers, ids] = [legs.map(({ carrierId }) => carrierId), legs.map(({ from }) => from)];
  await tx.raw(
    `with legs as materialized (select * from unnest(?::uuid[], ?::text[]) as l (carrier_id, id)),
     sessions as materialized (select * from unnest(?::uuid[], ?::text[]) as s (carrier_id, id)),
     named as materialized (
       select c.id from call_logs c join legs l on c.carrier_id = l.carrier_id and c.carrier_call_id = l.id
       union select c.id from call_logs c join legs l on c.carrier_id = l.carrier_id and c.parent_carrier_call_id = l.id
       union select c.id from call_logs c join sessions s on c.carrier_id = s.carrier_id and c.session_id = s.id)
     select 1 from call_logs where id in (select id from named) order by id for update`,
    [carriers, ids, sessions.map(({ carrierId }) => carrierId), sessions.map(({ from }) => from)],
  );
}

/**
 * Two ids that differ only in how they spell the number must not become one. A name that is there and that nothing was
 * renamed to is the same call's: a webhook that was pending when its number was erased speaks of it by the new name.
 */
async function freeName(tx: SqlRunner, { kind, carrierId, from, to }: Rename): Promise<string> {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? to : `${to}~${count}`;
    const { rows } = await tx.raw<{ rows: { taken: boolean }[] }>(
      `select exists (select 1 from renamed_call_ids where carrier_id = ? and kind = ? and name = ?)
         or ? = 'leg' and 2 = (select count(*) from call_logs where carrier_id = ? and carrier_call_id in (?, ?)) as taken`,
      [carrierId, kind, name, kind, carrierId, from, name],
    );
    if (!rows[0]?.taken) return name;
  }
}

/** In which column, and in which of the facts, a call log names its parent or its session. */
const RELATIONS = {
  leg: { column: 'parent_carrier_call_id', fact: '{registers,parentCallId,value}' },
  session: { column: 'session_id', fact: '{registers,sessionId,value}' },
} as const;

async function renameOne(tx: SqlRunner, { kind, carrierId, from, to, mark }: Rename): Promise<void> {
  const { column, fact } = RELATIONS[kind];
  if (kind === 'leg') {
    await tx.raw('update call_logs set carrier_call_id = ? where carrier_id = ? and carrier_call_id = ?', [
      ...[to, carrierId, from],
    ]);
  }
  await tx.raw(
    `update call_logs set ${column} = ?, facts = jsonb_set(facts::jsonb, '${fact}', to_jsonb(?::text), false)
     where carrier_id = ? and ${column} = ?`,
    [to, to, carrierId, from],
  );
  await renameKeys(tx, keyOf(kind, carrierId, from), keyOf(kind, carrierId, to));
  await tx.raw('update renamed_call_ids set name = ? where carrier_id = ? and kind = ? and name = ?', [
    ...[to, carrierId, kind, from],
  ]);
  await tx.raw('insert into renamed_call_ids (mark, carrier_id, kind, name) values (?, ?, ?, ?)', [
    ...[mark, carrierId, kind, to],
  ]);
}

/** In webhooks that wait, or speak of several legs. Pending ones get their keys anew when they are worked off. */
async function renameKeys(tx: SqlRunner, from: string, to: string): Promise<void> {
  await tx.raw(
    `with named as materialized (
       select id from inbound_webhooks
       where (wait_keys @> array[?::text] or leg_keys @> array[?::text]) and status <> 'pending' order by id for update)
     update inbound_webhooks w set wait_keys = array_replace(wait_keys, ?, ?), leg_keys = array_replace(leg_keys, ?, ?)
     from named where w.id = named.id`,
    [from, from, from, to, from, to],
  );
}

/** What a call log says of a parent that is not its account's, or not known here. */
export async function renameParents(
  tx: SqlRunner,
  parents: readonly { readonly callId: string; readonly from: string; readonly to: string }[],
): Promise<void> {
  if (parents.length === 0) return;
  const { column, fact } = RELATIONS.leg;
  await tx.raw(
    `update call_logs c set ${column} = p."to", facts = jsonb_set(facts::jsonb, '${fact}', to_jsonb(p."to"), false)
     from jsonb_to_recordset(?::jsonb) as p ("callId" uuid, "from" text, "to" text)
     where c.id = p."callId" and c.${column} = p."from"`,
    [JSON.stringify(parents)],
  );
}
