import type { Disposition } from '../provider.js';

export const HANGUP_CAUSES = [
  'normal_clearing',
  'user_busy',
  'no_answer',
  'ring_timeout',
  'originator_cancel',
  'call_rejected',
  'unallocated_number',
  'no_route',
  'network_error',
  'congestion',
  'forbidden',
  'media_timeout',
  'max_duration',
  'answered_elsewhere',
  'application_error',
  'insufficient_funds',
  'machine_detected',
  'unknown',
] as const;
export type HangupCause = (typeof HANGUP_CAUSES)[number];

/** How a leg ended; `disposition` null: the cause does not tell what an unanswered leg came to. */
export interface EndReason {
  readonly disposition: Disposition | null;
  readonly cause: HangupCause;
}

/** What an unanswered leg came to; a cause that belongs to answered legs (or to any) tells nothing. */
const DISPOSITIONS: Readonly<Record<HangupCause, Disposition | null>> = {
  normal_clearing: null,
  user_busy: 'busy',
  no_answer: 'no_answer',
  ring_timeout: 'no_answer',
  originator_cancel: 'canceled',
  call_rejected: 'rejected',
  unallocated_number: 'failed',
  no_route: 'failed',
  network_error: 'failed',
  congestion: 'failed',
  forbidden: 'failed',
  media_timeout: 'failed',
  max_duration: null,
  answered_elsewhere: 'canceled',
  application_error: 'failed',
  insufficient_funds: 'failed',
  machine_detected: null,
  unknown: null,
};

export const isHangupCause = (name: string): name is HangupCause => Object.hasOwn(DISPOSITIONS, name);

/** The disposition of an unanswered leg by its cause's canonical name; null for a name that does not decide it. */
export function dispositionOfCause(name: string): Disposition | null {
  return isHangupCause(name) ? DISPOSITIONS[name] : null;
}

export const reasonOf = (cause: HangupCause): EndReason => ({ cause, disposition: DISPOSITIONS[cause] });

const SIP_CAUSES: ReadonlyArray<readonly [HangupCause, readonly number[]]> = [
  ['unallocated_number', [404, 410, 484, 604]],
  ['no_answer', [408, 480]],
  ['user_busy', [486, 600]],
  ['originator_cancel', [487]],
  ['call_rejected', [603]],
  ['forbidden', [403, 607, 608]],
  ['network_error', [488, 606]],
  ['congestion', [503]],
];

const Q850_CAUSES: ReadonlyArray<readonly [HangupCause, readonly number[]]> = [
  ['unallocated_number', [1, 22, 28]],
  ['no_route', [2, 3]],
  ['normal_clearing', [16]],
  ['user_busy', [17]],
  ['no_answer', [18, 19, 20]],
  ['call_rejected', [21]],
  ['answered_elsewhere', [26]],
  ['network_error', [27, 38, 41]],
  ['congestion', [34, 42, 44]],
  ['forbidden', [50, 52, 54, 57]],
];

const find = (table: ReadonlyArray<readonly [HangupCause, readonly number[]]>, code: number): HangupCause | undefined =>
  table.find(([, codes]) => codes.includes(code))?.[0];

/**
 * The final SIP status of an unanswered leg; null below 400. 487 is read as a caller who gave up: a provider whose ring
 * timer ends in 487 as well decides by its own word first.
 */
export function reasonOfSipStatus(status: number): EndReason | null {
  if (!Number.isInteger(status) || status < 400 || status > 699) return null;
  const cause = find(SIP_CAUSES, status) ?? (status >= 500 && status < 600 ? 'network_error' : 'unknown');
  return { cause, disposition: DISPOSITIONS[cause] ?? 'failed' };
}

/** Null for a number outside Q.850. 31 and 127 say nothing; any other cause that is not listed is a failure. */
export function reasonOfQ850(code: number): EndReason | null {
  if (!Number.isInteger(code) || code < 1 || code > 127) return null;
  const cause = find(Q850_CAUSES, code);
  if (cause) return reasonOf(cause);
  return { cause: 'unknown', disposition: code === 31 || code === 127 ? null : 'failed' };
}

/** A numeric cause of either kind: Q.850 ends at 127, SIP's errors begin at 400. */
export function reasonOfNumber(code: number): EndReason | null {
  return reasonOfQ850(code) ?? reasonOfSipStatus(code);
}

/** FreeSWITCH's names (`switch_channel.c`), which Plivo writes too, and Asterisk's dial statuses. */
const NAMES: ReadonlyArray<readonly [HangupCause, string]> = [
  ['normal_clearing', 'NORMAL_CLEARING BLIND_TRANSFER ATTENDED_TRANSFER'],
  ['user_busy', 'USER_BUSY BUSY_EVERYWHERE BUSY'],
  ['no_answer', 'NO_ANSWER NOANSWER NO_USER_RESPONSE NO_PICKUP SUBSCRIBER_ABSENT USER_NOT_REGISTERED'],
  ['ring_timeout', 'RING_TIMEOUT ALLOTTED_TIMEOUT PROGRESS_TIMEOUT'],
  ['originator_cancel', 'ORIGINATOR_CANCEL CANCEL'],
  ['answered_elsewhere', 'ANSWERED_ELSEWHERE LOSE_RACE PICKED_OFF'],
  ['call_rejected', 'CALL_REJECTED DECLINE REJECTED'],
  ['unallocated_number', 'UNALLOCATED_NUMBER INVALID_NUMBER_FORMAT NUMBER_CHANGED INVALID_NUMBER'],
  ['no_route', 'NO_ROUTE NO_ROUTE_DESTINATION NO_ROUTE_TRANSIT_NET EXCHANGE_ROUTING_ERROR'],
  ['network_error', 'NETWORK_ERROR NORMAL_TEMPORARY_FAILURE NETWORK_OUT_OF_ORDER DESTINATION_OUT_OF_ORDER'],
  [
    'network_error',
    'SERVICE_UNAVAILABLE GATEWAY_DOWN INCOMPATIBLE_DESTINATION RECOVERY_ON_TIMER_EXPIRE PROTOCOL_ERROR',
  ],
  ['congestion', 'CONGESTION NORMAL_CIRCUIT_CONGESTION SWITCH_CONGESTION REQUESTED_CHAN_UNAVAIL'],
  ['forbidden', 'FORBIDDEN OUTGOING_CALL_BARRED INCOMING_CALL_BARRED BEARERCAPABILITY_NOTAUTH FACILITY_NOT_SUBSCRIBED'],
  ['media_timeout', 'MEDIA_TIMEOUT'],
  ['application_error', 'APPLICATION_ERROR MANAGER_REQUEST SYSTEM_SHUTDOWN CRASH'],
];

const CAUSE_OF_NAME: ReadonlyMap<string, HangupCause> = new Map([
  ...HANGUP_CAUSES.map((cause) => [cause.toUpperCase(), cause] as const),
  ...NAMES.flatMap(([cause, names]) => names.split(' ').map((name) => [name, cause] as const)),
]);

/** A cause's name, canonical or FreeSWITCH's, in any case and with `_`, `-` or spaces; null when it is not known. */
export function reasonOfCauseName(name: string): EndReason | null {
  const cause = CAUSE_OF_NAME.get(name.trim().toUpperCase().replaceAll(/[ -]/g, '_'));
  return cause ? reasonOf(cause) : null;
}
