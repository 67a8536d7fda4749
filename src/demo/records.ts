/** Legs as the product itself would have recorded them from webhooks: facts first, the record as their view. */
import { buildRecord, type CallRecord, foldReports, type Report } from '../features/calls/index.js';
import { countryOf } from '../lib/e164.js';
import { newId } from '../lib/ids.js';
import type { Leg } from './stories.js';

/** How long the carrier's news take. */
const ON_THE_WAY_MS = 180;

export interface RecordMaker {
  /** `seq`: where the call's events stood in the account's log; null: it is not known any more. */
  make(leg: Leg, seq: number | null): CallRecord;
  /** How many events a leg has. */
  count(leg: Leg): number;
}

export function createRecordMaker(accountId: string, run: string): RecordMaker {
  const made = new WeakMap<Leg, { readonly id: string; readonly callId: string }>();
  let count = 0;

  function nameOf(leg: Leg) {
    const known = made.get(leg);
    if (known) return known;
    count += 1;
    const name = { id: newId(), callId: `demo-${run}-${count}` };
    made.set(leg, name);
    return name;
  }

  function reportsOf(leg: Leg): Report[] {
    const { callId } = nameOf(leg);
    const isIncoming = leg.direction === 'incoming';
    const parties = isIncoming ? { from: leg.party, to: leg.own.number } : { from: leg.own.number, to: leg.party };
    const parent = leg.parent && { parentCallId: nameOf(leg.parent).callId };
    return statesOf(leg).map(([state, at], index) => ({
      ...{ webhookId: newId(), deliveryKey: `${callId}-${state}`, receivedAt: at + ON_THE_WAY_MS, index: 0 },
      ...{ state, occurredAt: at, direction: leg.direction, ...parties, ...(index === 0 && parent) },
      ...(state === 'ended' && {
        verdict: {
          disposition: leg.disposition,
          hangupCause: leg.cause,
          providerCause: null,
          hangupSource: leg.source,
        },
      }),
    }));
  }

  return {
    count: (leg) => statesOf(leg).length,
    make(leg, seq) {
      const reports = reportsOf(leg);
      const { id, callId } = nameOf(leg);
      const timeline = seq === null ? [] : reports.map((report, place) => timelineEntry(report, seq + place));
      const base = {
        ...{ id, account_id: accountId, user_id: leg.own.userId, carrier_call_id: callId, timeline },
        ...{ virtual_number_id: leg.own.id, virtual_number: leg.own.number },
        ...{ carrier_id: leg.own.carrier.id, provider: leg.own.carrier.provider, direction: leg.direction },
        parent_call_log_id: leg.parent && nameOf(leg.parent).id,
        ...{ tags: leg.tags, note: leg.note, last_news_at: new Date(0), country: countryOfRange(leg.party) },
        ...(leg.direction === 'incoming' ? { caller_number: leg.party } : { called_number: leg.party }),
        updated_at: new Date(leg.endedAt + ON_THE_WAY_MS),
      };
      return buildRecord({ base, facts: foldReports(reports), reports });
    },
  };
}

const iso = (time: number): string => new Date(time).toISOString();

const timelineEntry = (report: Report, seq: number): CallRecord['timeline'][number] => ({
  seq,
  type: `call.${report.state}`,
  occurred_at: iso(report.occurredAt ?? report.receivedAt),
  received_at: iso(report.receivedAt),
  inbound_webhook_id: report.webhookId,
});

const countries = new Map<string, string | null>();

/** Asking the metadata is most of the work of making a record; the numbers of one range have one country. */
function countryOfRange(party: string): string | null {
  const range = party.slice(0, 7);
  const known = countries.get(range);
  if (known !== undefined) return known;
  const country = countryOf(party);
  countries.set(range, country);
  return country;
}

type State = NonNullable<Report['state']>;

function statesOf(leg: Leg): [State, number][] {
  const states: [State, number | null][] = [
    ['initiated', leg.startedAt],
    ['ringing', leg.ringingAt],
    ['answered', leg.answeredAt],
    ['ended', leg.endedAt],
  ];
  return states.flatMap(([state, at]): [State, number][] => (at === null ? [] : [[state, at]]));
}
