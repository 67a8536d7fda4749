import type {
  Direction,
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
import { type EndReason, reasonOf } from './hangup-causes.js';
import { memberOf, readJson, textOf, told } from './json.js';
import { impossibleTime, missingCallId, readTimes, secondsBetween, signals, unknownEvent } from './understanding.js';

/** Bandwidth Voice v2: https://dev.bandwidth.com/docs/voice/webhooks */

const verify = (request: WebhookRequest, secrets: Secrets): Verdict =>
  verifyBasic(request.headers.authorization, secrets.username, secrets.password);

const DIRECTIONS: ReadonlyMap<string, Direction> = new Map([
  ['inbound', 'incoming'],
  ['outbound', 'outgoing'],
]);

const CAUSES: ReadonlyMap<string, EndReason> = new Map([
  ['busy', reasonOf('user_busy')],
  ['timeout', reasonOf('ring_timeout')],
  ['cancel', reasonOf('originator_cancel')],
  ['rejected', reasonOf('call_rejected')],
  ['callback-error', reasonOf('application_error')],
  ['invalid-bxml', reasonOf('application_error')],
  ['application-error', reasonOf('application_error')],
  ['account-limit', reasonOf('congestion')],
  ['node-capacity-exceeded', reasonOf('congestion')],
]);

/** `hangup` stands for an end without a fault; before the answer it depends on who could have left. */
function reasonOfCause(cause: string, answered: boolean, direction: Direction | undefined): EndReason {
  if (cause !== 'hangup') return CAUSES.get(cause) ?? { disposition: 'failed', cause: 'unknown' };
  if (answered) return { disposition: 'completed', cause: 'normal_clearing' };
  if (direction === 'incoming') return reasonOf('originator_cancel');
  return { disposition: 'failed', cause: 'normal_clearing' };
}

function endOf(cause: string | undefined, answered: boolean, direction: Direction | undefined): Partial<Signal> {
  const reason = cause === undefined ? undefined : reasonOfCause(cause, answered, direction);
  return told<Partial<Signal>>({
    state: 'ended',
    disposition: answered ? 'completed' : (reason?.disposition ?? undefined),
    hangupCause: reason?.cause,
    providerCause: cause,
  });
}

/** Which state an event tells, or null for one that only shows that the leg lives. */
const STATES: ReadonlyMap<string, Signal['state'] | null> = new Map([
  ['initiate', 'ringing'],
  ['answer', 'answered'],
  ['disconnect', 'ended'],
  ['transferAnswer', 'answered'],
  ['transferDisconnect', 'ended'],
  ...[
    // The cause of a transferComplete is the B leg's; its callId is the A leg, which goes on.
    'transferComplete',
    'bridgeComplete',
    'bridgeTargetComplete',
    'redirect',
    'gather',
    'dtmf',
    'machineDetectionComplete',
    'recordingComplete',
    'recordingAvailable',
    'transcriptionAvailable',
  ].map((name) => [name, null] as const),
]);

type Party = Pick<Signal, 'direction' | 'from' | 'to' | 'parentCallId'>;

/** In a B leg's events `from`, `to` and `direction` are those of the original call. */
function partiesOf(event: unknown, isTransferLeg: boolean): Party {
  const text = (name: string): string | undefined => textOf(memberOf(event, name));
  const parentCallId = text('parentCallId');
  if (isTransferLeg) {
    return told<Party>({ direction: 'outgoing', from: text('transferCallerId'), to: text('transferTo'), parentCallId });
  }
  return told<Party>({
    direction: DIRECTIONS.get(text('direction') ?? ''),
    from: text('from'),
    to: text('to'),
    parentCallId,
  });
}

const TIMES = ['eventTime', 'startTime', 'answerTime', 'endTime'] as const;

function understand(_request: WebhookRequest, content: WebhookContent): Understanding {
  const event = content.kind === 'json' ? content.json : undefined;
  const eventType = textOf(memberOf(event, 'eventType'));
  const state = STATES.get(eventType ?? '');
  if (eventType === undefined || state === undefined) return unknownEvent(eventType ?? null);
  const callId = textOf(memberOf(event, 'callId'));
  if (callId === undefined) return missingCallId(eventType, 'callId');
  const { times, unreadable } = readTimes(event, state === null ? ['eventTime'] : TIMES);
  if (unreadable) return impossibleTime(eventType, unreadable);
  const parties = partiesOf(event, eventType === 'transferAnswer' || eventType === 'transferDisconnect');
  const signal = told<Signal>({ callId, occurredAt: times.eventTime, ...parties });
  if (state === null) return signals(eventType, signal);
  if (state === 'ringing') return signals(eventType, { ...signal, state });
  if (state === 'answered') {
    return signals(eventType, { ...signal, state, ...told<Partial<Signal>>({ occurredAt: times.answerTime }) });
  }
  const endedAt = times.endTime ?? times.eventTime;
  const ended = told<Partial<Signal>>({
    occurredAt: endedAt,
    // No length is told, and an inbound leg has no answer webhook: its answer time stands in this report alone.
    answeredAt: times.answerTime,
    talkSeconds: secondsBetween(times.answerTime, endedAt),
    totalSeconds: secondsBetween(times.startTime, endedAt),
  });
  const end = endOf(textOf(memberOf(event, 'cause')), times.answerTime !== undefined, parties.direction);
  return signals(eventType, { ...signal, ...ended, ...end });
}

export const bandwidth: ProviderAdapter = {
  name: 'bandwidth',
  credentials: [
    secretRule('username', 'required', (value) => (value.includes(':') ? 'must not contain a colon' : null)),
    secretRule('password', 'required'),
  ],
  challenge: 'Basic realm="switchboard"',
  verify,
  read: ({ body }) => readJson(body),
  deliveryKey: () => null,
  answer: () => ({ status: 204 }),
  understand,
  setup: (url) => [
    `Dashboard > Applications > your voice application: set the call status callback URL to ${url} and its method to POST.`,
    'GET deliveries are refused with 405.',
    'There, set callback user and password to the username and password of this carrier (https is required).',
    `For transfers, give ${url} as transferAnswerUrl, transferDisconnectUrl and transferCompleteUrl of your BXML.`,
    'An event that wants BXML is answered with 204, which lets the call go on without further verbs.',
  ],
};
