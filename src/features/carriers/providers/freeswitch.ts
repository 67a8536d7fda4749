import type {
  Direction,
  HangupSource,
  ProviderAdapter,
  Secrets,
  Signal,
  Understanding,
  Verdict,
  WebhookContent,
  WebhookRequest,
} from '../provider.js';
import { verifyBasic } from './basic-auth.js';
import { secretRule } from './credential-rules.js';
import {
  callflowOf,
  legIdOf,
  parentIdOf,
  type RecordTime,
  readRecord,
  recordOf,
  toldTimesOf,
  variableOf,
} from './freeswitch-record.js';
import { type EndReason, reasonOfCauseName } from './hangup-causes.js';
import { memberOf, secondsOf, textOf, told } from './json.js';
import { parseEpoch } from './times.js';
import { impossibleTime, missingCallId, readTimes, signals, unknownEvent } from './understanding.js';

/**
 * FreeSWITCH's mod_json_cdr and mod_format_cdr: one record per leg at its end, which tells the leg's whole life.
 * https://developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Modules/mod_json_cdr_3965528/
 */

const verify = (request: WebhookRequest, secrets: Secrets): Verdict =>
  verifyBasic(request.headers.authorization, secrets.username, secrets.password);

const EVENT = 'cdr';
const TIMES: readonly RecordTime[] = ['created', 'progress', 'progressMedia', 'answered', 'hangup'];
type Times = { readonly [N in RecordTime]?: number };

const parseMicroseconds = (text: string): number | null => parseEpoch(text, 'microseconds');

const DIRECTIONS: ReadonlyMap<string, Direction> = new Map([
  ['inbound', 'incoming'],
  ['outbound', 'outgoing'],
]);

function directionOf(record: unknown): Direction | undefined {
  const told = textOf(memberOf(record, 'channel_data', 'direction')) ?? variableOf(record, 'direction');
  return DIRECTIONS.get(told ?? '');
}

type Leg = Pick<Signal, 'callId' | 'direction' | 'from' | 'to' | 'parentCallId'>;

function legOf(record: unknown, callId: string): Leg {
  const profile = memberOf(callflowOf(record).at(-1), 'caller_profile');
  const parentCallId = parentIdOf(record);
  return told<Leg>({
    callId,
    direction: directionOf(record),
    from: textOf(memberOf(profile, 'caller_id_number')) ?? textOf(memberOf(profile, 'ani')),
    to: textOf(memberOf(profile, 'destination_number')),
    parentCallId: parentCallId === callId ? undefined : parentCallId,
  });
}

/**
 * `recv_…`: the far end of this leg hung up, so the caller of an incoming one. `send_…`: the switch did, which on a
 * bridged leg, or with the caller's own cancel, passes on what the other party did.
 */
function sourceOf(
  record: unknown,
  direction: Direction | undefined,
  cause: string | undefined,
): HangupSource | undefined {
  if (cause === 'ORIGINATOR_CANCEL') return 'caller';
  const [way] = (variableOf(record, 'sip_hangup_disposition') ?? '').split('_');
  if (direction === undefined || (way !== 'recv' && way !== 'send')) return undefined;
  const isFarEnd = way === 'recv';
  if (!isFarEnd && variableOf(record, 'last_bridge_to') === undefined) return 'system';
  return (direction === 'incoming') === isFarEnd ? 'caller' : 'callee';
}

function endOf(record: unknown, times: Times, direction: Direction | undefined): Partial<Signal> {
  const name = variableOf(record, 'hangup_cause');
  const reason: EndReason | null = reasonOfCauseName(name ?? '');
  const answered = times.answered !== undefined;
  return told<Partial<Signal>>({
    state: 'ended',
    occurredAt: times.hangup,
    disposition: answered ? 'completed' : (reason?.disposition ?? 'failed'),
    hangupCause: reason?.cause ?? name,
    hangupSource: sourceOf(record, direction, name),
    providerCause: name,
    talkSeconds: secondsOf(variableOf(record, 'billsec')),
    // A difference of whole seconds, so up to one too long: only of use where the beginning is not told.
    totalSeconds: times.created === undefined ? secondsOf(variableOf(record, 'duration')) : undefined,
  });
}

/** A leg rings with its first 180 or 183. */
function earliest(...times: ReadonlyArray<number | undefined>): number | undefined {
  const told = times.filter((time) => time !== undefined);
  return told.length === 0 ? undefined : Math.min(...told);
}

function understand(request: WebhookRequest, content: WebhookContent): Understanding {
  const record = recordOf(content);
  if (memberOf(record, 'variables') === undefined && callflowOf(record).length === 0) return unknownEvent(null);
  const callId = legIdOf(record, request);
  if (callId === undefined) return missingCallId(EVENT, 'variables.uuid');
  const { times, unreadable } = readTimes(toldTimesOf(record), TIMES, parseMicroseconds);
  if (unreadable) return impossibleTime(EVENT, unreadable);
  const leg = legOf(record, callId);
  const at = (state: Signal['state'], occurredAt: number | undefined): readonly Signal[] =>
    occurredAt === undefined ? [] : [told<Signal>({ ...leg, state, occurredAt })];
  return signals(
    EVENT,
    ...at('initiated', times.created),
    ...at('ringing', earliest(times.progress, times.progressMedia)),
    ...at('answered', times.answered),
    { ...leg, ...endOf(record, times, leg.direction) },
  );
}

function deliveryKey(request: WebhookRequest, content: WebhookContent): string | null {
  const record = recordOf(content);
  const [core, leg] = [textOf(memberOf(record, 'core-uuid')), legIdOf(record, request)];
  return core !== undefined && leg !== undefined ? `${core}:${leg}` : null;
}

export const freeswitch: ProviderAdapter = {
  name: 'freeswitch',
  credentials: [
    secretRule('username', 'required', (value) => (value.includes(':') ? 'must not contain a colon' : null)),
    secretRule('password', 'required'),
  ],
  challenge: 'Basic realm="switchboard"',
  verify,
  read: ({ body }) => readRecord(body),
  deliveryKey,
  answer: () => ({ status: 204 }),
  understand,
  setup: (url) => [
    `autoload_configs/json_cdr.conf.xml: <param name="url" value="${url}"/>`,
    '<param name="cred" value="username:password"/> with those of this carrier, and <param name="auth-scheme" value="basic"/>',
    '<param name="encode" value="false"/>: the record is posted as JSON; with encode=true and encode-values=true it is broken.',
    '<param name="retries" value="3"/>: by default a record that is not taken is never sent again.',
    '<param name="log-b-leg" value="true"/> and <param name="enable-cacert-check" value="true"/> for https.',
    'Give the gateway side its own context: every phone\'s call is "inbound" to the switch, and so is read as incoming.',
  ],
};
