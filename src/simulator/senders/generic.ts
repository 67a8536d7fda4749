/** A switch of one's own that signs by Standard Webhooks. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Random } from '../random.js';
import type { CallStory, LegStory } from '../stories.js';
import { type Claim, endOf, runUuid, type Sender, seconds, sipStatusOf, talkOf, type Webhook } from './sender.js';

interface Leg {
  readonly id: string;
  readonly story: LegStory;
  readonly parent: string | undefined;
}

/** A tenth of the calls comes from a script that does not tell when things happened. */
const UNTIMED = 0.1;

function createTeller(random: Random, run: string) {
  const isTimed = !random.chance(UNTIMED);

  function webhook(leg: Leg, type: string, at: number, rest: { body?: object; claim?: Partial<Claim> }): Webhook {
    const { direction, from, to } = leg.story;
    const time = isTimed ? { occurred_at: new Date(at).toISOString() } : {};
    const parent = leg.parent === undefined ? {} : { parent_call_id: leg.parent };
    const body = { type, call_id: leg.id, ...parent, direction, from, to, ...time, ...rest.body };
    const claim = { leg: leg.id, parent: leg.parent, direction, from, to, at: isTimed ? at : undefined, ...rest.claim };
    return {
      ...{ event: type, at, path: '', body: JSON.stringify(body), claims: [claim] },
      ...{ contentType: 'application/json', id: `msg_${run}${random.hex(20)}` },
    };
  }

  /** Words of our own, or the SIP status alone: both say the same. */
  function ended(leg: Leg): Webhook {
    const { story } = leg;
    const end = endOf(story);
    const isAnswered = story.answeredAt !== null;
    // A length beside an arrival would say when the call was answered better than the arrivals can bear out.
    const talk = isAnswered && isTimed ? { duration: talkOf(story) } : {};
    const bySip = story.outcome !== 'missed' && !isAnswered && random.chance(0.5);
    const why = bySip ? { sip_status: sipStatusOf(story) } : { disposition: end.disposition, hangup_cause: end.cause };
    const claim: Partial<Claim> = {
      ...end,
      state: 'ended',
      source: story.endedBy,
      talkSeconds: talk.duration,
      providerCause: bySip ? String(sipStatusOf(story)) : undefined,
    };
    const body = { ...why, ...talk, hangup_source: story.endedBy };
    return webhook(leg, 'call.ended', story.endedAt, { body, claim });
  }

  function price(leg: Leg): Webhook {
    const amount = (talkOf(leg.story) * 0.00014).toFixed(5);
    const money = { price: amount, currency: 'EUR' };
    return webhook(leg, 'call.updated', leg.story.endedAt + random.between(500, 4000), { body: money, claim: money });
  }

  return (leg: Leg): Webhook[] => {
    const { initiatedAt, ringingAt, answeredAt } = leg.story;
    const steps = [
      ['initiated', initiatedAt],
      ['ringing', ringingAt],
      ['answered', answeredAt],
    ] as const;
    const progress = steps.flatMap(([state, at]) =>
      at === null ? [] : [webhook(leg, `call.${state}`, at, { claim: { state } })],
    );
    const isPriced = answeredAt !== null && random.chance(0.4);
    return [...progress, ended(leg), ...(isPriced ? [price(leg)] : [])];
  };
}

function tell(story: CallStory, run: string): Webhook[] {
  const ids = story.random('ids');
  const teller = createTeller(story.random('words'), run);
  const first: Leg = { id: runUuid(run, ids.uuid()), story: story.leg, parent: undefined };
  if (!story.forwarded) return teller(first);
  // What is forwarded leaves with the number that was called.
  const forwarded = { ...story.forwarded, from: story.leg.to };
  const child: Leg = { id: runUuid(run, ids.uuid()), story: forwarded, parent: first.id };
  return [...teller(first), ...teller(child)];
}

export const generic: Sender = {
  provider: 'generic',
  makeKeys() {
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    return { credentials: { secret }, signing: { secret } };
  },
  tell,
  sign(webhook, { keys, now }) {
    const time = String(seconds(now));
    const key = Buffer.from((keys.signing.secret ?? '').replace(/^whsec_/, ''), 'base64');
    const signature = createHmac('sha256', key).update(`${webhook.id}.${time}.${webhook.body}`).digest('base64');
    return {
      body: webhook.body,
      headers: {
        'Content-Type': webhook.contentType,
        'webhook-id': webhook.id ?? '',
        'webhook-timestamp': time,
        'webhook-signature': `v1,${signature}`,
      },
    };
  },
};
