import type { CallState, Direction, Disposition, Signal, Understanding, WebhookContent } from '../provider.js';
import { type Fields, fieldsOf } from './form.js';
import { type EndReason, type HangupCause, reasonOfSipStatus } from './hangup-causes.js';
import { secondsOf, told } from './json.js';
import { parseTime } from './times.js';

/** The wire format that Twilio made and SignalWire's Compatibility API took over. */

const STATES: ReadonlyMap<string, CallState> = new Map([
  ['queued', 'initiated'],
  ['initiated', 'initiated'],
  ['ringing', 'ringing'],
  ['in-progress', 'answered'],
]);

const ENDS: ReadonlyMap<string, { readonly disposition: Disposition; readonly cause?: HangupCause }> = new Map([
  ['completed', { disposition: 'completed', cause: 'normal_clearing' }],
  // A `<Dial>` of a conference ends with this word.
  ['answered', { disposition: 'completed', cause: 'normal_clearing' }],
  ['busy', { disposition: 'busy', cause: 'user_busy' }],
  ['no-answer', { disposition: 'no_answer', cause: 'no_answer' }],
  ['failed', { disposition: 'failed' }],
  ['canceled', { disposition: 'canceled', cause: 'originator_cancel' }],
]);

const DIRECTIONS: ReadonlyMap<string, Direction> = new Map([
  ['inbound', 'incoming'],
  ['outbound', 'outgoing'],
  ['outbound-api', 'outgoing'],
  ['outbound-dial', 'outgoing'],
]);

export const directionOf = (word: string | undefined): Direction | undefined => DIRECTIONS.get(word ?? '');

/**
 * A document is wanted: a voice URL or a dial action asks, a status callback only tells. These members mark callbacks,
 * but SignalWire's of busy and unanswered calls have none of them, and nobody asks what to do with a call that is over.
 */
export function isVoiceRequest(fields: Fields): boolean {
  if (!fields('CallSid') || fields('CallbackSource') || fields('SequenceNumber') || fields('Timestamp')) return false;
  return STATES.has(fields('CallStatus') ?? '') || fields('DialCallStatus') !== undefined;
}

export const isDialAction = (fields: Fields): boolean =>
  isVoiceRequest(fields) && fields('DialCallStatus') !== undefined;

/** The word decides, but for a 603 (a human decline, which the words do not know) and the cause behind `failed`. */
function reasonOfEnd(word: string, sipStatus: string | undefined): Partial<EndReason> | undefined {
  const end = ENDS.get(word);
  if (!end || end.disposition === 'completed' || end.disposition === 'canceled') return end;
  const bySip = /^\d{3}$/.test(sipStatus ?? '') ? reasonOfSipStatus(Number(sipStatus)) : null;
  if (bySip?.cause === 'call_rejected') return bySip;
  return end.cause || !bySip ? end : { disposition: end.disposition, cause: bySip.cause };
}

/** What tells the words of a provider apart from the common format. */
export interface Dialect {
  /** Name of the member that holds the final SIP status. */
  readonly sipStatus: string;
  /** Further members of the end. */
  readonly end?: (fields: Fields) => Partial<Signal>;
}

function unknownStatus(word: string): Understanding {
  return {
    kind: 'ignored',
    eventType: word,
    code: 'unknown_status',
    detail: `The call status "${word}" is not known.`,
  };
}

function understandDialAction(fields: Fields, callId: string): Understanding {
  const word = fields('DialCallStatus') ?? '';
  const end = reasonOfEnd(word, undefined);
  if (!end) return unknownStatus(word);
  const parent: Signal = told<Signal>({
    callId,
    direction: directionOf(fields('Direction')),
    from: fields('From'),
    to: fields('To'),
  });
  const childId = fields('DialCallSid');
  if (!childId || childId === callId) return { kind: 'signals', eventType: 'dial-action', signals: [parent] };
  const child: Signal = told<Signal>({
    callId: childId,
    parentCallId: callId,
    state: 'ended',
    // A dialled leg leaves us by what it is; the report itself has only the parent's direction.
    direction: 'outgoing',
    disposition: end.disposition ?? undefined,
    hangupCause: end.cause,
    providerCause: word,
    talkSeconds: secondsOf(fields('DialCallDuration')),
  });
  return { kind: 'signals', eventType: 'dial-action', signals: [parent, child] };
}

function understandEnd(word: string, fields: Fields, dialect: Dialect): Partial<Signal> | null {
  const sipStatus = fields(dialect.sipStatus);
  const end = reasonOfEnd(word, sipStatus);
  if (!end || word === 'answered') return null;
  return told<Partial<Signal>>({
    state: 'ended',
    disposition: end.disposition ?? undefined,
    hangupCause: end.cause,
    providerCause: sipStatus ?? word,
    talkSeconds: secondsOf(fields('CallDuration')),
    ...dialect.end?.(fields),
  });
}

function understandStatus(fields: Fields, callId: string, word: string, dialect: Dialect): Understanding {
  const state = STATES.get(word);
  const statement = state ? { state } : understandEnd(word, fields, dialect);
  if (!statement) return unknownStatus(word);
  const timestamp = fields('Timestamp');
  const occurredAt = timestamp === undefined ? undefined : parseTime(timestamp);
  if (occurredAt === null) {
    const detail = `The Timestamp "${timestamp}" cannot be read.`;
    return { kind: 'failed', eventType: word, code: 'impossible_time', detail };
  }
  const signal = told<Signal>({
    callId,
    occurredAt,
    direction: directionOf(fields('Direction')),
    from: fields('From'),
    to: fields('To'),
    parentCallId: fields('ParentCallSid'),
    ...statement,
  });
  return { kind: 'signals', eventType: word, signals: [signal] };
}

export function understandCxml(content: WebhookContent, dialect: Dialect): Understanding {
  const fields = fieldsOf(content);
  const word = fields('CallStatus');
  const callId = fields('CallSid');
  if (!callId) {
    const detail = 'The webhook has no CallSid.';
    if (word !== undefined) return { kind: 'failed', eventType: word, code: 'missing_call_id', detail };
    const isMessage = fields('MessageSid') ?? fields('SmsSid');
    if (isMessage) return { kind: 'ignored', eventType: 'message', code: 'unknown_event', detail: 'This is no call.' };
    return { kind: 'failed', eventType: null, code: 'missing_call_id', detail };
  }
  if (word === undefined) {
    // Recording, conference and machine detection callbacks name the call but not its status.
    const eventType = fields('StatusCallbackEvent') ?? null;
    return { kind: 'ignored', eventType, code: 'no_facts', detail: 'The webhook has no CallStatus.' };
  }
  return isDialAction(fields) ? understandDialAction(fields, callId) : understandStatus(fields, callId, word, dialect);
}
