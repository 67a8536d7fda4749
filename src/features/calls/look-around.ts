/** What a batch of reports is joined with is locked, and read under the locks. */
import type { SqlRunner } from '../../platform/db/connect.js';
import { runTogether, type Statement } from '../../platform/db/statement.js';
import { findHoldings, type Holding } from '../numbers/index.js';
import { legKey, sessionKey } from './call-placement.js';
import { type CallRecord, type LegName, type LegNames, loadFamilies, lockFamilies } from './calls.repository.js';
import type { LegReports } from './record-reports.js';

/** What reports are joined with: the families that they speak of, locked until the commit, and who holds the numbers. */
export interface Surroundings {
  /** In which they are locked. */
  readonly tx: SqlRunner;
  readonly records: readonly CallRecord[];
  /** Keys of the sessions whose call logs are all among the records. */
  readonly sessions: ReadonlySet<string>;
  readonly holdings: ReadonlyMap<string, readonly Holding[]>;
}

/** Locks and reads, and asks `again` under the locks. A plan may leave out reports that it was asked for. */
export async function lookAround(
  tx: SqlRunner,
  legReports: readonly LegReports[],
  again: readonly Statement<void>[] = [],
): Promise<Surroundings> {
  const names = namesOf(legReports);
  const questions = [lockFamilies(names), loadFamilies(names), findHoldings(numbersOf(legReports))] as const;
  const [, records, holdings] = await runTogether(tx, [...questions, ...again]);
  return { tx, records, sessions: wholeSessions(names, records), holdings };
}

export function namesOf(legs: readonly LegReports[]): LegNames {
  const parents: LegName[] = [];
  const sessions: { carrierId: string; sessionId: string }[] = [];
  for (const { carrierId, reports } of legs) {
    for (const { parentCallId, sessionId } of reports) {
      if (parentCallId !== undefined) parents.push({ carrierId, callId: parentCallId });
      if (sessionId !== undefined) sessions.push({ carrierId, sessionId });
    }
  }
  return { legs, parents, sessions };
}

/** The sessions of the batch's own legs: those were read whole. */
export function wholeSessions(names: LegNames, records: readonly CallRecord[]): Set<string> {
  const own = new Set(names.legs.map(({ carrierId, callId }) => legKey(carrierId, callId)));
  const whole = new Set(names.sessions.map(({ carrierId, sessionId }) => sessionKey(carrierId, sessionId)));
  for (const { carrier_id, carrier_call_id, session_id } of records) {
    if (session_id !== null && own.has(legKey(carrier_id, carrier_call_id)))
      whole.add(sessionKey(carrier_id, session_id));
  }
  return whole;
}

function numbersOf(legs: readonly LegReports[]): string[] {
  const parties = legs.flatMap(({ reports }) => reports.flatMap(({ from, to }) => [from, to]));
  return [...new Set(parties.filter((party) => party?.startsWith('+')))] as string[];
}
