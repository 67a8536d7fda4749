import { isoTime } from '../../lib/iso-time.js';
import type { StoredEvent } from './event.js';

/** Under which member the thing itself stands, by the type's first word. */
const MEMBERS: Readonly<Record<string, string>> = { call: 'call', number: 'virtual_number', port_order: 'port_order' };

/** An event as REST answers it and `/live` sends it. */
export function presentEvent(event: StoredEvent, sentAt: string): Record<string, unknown> {
  const subject = event.type.slice(0, event.type.indexOf('.'));
  return {
    seq: event.seq,
    type: event.type,
    occurred_at: isoTime(event.occurredAt),
    received_at: isoTime(event.receivedAt),
    sent_at: sentAt,
    [MEMBERS[subject] ?? 'subject']: event.payload,
  };
}

/** A call that one may no longer see, or that has left one's filter. */
export const presentRemoval = (event: StoredEvent): Record<string, unknown> => ({
  seq: event.seq,
  type: 'call.removed',
  call: { id: event.subjectId },
});
