/** The last look before a plan is written: no id in it may hold a number that its account has had erased. */
import { createNumberEraser, mayHoldNumber } from '../../lib/number-eraser.js';
import type { SqlRunner } from '../../platform/db/connect.js';
import { type CallIdRule, CallIdsChanged, type ErasedInId, type IdKind, type Rename } from './call-id-rule.js';
import { findOwnLegs } from './call-ids.repository.js';
import { legKey, sessionKey } from './call-placement.js';
import type { CallChange, LegReports } from './record-reports.js';

/** The id with the pseudonyms in the numbers' places: the very rule by which stored webhooks are rewritten. */
export const idWithout = (id: string, erased: readonly Pick<ErasedInId, 'number' | 'pseudonym'>[]): string =>
  erased.reduce((text, { number, pseudonym }) => createNumberEraser(number, pseudonym).text(text), id);

export const renameOf = (rule: Pick<CallIdRule, 'markOf'>, rename: Omit<Rename, 'mark'>): Rename => {
  const { kind, carrierId, from } = rename;
  return { ...rename, mark: rule.markOf(kind === 'leg' ? legKey(carrierId, from) : sessionKey(carrierId, from)) };
};

interface NamedId {
  readonly kind: IdKind | 'parent';
  readonly carrierId: string;
  readonly accountId: string;
  readonly id: string;
}

type RenamedId = NamedId & { readonly to: string };
type ErasedId = NamedId & { readonly erased: readonly ErasedInId[] };

export interface PlannedIds {
  readonly changes: readonly CallChange[];
  /** Legs of own carriers that found no place: they wait under their ids. */
  readonly unplaced: readonly LegReports[];
}

/**
 * The changes as they may be written: parents that are not the account's calls go by their new names.
 *
 * @throws CallIdsChanged calls or sessions must be renamed first
 */
export async function withoutErasedIds(
  tx: SqlRunner,
  planned: PlannedIds,
  rule: CallIdRule,
): Promise<readonly CallChange[]> {
  const found = [...idsOf(planned)].flatMap((named) => erasedIn(rule, named));
  if (found.length === 0) return planned.changes;
  const stateOf = await rule.stateOf(
    tx,
    found.flatMap(({ erased }) => erased),
  );
  const renamed = found.flatMap((named) => {
    const to = idWithout(
      named.id,
      named.erased.filter((one) => stateOf(one) === 'renamed'),
    );
    return to === named.id ? [] : [{ ...named, to }];
  });
  const parents = renamed.filter(({ kind }) => kind === 'parent');
  const isOwn = await ownLegs(tx, parents, planned.changes);
  const renames = renamed.flatMap((named) => {
    const { kind, carrierId, id, to } = named;
    if (kind === 'parent' && !isOwn(named)) return [];
    return [renameOf(rule, { kind: kind === 'parent' ? 'leg' : kind, carrierId, from: id, to })];
  });
  if (renames.length > 0) throw new CallIdsChanged(renames);
  const names = new Map(parents.map(({ accountId, id, to }) => [`${accountId} ${id}`, to]));
  return names.size === 0 ? planned.changes : planned.changes.map((change) => withParent(change, names));
}

/** Whether a parent is the account's call, by the old id or the new one, or becomes it with this plan. */
async function ownLegs(tx: SqlRunner, parents: readonly RenamedId[], changes: readonly CallChange[]) {
  const own = await findOwnLegs(tx, [...parents, ...parents.map((parent) => ({ ...parent, id: parent.to }))]);
  const keyOf = (accountId: string, carrierId: string, id: string): string => `${accountId} ${legKey(carrierId, id)}`;
  const made = new Set(
    parents.length === 0
      ? []
      : changes.map(({ after }) => keyOf(after.account_id, after.carrier_id, after.carrier_call_id)),
  );
  return ({ accountId, carrierId, id, to }: RenamedId): boolean =>
    [id, to].some((name) => own.has(legKey(carrierId, name)) || made.has(keyOf(accountId, carrierId, name)));
}

function* idsOf({ changes, unplaced }: PlannedIds): Generator<NamedId> {
  for (const { after } of changes) {
    const { carrier_id: carrierId, account_id: accountId } = after;
    yield { kind: 'leg', carrierId, accountId, id: after.carrier_call_id };
    if (after.session_id !== null) yield { kind: 'session', carrierId, accountId, id: after.session_id };
    if (after.parent_carrier_call_id !== null) {
      yield { kind: 'parent', carrierId, accountId, id: after.parent_carrier_call_id };
    }
  }
  for (const { carrierId, callId, carrier, reports } of unplaced) {
    if (carrier.accountId === null) continue;
    const { accountId } = carrier;
    yield { kind: 'leg', carrierId, accountId, id: callId };
    for (const { sessionId } of reports) {
      if (sessionId !== undefined) yield { kind: 'session', carrierId, accountId, id: sessionId };
    }
  }
}

function erasedIn(rule: CallIdRule, named: NamedId): ErasedId[] {
  if (!rule.isMeant(named.accountId) || !mayHoldNumber(named.id)) return [];
  const erased = rule.erasedIn(named.accountId, named.id);
  return erased.length === 0 ? [] : [{ ...named, erased }];
}

function withParent(change: CallChange, names: ReadonlyMap<string, string>): CallChange {
  const { after } = change;
  const { parentCallId } = after.facts.registers;
  const to = names.get(`${after.account_id} ${after.parent_carrier_call_id}`);
  if (to === undefined || !parentCallId) return change;
  const registers = { ...after.facts.registers, parentCallId: { ...parentCallId, value: to } };
  return { ...change, after: { ...after, parent_carrier_call_id: to, facts: { ...after.facts, registers } } };
}
