/** Vonage Voice: a token in the header that holds a hash of the body; the legs of a call share a conversation. */
import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { Random } from '../random.js';
import type { CallStory, LegStory } from '../stories.js';
import {
  type Claim,
  endOf,
  farEnd,
  runUuid,
  type Sender,
  seconds,
  sipStatusOf,
  talkOf,
  type Webhook,
  withoutPlus,
} from './sender.js';

const API_KEY = 'abcd1234';

interface Leg {
  readonly id: string;
  readonly conversation: string;
  readonly story: LegStory;
}

/** The status that ends a leg, with what stands beside it. */
function endingOf(story: LegStory): { status: string; fields: object; claim: Partial<Claim> } {
  const { outcome, direction, failure } = story;
  const far = { disconnected_by: 'user' };
  const source = farEnd(direction);
  const sip = { sip_code: sipStatusOf(story) };
  const end = endOf(story);
  if (outcome === 'missed')
    return { status: 'timeout', fields: {}, claim: { ...end, cause: 'ring_timeout', providerCause: 'timeout' } };
  if (outcome === 'busy')
    return { status: 'busy', fields: { ...sip, ...far }, claim: { ...end, source, providerCause: '486' } };
  if (outcome === 'rejected') {
    return { status: 'rejected', fields: { ...sip, detail: 'declined' }, claim: { ...end, providerCause: 'declined' } };
  }
  if (outcome === 'canceled') {
    const who = direction === 'incoming' ? far : { disconnected_by: 'platform' };
    const by = direction === 'incoming' ? 'caller' : 'system';
    return { status: 'cancelled', fields: { ...sip, ...who }, claim: { ...end, source: by, providerCause: '487' } };
  }
  if (failure === 'unallocated') {
    return {
      status: 'failed',
      fields: { ...sip, detail: 'invalid_number' },
      claim: { ...end, providerCause: 'invalid_number' },
    };
  }
  return { status: 'failed', fields: sip, claim: { ...end, providerCause: '503' } };
}

const iso = (ms: number): string => new Date(ms).toISOString();

function createTeller(random: Random) {
  const common = ({ id, conversation, story }: Leg) => ({
    ...{ from: withoutPlus(story.from), to: withoutPlus(story.to), uuid: id, conversation_uuid: conversation },
  });

  function webhook(leg: Leg, status: string, at: number, rest: { fields?: object; claim: Partial<Claim> }): Webhook {
    const { direction, from, to } = leg.story;
    const way = direction === 'incoming' ? 'inbound' : 'outbound';
    const body = { ...common(leg), status, direction: way, timestamp: iso(at), ...rest.fields };
    const claim = { leg: leg.id, session: leg.conversation, at, direction, from, to, ...rest.claim };
    return {
      event: status,
      at,
      path: '',
      contentType: 'application/json',
      body: JSON.stringify(body),
      claims: [claim],
    };
  }

  function completed(leg: Leg, answeredAt: number): Webhook {
    const { story } = leg;
    const isPlatform = story.endedBy !== farEnd(story.direction);
    const price = (talkOf(story) * 0.00012).toFixed(8);
    const fields = {
      ...{
        end_time: iso(story.endedAt),
        start_time: iso(answeredAt),
        network: 'US-FIXED',
        duration: String(talkOf(story)),
      },
      ...{ rate: '0.00720000', price, disconnected_by: isPlatform ? 'platform' : 'user' },
      ...(story.direction === 'outgoing' && { sip_code: 200 }),
    };
    const claim: Partial<Claim> = {
      ...endOf(story),
      ...{ state: 'ended', at: story.endedAt, answeredAt, talkSeconds: talkOf(story), price, currency: 'EUR' },
      source: isPlatform ? 'system' : farEnd(story.direction),
      providerCause: story.direction === 'outgoing' ? '200' : 'completed',
    };
    return webhook(leg, 'completed', story.endedAt + 40, { fields, claim });
  }

  /** Knows the leg under another name and tells no direction. */
  function human(leg: Leg, at: number): Webhook {
    const { uuid, ...rest } = common(leg);
    const body = { call_uuid: uuid, ...rest, status: 'human', timestamp: iso(at) };
    const { from, to } = leg.story;
    const claim = { leg: leg.id, session: leg.conversation, at, from, to };
    return {
      event: 'human',
      at,
      path: '',
      contentType: 'application/json',
      body: JSON.stringify(body),
      claims: [claim],
    };
  }

  function last(leg: Leg): Webhook {
    const { status, fields, claim } = endingOf(leg.story);
    return webhook(leg, status, leg.story.endedAt, { fields, claim: { state: 'ended', ...claim } });
  }

  return (leg: Leg): Webhook[] => {
    const { initiatedAt, ringingAt, answeredAt, direction } = leg.story;
    const webhooks = [webhook(leg, 'started', initiatedAt, { claim: { state: 'initiated' } })];
    if (ringingAt !== null) webhooks.push(webhook(leg, 'ringing', ringingAt, { claim: { state: 'ringing' } }));
    if (answeredAt === null) return [...webhooks, last(leg)];
    const fields = { start_time: null, rate: null, network: null };
    webhooks.push(webhook(leg, 'answered', answeredAt, { fields, claim: { state: 'answered' } }));
    if (direction === 'outgoing' && random.chance(0.3)) webhooks.push(human(leg, answeredAt + 900));
    return [...webhooks, completed(leg, answeredAt)];
  };
}

function tell(story: CallStory, run: string): Webhook[] {
  const ids = story.random('ids');
  const teller = createTeller(story.random('words'));
  const conversation = `CON-${runUuid(run, ids.uuid())}`;
  const own = runUuid(run, ids.uuid());
  // Inbound legs have ids without dashes.
  const id = story.leg.direction === 'incoming' ? own.replaceAll('-', '') : own;
  const first = teller({ id, conversation, story: story.leg });
  if (!story.forwarded) return first;
  // The second leg comes from the number that was called.
  const forwarded = { ...story.forwarded, from: story.leg.to };
  return [...first, ...teller({ id: runUuid(run, ids.uuid()), conversation, story: forwarded })];
}

function makeToken(secret: string, claims: object): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

export const vonage: Sender = {
  provider: 'vonage',
  makeKeys() {
    const secret = randomBytes(32).toString('hex');
    return { credentials: { signature_secret: secret, api_key: API_KEY }, signing: { secret } };
  },
  tell,
  sign(webhook, { keys, now }) {
    const hash = createHash('sha256').update(webhook.body).digest('hex');
    const claims = { iat: seconds(now), jti: randomUUID(), iss: 'Vonage', payload_hash: hash, api_key: API_KEY };
    const token = makeToken(keys.signing.secret ?? '', claims);
    return { body: webhook.body, headers: { 'Content-Type': webhook.contentType, Authorization: `Bearer ${token}` } };
  },
};
