import { isoTime } from '../../lib/iso-time.js';
import { CALL_COLUMNS, type CallRow } from './call.js';

/** A row whose times are the wire's already. */
export type ListedCall = CallRow<string>;

/** How a time is spelled; exports may ask for a zone's clocks. */
export type SpellTime<Time = string> = (at: Time) => string;

const utc: SpellTime<Date> = (at) => isoTime(at.getTime());
export const asItIs: SpellTime = (at) => at;

/** A call log as the wire shows it: REST and events alike. */
export const presentCall = (row: CallRow): Record<CallField, unknown> => presentCallWith(row, utc);

export const presentListed = (row: ListedCall): Record<CallField, unknown> => presentCallWith(row, asItIs);

export function presentCallWith<Time>(row: CallRow<Time>, spell: SpellTime<Time>): Record<CallField, unknown> {
  const time = (at: Time | null): string | null => (at === null ? null : spell(at));
  const startedAt = spell(row.started_at);
  return {
    id: row.id,
    virtual_number_id: row.virtual_number_id,
    virtual_number: row.virtual_number,
    user_id: row.user_id,
    direction: row.direction,
    caller_number: row.caller_number,
    called_number: row.called_number,
    status: row.status,
    disposition: row.disposition,
    timestamp: startedAt,
    started_at: startedAt,
    ringing_at: time(row.ringing_at),
    answered_at: time(row.answered_at),
    ended_at: time(row.ended_at),
    duration: row.duration,
    ring_duration: row.ring_duration,
    hangup_cause: row.hangup_cause,
    hangup_source: row.hangup_source,
    provider_cause: row.provider_cause,
    provider: row.provider,
    carrier_id: row.carrier_id,
    carrier_call_id: row.carrier_call_id,
    parent_call_log_id: row.parent_call_log_id,
    price: row.price === null ? null : String(row.price),
    currency: row.currency,
    tags: row.tags,
    note: row.note,
    updated_at: spell(row.updated_at),
  };
}

export type CallField = Exclude<(typeof CALL_COLUMNS)[number], 'account_id'> | 'timestamp';

/** The members of a presented call, in their order: the export's columns. */
export const CALL_FIELDS: readonly CallField[] = CALL_COLUMNS.flatMap((name): CallField[] => {
  if (name === 'account_id') return [];
  return name === 'started_at' ? ['timestamp', name] : [name];
});
