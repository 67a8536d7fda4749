/**
 * Ids of calls as carriers tell them, and as they are now: where an erased number is part of one it was renamed, and
 * what is told late, or read once more from a stored webhook, still means the same call. It is looked up before the
 * locks, to know under which names to lock, and once more under them. Where nothing was erased nothing is looked at.
 */
import { mayHoldNumber } from '../../lib/number-eraser.js';
import type { SqlRunner } from '../../platform/db/connect.js';
import { run, type Statement } from '../../platform/db/statement.js';
import { type CallIdRule, CallIdsChanged, findRenamed, type IdKind, legKey, sessionKey } from '../calls/index.js';
import type { CarrierLine } from '../carriers/index.js';
import type { PendingWebhook } from './inbound-webhook.js';
import type { Understood, UnderstoodSignal } from './understand.js';

/** What becomes of ids that hold an erased number; null: nothing was erased. */
export type FindCallIdRule = () => Promise<CallIdRule | null>;

/** An id as it was told that may hold a number. */
export interface ToldId {
  readonly webhookId: string;
  readonly kind: IdKind;
  readonly carrier: Pick<CarrierLine, 'id' | 'accountId'>;
  readonly id: string;
  readonly mark: string;
  /** Of the leg that it is told of, as it is now. */
  readonly legKey: string;
}

/** What webhooks say, with ids as they are now. */
export interface Told {
  readonly understood: Understood[];
  readonly ids: readonly ToldId[];
  /** To be asked under the locks: whether the ids are still these. None where there are none to ask of. */
  readonly again: readonly Statement<void>[];
  /** When that was asked. @throws CallIdsChanged they are not */
  confirm(): void;
}

export interface Telling {
  readonly webhooks: readonly Pick<PendingWebhook, 'id' | 'carrier_id'>[];
  readonly understood: Understood[];
  readonly lines: ReadonlyMap<string, CarrierLine>;
}

const UNASKED = { ids: [], again: [], confirm: () => undefined };

export async function withPresentIds(tx: SqlRunner, rule: CallIdRule | null, telling: Telling): Promise<Told> {
  const { webhooks, understood, lines } = telling;
  if (!rule) return { understood, ...UNASKED };
  const ids = webhooks.flatMap(({ id, carrier_id }, place) => {
    const [words, line] = [understood[place], lines.get(carrier_id)];
    return line && words?.kind === 'reports' && rule.isMeant(line.accountId)
      ? words.signals.flatMap((signal) => idsIn(signal, { webhookId: id, carrier: line, rule }))
      : [];
  });
  if (ids.length === 0) return { understood, ...UNASKED };
  const renamed = await run(tx, findRenamed(marksOf(ids)));
  const names = new Map(ids.map((one) => [keyOf(one), renamed.get(one.mark) ?? one.id]));
  return {
    understood: webhooks.map(({ carrier_id }, place) => renamedIn(understood[place] as Understood, carrier_id, names)),
    ids: ids.map((one) => ({ ...one, legKey: presentKey(one, names) })),
    ...recheckOf(ids, renamed),
  };
}

const marksOf = (ids: readonly ToldId[]): string[] => [...new Set(ids.map(({ mark }) => mark))];

const keyOf = ({ kind, carrier, id }: Pick<ToldId, 'kind' | 'carrier' | 'id'>): string =>
  kind === 'leg' ? legKey(carrier.id, id) : sessionKey(carrier.id, id);

function idsIn(
  { callId, report: { parentCallId, sessionId } }: UnderstoodSignal,
  { webhookId, carrier, rule }: Pick<ToldId, 'webhookId' | 'carrier'> & { readonly rule: CallIdRule },
): ToldId[] {
  const told = (kind: IdKind, id: string | undefined): ToldId[] => {
    if (id === undefined || !mayHoldNumber(id)) return [];
    return [{ webhookId, kind, carrier, id, mark: rule.markOf(keyOf({ kind, carrier, id })), legKey: own }];
  };
  const own = legKey(carrier.id, callId);
  return [...told('leg', callId), ...told('leg', parentCallId), ...told('session', sessionId)];
}

/** By key: the id as it is now. */
type Names = ReadonlyMap<string, string>;

function presentKey({ carrier, legKey: told }: ToldId, names: Names): string {
  const name = names.get(told);
  return name === undefined ? told : legKey(carrier.id, name);
}

function renamedIn(words: Understood, carrierId: string, names: Names): Understood {
  if (words.kind !== 'reports') return words;
  const leg = (id: string): string => names.get(legKey(carrierId, id)) ?? id;
  const signals = words.signals.map(({ callId, report }) => {
    const { parentCallId, sessionId } = report;
    const parent = parentCallId === undefined ? undefined : leg(parentCallId);
    const session = sessionId === undefined ? undefined : (names.get(sessionKey(carrierId, sessionId)) ?? sessionId);
    return { callId: leg(callId), report: { ...report, parentCallId: parent, sessionId: session } };
  });
  return { ...words, signals };
}

/**
 * Whoever renames an id holds the locks of both names, and so does whoever gives a renamed one a further name: under the
 * lock of what it is taken to be now, nobody can change it any more.
 */
function recheckOf(ids: readonly ToldId[], renamed: Names): Pick<Told, 'again' | 'confirm'> {
  const question = findRenamed(marksOf(ids));
  let isSame = false;
  const read = (rows: readonly unknown[]): void => {
    const now = question.read(rows);
    isSame = now.size === renamed.size && [...now].every(([mark, name]) => renamed.get(mark) === name);
  };
  return {
    again: [{ ...question, read }],
    confirm() {
      if (!isSame) throw new CallIdsChanged([]);
    },
  };
}
