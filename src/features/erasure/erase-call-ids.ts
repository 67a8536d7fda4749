/** Calls and sessions whose ids hold the number get other ids, under the locks that whoever records them takes. */
import type { Db } from '../../platform/db/connect.js';
import { blankDetails } from '../audit/index.js';
import { findOwnLegs, legKey, type Rename, renameCallIds, renameOf, renameParents } from '../calls/index.js';
import {
  type Candidate,
  LAST_ID,
  PAGE,
  type Place,
  SIGNS,
  type StepProgress,
  type StepQuestion,
} from './erasure-step.js';

/** Each takes up to six advisory locks until the commit, and the server has room for some thousands. */
const MOST_RENAMED = 100;

interface NamedCall extends Candidate {
  readonly carrier_id: string;
  readonly carrier_call_id: string;
  readonly parent_carrier_call_id: string | null;
  readonly session_id: string | null;
}

export async function eraseInCallIds(tx: Db, question: StepQuestion): Promise<StepProgress> {
  const { accountId, place } = question;
  const after = place as Place | null;
  const { rows } = await tx.raw<{ rows: NamedCall[] }>(
    `select c.id, c.started_at::text as at, c.carrier_id, c.carrier_call_id, c.parent_carrier_call_id, c.session_id,
       strpos(translate(regexp_replace(concat_ws(' ', c.carrier_call_id, c.parent_carrier_call_id, c.session_id),
         '%[0-9A-Fa-f]{2}', '', 'g'), ?, ''), ?) > 0 as hit
     from call_logs c where c.account_id = ? and (c.started_at, c.id) < (?::timestamptz, ?::uuid)
     order by c.started_at desc, c.id desc limit ?`,
    [SIGNS, question.eraser.ending, accountId, after?.at ?? 'infinity', after?.id ?? LAST_ID, PAGE],
  );
  const hits = rows.filter(({ hit }) => hit).slice(0, MOST_RENAMED);
  const changed = await renameIn(tx, hits, question);
  const last = hits.length === MOST_RENAMED ? hits.at(-1) : rows.at(-1);
  const isAll = rows.length < PAGE && last === rows.at(-1);
  return { table: 'call_ids', changed, next: isAll || !last ? null : { at: last.at, id: last.id } };
}

/** Answers how many call logs name themselves, their parents or their sessions otherwise now. */
async function renameIn(tx: Db, hits: readonly NamedCall[], question: StepQuestion): Promise<number> {
  const { accountId, eraser, callIds } = question;
  const changedOf = (id: string | null): string | null => {
    const to = id === null ? null : eraser.text(id);
    return to === id ? null : to;
  };
  const ids = hits.flatMap((call) => {
    const names = { leg: call.carrier_call_id, parent: call.parent_carrier_call_id, session: call.session_id };
    return (['leg', 'parent', 'session'] as const).flatMap((kind) => {
      const [from, to] = [names[kind], changedOf(names[kind])];
      return from === null || to === null ? [] : [{ kind, callId: call.id, carrierId: call.carrier_id, from, to }];
    });
  });
  if (ids.length === 0) return 0;
  const parents = ids.filter(({ kind }) => kind === 'parent');
  const own = await findOwnLegs(
    tx,
    parents.map(({ carrierId, from }) => ({ carrierId, accountId, id: from })),
  );
  const renames: Rename[] = ids.flatMap(({ kind, carrierId, from, to }) => {
    if (kind !== 'parent') return [renameOf(callIds, { kind, carrierId, from, to })];
    return own.has(legKey(carrierId, from)) ? [renameOf(callIds, { kind: 'leg', carrierId, from, to })] : [];
  });
  await renameCallIds(tx, renames);
  await renameParents(tx, parents);
  const calls = [...new Set(ids.map(({ callId }) => callId))];
  await blankDetails(tx, accountId, calls);
  return calls.length;
}
