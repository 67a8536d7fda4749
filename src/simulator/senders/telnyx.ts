/** Telnyx Call Control: signed with Ed25519; the legs of a call share a session, and only the first event tells a direction. */
import { generateKeyPairSync, sign } from 'node:crypto';
import type { Random } from '../random.js';
import type { CallStory, LegStory } from '../stories.js';
import {
  type Claim,
  type Disposition,
  runUuid,
  type Sender,
  seconds,
  talkOf,
  totalOf,
  type Webhook,
} from './sender.js';

interface Leg {
  readonly id: string;
  readonly session: string;
  readonly story: LegStory;
}

/** hangup_cause, who, SIP code: and what they come to. */
type Hangup = readonly [cause: string, source: string, sip: string, end: Partial<Claim>];

function hangupOf({ outcome, endedBy, failure, direction }: LegStory): Hangup {
  const end = (disposition: Disposition | undefined, cause: string) => ({ disposition, cause });
  if (outcome === 'answered') {
    const source = endedBy === 'system' ? undefined : endedBy;
    // What a leg without an answer ends with, too: an answer that was lost makes it that. Else the direction decides.
    const word = endedBy === 'caller' || direction === 'incoming' ? 'canceled' : undefined;
    const sip = direction === 'incoming' ? 'unspecified' : '200';
    return ['normal_clearing', source ?? 'unknown', sip, { ...end(word, 'normal_clearing'), source }];
  }
  if (outcome === 'missed') return ['timeout', 'unknown', '487', end('no_answer', 'ring_timeout')];
  if (outcome === 'busy') return ['user_busy', 'callee', '486', { ...end('busy', 'user_busy'), source: 'callee' }];
  if (outcome === 'rejected') {
    return ['call_rejected', 'callee', '603', { ...end('rejected', 'call_rejected'), source: 'callee' }];
  }
  if (outcome === 'canceled') {
    return ['originator_cancel', 'caller', '487', { ...end('canceled', 'originator_cancel'), source: 'caller' }];
  }
  if (failure === 'unallocated') return ['not_found', 'unknown', '404', end('failed', 'unallocated_number')];
  return ['unspecified', 'unknown', '503', { ...end('failed', 'congestion'), providerCause: '503' }];
}

function createTeller(random: Random, run: string) {
  /** Times are told in microseconds, of which milliseconds are left. */
  const time = (ms: number): string => new Date(ms).toISOString().replace('Z', `${random.between(100, 999)}Z`);
  const connection = '2104512345678901234';

  function webhook(leg: Leg, type: string, at: number, rest: { payload: object; claim: Partial<Claim> }): Webhook {
    const { from, to } = leg.story;
    const parties = type === 'call.cost' ? {} : { from, to };
    const payload = {
      ...{ call_control_id: `v3:${leg.id}`, call_leg_id: leg.id, call_session_id: leg.session },
      ...{ client_state: null, connection_id: connection, ...parties, ...rest.payload },
    };
    const data = {
      event_type: type,
      id: runUuid(run, random.uuid()),
      occurred_at: time(at),
      payload,
      record_type: 'event',
    };
    const claim = { leg: leg.id, session: leg.session, at, ...parties, ...rest.claim };
    return {
      event: type,
      at,
      path: '',
      contentType: 'application/json',
      body: JSON.stringify({ data }),
      claims: [claim],
    };
  }

  function hangup(leg: Leg): Webhook {
    const { story } = leg;
    const [cause, source, sip, end] = hangupOf(story);
    const payload = {
      ...{ start_time: time(story.initiatedAt), end_time: time(story.endedAt), state: 'hangup', tags: [] },
      ...{ hangup_cause: cause, hangup_source: source, sip_hangup_cause: sip },
    };
    const claim = { state: 'ended', providerCause: cause, totalSeconds: totalOf(story), ...end } as const;
    return webhook(leg, 'call.hangup', story.endedAt, { payload, claim });
  }

  function cost(leg: Leg): Webhook {
    const billed = Math.ceil(talkOf(leg.story) / 60) * 60;
    const price = (billed * 0.0001).toFixed(4);
    const part = {
      billed_duration_secs: billed,
      call_part: 'call-control',
      cost: price,
      currency: 'USD',
      rate: '0.0060',
    };
    const payload = { billed_duration_secs: billed, cost_parts: [part], status: 'success', total_cost: price };
    const at = leg.story.endedAt + random.between(2000, 5000);
    return webhook(leg, 'call.cost', at, { payload, claim: { price, currency: 'USD' } });
  }

  return (leg: Leg): Webhook[] => {
    const { story } = leg;
    const { direction, initiatedAt, answeredAt } = story;
    const start = { start_time: time(initiatedAt) };
    const initiated = webhook(leg, 'call.initiated', initiatedAt, {
      payload: { ...start, direction, state: direction === 'incoming' ? 'parked' : 'bridging' },
      // There is no event for ringing: an incoming leg rings when it is reported.
      claim: { state: direction === 'incoming' ? 'ringing' : 'initiated', direction },
    });
    if (answeredAt === null) return [initiated, hangup(leg)];
    const note = (type: string, at: number): Webhook => webhook(leg, type, at, { payload: {}, claim: {} });
    const answered = webhook(leg, 'call.answered', answeredAt, {
      payload: { ...start, state: 'answered', tags: [] },
      claim: { state: 'answered' },
    });
    const middle = Math.floor((answeredAt + story.endedAt) / 2);
    const held = random.chance(0.2) ? [note('call.hold', middle), note('call.unhold', middle + 200)] : [];
    return [initiated, answered, ...held, hangup(leg), ...(random.chance(0.7) ? [cost(leg)] : [])];
  };
}

function tell(story: CallStory, run: string): Webhook[] {
  const ids = story.random('ids');
  const teller = createTeller(story.random('words'), run);
  const session = runUuid(run, ids.uuid());
  const first = teller({ id: runUuid(run, ids.uuid()), session, story: story.leg });
  if (!story.forwarded) return first;
  return [...first, ...teller({ id: runUuid(run, ids.uuid()), session, story: story.forwarded })];
}

export const telnyx: Sender = {
  provider: 'telnyx',
  makeKeys() {
    const { privateKey } = generateKeyPairSync('ed25519');
    const { x = '' } = privateKey.export({ format: 'jwk' });
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    return { credentials: { public_key: Buffer.from(x, 'base64url').toString('base64') }, signing: { key } };
  },
  tell,
  sign(webhook, { url, keys, now, attempt }) {
    // The number of the attempt is in the body, so that each attempt has a signature of its own.
    const body = JSON.stringify({ ...JSON.parse(webhook.body), meta: { attempt, delivered_to: url } });
    const time = String(seconds(now));
    return {
      body,
      headers: {
        'Content-Type': webhook.contentType,
        'telnyx-timestamp': time,
        'telnyx-signature-ed25519': sign(null, Buffer.from(`${time}|${body}`), keys.signing.key ?? '').toString(
          'base64',
        ),
      },
    };
  },
};
