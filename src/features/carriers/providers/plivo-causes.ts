import type { HangupSource } from '../provider.js';
import { type EndReason, type HangupCause, reasonOf, reasonOfCauseName } from './hangup-causes.js';

const COMPLETED: ReadonlyArray<readonly [HangupCause, readonly number[]]> = [
  ['normal_clearing', [4000, 4010, 4020, 4030]],
  ['max_duration', [6000]],
  ['media_timeout', [6020]],
  ['machine_detected', [9100]],
];

const UNANSWERED: ReadonlyArray<readonly [HangupCause, readonly number[]]> = [
  ['originator_cancel', [1000]],
  ['insufficient_funds', [1010]],
  ['congestion', [1020, 3090, 5030]],
  ['unallocated_number', [2000, 3050, 3120]],
  ['no_route', [2010, 2020, 2060, 5020]],
  ['forbidden', [2030, 2040, 2050, 2070, 3030, 3040, 3130, 3140, 4240, 4250]],
  ['no_answer', [3000]],
  ['user_busy', [3010, 3100]],
  ['call_rejected', [3020, 3110]],
  ['network_error', [3070, 3080, 5000, 5010]],
  ['ring_timeout', [6010]],
  ['answered_elsewhere', [9000]],
  ['application_error', [9110]],
];

const STATUS_WORDS: ReadonlyMap<string, EndReason> = new Map([
  ['completed', { disposition: 'completed', cause: 'normal_clearing' }],
  ['busy', reasonOf('user_busy')],
  ['failed', { disposition: 'failed', cause: 'unknown' }],
  ['timeout', reasonOf('ring_timeout')],
  ['no-answer', reasonOf('no_answer')],
  ['cancel', reasonOf('originator_cancel')],
  ['canceled', reasonOf('originator_cancel')],
]);

const find = (table: ReadonlyArray<readonly [HangupCause, readonly number[]]>, code: number): HangupCause | undefined =>
  table.find(([, codes]) => codes.includes(code))?.[0];

/** `HangupCauseCode`, documented as Plivo's own list of hangup causes. */
function reasonOfCode(text: string | undefined): EndReason | null {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return null;
  const code = Number(text);
  const completed = find(COMPLETED, code);
  if (completed) return { disposition: 'completed', cause: completed };
  const unanswered = find(UNANSWERED, code);
  if (unanswered) return reasonOf(unanswered);
  // Errors of the answer XML and of the URLs it is fetched from.
  if ((code >= 7011 && code <= 7034) || (code >= 8011 && code <= 8014)) return reasonOf('application_error');
  return code === 0 ? { disposition: 'failed', cause: 'unknown' } : null;
}

export const reasonOfStatusWord = (word: string | undefined): EndReason | null => STATUS_WORDS.get(word ?? '') ?? null;

/** The code is the authority, then the cause's name; `completed` as a status says only that the call object ended. */
export function reasonOfEnd(
  code: string | undefined,
  name: string | undefined,
  status: string | undefined,
): EndReason | null {
  const byName = name === undefined ? null : reasonOfCauseName(name);
  return reasonOfCode(code) ?? (byName?.disposition ? byName : null) ?? reasonOfStatusWord(status) ?? byName;
}

/** Documented as `Call recipient`; live webhooks say `Callee`. */
const SOURCES: ReadonlyMap<string, HangupSource> = new Map([
  ['caller', 'caller'],
  ['callee', 'callee'],
  ['call recipient', 'callee'],
  ['plivo', 'system'],
  ['carrier', 'system'],
  ['api request', 'system'],
  ['answer xml', 'system'],
  ['error', 'system'],
]);

export const hangupSourceOf = (word: string | undefined): HangupSource | undefined =>
  SOURCES.get((word ?? '').trim().toLowerCase());
