/**
 * The call logs of a batch with their relatives, and who is whose parent: the leg that the provider names, else, where
 * only a session is told, the session's incoming leg, else its earliest by (started_at, carrier call id).
 */
import { legKey, sessionKey } from './call-placement.js';
import type { CallRecord } from './calls.repository.js';

export interface Relatives {
  readonly carrierId: string;
  readonly callId: string;
  readonly parentCallId: string | null;
  readonly sessionId: string | null;
}

export interface Families {
  find(carrierId: string, callId: string): CallRecord | undefined;
  /** As it was read from the database. */
  loaded(id: string): CallRecord | undefined;
  put(record: CallRecord): void;
  all(): CallRecord[];
  /** The call log of the leg's parent, in whatever account; undefined: it has none, or it is not known. */
  parentOf(leg: Relatives): CallRecord | undefined;
  /** What `parent_call_log_id` should be: null for a parent in another account. */
  parentIdOf(record: CallRecord): string | null;
}

/** `wholeSessions`: keys of the sessions whose call logs are all among the records; of others nothing is concluded. */
export function createFamilies(records: readonly CallRecord[], wholeSessions: ReadonlySet<string>): Families {
  const loaded = new Map(records.map((record) => [record.id, record]));
  const byLeg = new Map<string, CallRecord>();
  const bySession = new Map<string, Set<string>>();

  function put(record: CallRecord): void {
    const key = legKey(record.carrier_id, record.carrier_call_id);
    const former = byLeg.get(key)?.session_id ?? null;
    byLeg.set(key, record);
    if (former !== null && former !== record.session_id)
      bySession.get(sessionKey(record.carrier_id, former))?.delete(key);
    if (record.session_id === null) return;
    const session = sessionKey(record.carrier_id, record.session_id);
    const members = bySession.get(session) ?? new Set();
    bySession.set(session, members.add(key));
  }

  function rootOf(carrierId: string, sessionId: string): CallRecord | undefined {
    const keys = bySession.get(sessionKey(carrierId, sessionId)) ?? [];
    const members = [...keys].map((key) => byLeg.get(key)).filter((member) => member !== undefined);
    const incoming = members.filter((member) => member.direction === 'incoming');
    return (incoming.length > 0 ? incoming : members).reduce<CallRecord | undefined>(earlier, undefined);
  }

  function parentOf({ carrierId, callId, parentCallId, sessionId }: Relatives): CallRecord | undefined {
    if (parentCallId === callId) return undefined;
    if (parentCallId !== null) return byLeg.get(legKey(carrierId, parentCallId));
    const root = sessionId === null ? undefined : rootOf(carrierId, sessionId);
    return root?.carrier_call_id === callId ? undefined : root;
  }

  /** A told parent that the batch had no reason to load stays as it was found before; one that it names is loaded. */
  const isNewlyTold = (record: CallRecord): boolean =>
    loaded.get(record.id)?.parent_carrier_call_id !== record.parent_carrier_call_id;

  function parentIdOf(record: CallRecord): string | null {
    const session = record.session_id === null ? null : sessionKey(record.carrier_id, record.session_id);
    const isTold = record.parent_carrier_call_id !== null;
    if (!isTold && session !== null && !wholeSessions.has(session)) return record.parent_call_log_id;
    const parent = parentOf({
      carrierId: record.carrier_id,
      callId: record.carrier_call_id,
      parentCallId: record.parent_carrier_call_id,
      sessionId: record.session_id,
    });
    if (!parent) return isTold && !isNewlyTold(record) ? record.parent_call_log_id : null;
    return parent.account_id === record.account_id ? parent.id : null;
  }

  for (const record of records) put(record);
  return {
    find: (carrierId, callId) => byLeg.get(legKey(carrierId, callId)),
    loaded: (id) => loaded.get(id),
    put,
    all: () => [...byLeg.values()],
    parentOf,
    parentIdOf,
  };
}

function earlier(a: CallRecord | undefined, b: CallRecord): CallRecord {
  if (!a) return b;
  const order = a.started_at.getTime() - b.started_at.getTime();
  if (order !== 0) return order < 0 ? a : b;
  return a.carrier_call_id < b.carrier_call_id ? a : b;
}
