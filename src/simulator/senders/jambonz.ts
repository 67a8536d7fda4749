/** jambonz: the only time is the one in the signature, made once for an event and kept by its retries. */
import { createHmac, randomBytes } from 'node:crypto';
import type { CallStory, LegStory, Party } from '../stories.js';
import {
  type Claim,
  ENDS,
  type End,
  endOf,
  runUuid,
  type Sender,
  seconds,
  sipStatusOf,
  talkOf,
  type Webhook,
  wholeSecond,
} from './sender.js';

interface Leg {
  readonly id: string;
  readonly parent: string | undefined;
  readonly trace: string;
  readonly story: LegStory;
}

interface Ending {
  readonly word: string;
  readonly sip: readonly [status: number, reason: string];
  readonly by?: 'caller' | 'jambonz';
  readonly end: End;
}

function endingOf(story: LegStory): Ending {
  const isIncoming = story.direction === 'incoming';
  const end = endOf(story);
  // "caller" is the far end, whoever called.
  const by = story.endedBy === (isIncoming ? 'caller' : 'callee') ? 'caller' : 'jambonz';
  switch (story.outcome) {
    case 'answered':
      return { word: 'completed', sip: [200, 'OK'], by, end };
    case 'busy':
      return { word: 'busy', sip: [486, 'Busy Here'], end };
    case 'rejected':
      return { word: isIncoming ? 'failed' : 'busy', sip: [603, 'Decline'], end };
    case 'failed':
      return { word: 'failed', sip: [sipStatusOf(story), 'Failed'], end };
    case 'missed':
      if (isIncoming) return { word: 'no-answer', sip: [480, 'Temporarily Unavailable'], by: 'jambonz', end };
      return { word: 'no-answer', sip: [487, 'Request Terminated'], end };
    case 'canceled':
      if (isIncoming) return { word: 'no-answer', sip: [487, 'Request Terminated'], by: 'caller', end };
      // Our own cancel looks as the ring timer does.
      return { word: 'no-answer', sip: [487, 'Request Terminated'], end: ENDS.missed };
  }
}

function sourceOf(by: Ending['by'], { direction }: LegStory): Party | undefined {
  if (by === undefined) return undefined;
  if (by === 'jambonz') return 'system';
  return direction === 'incoming' ? 'caller' : 'callee';
}

function webhook(
  leg: Leg,
  at: number,
  what: { sip: Ending['sip']; fields: object; claim: Partial<Claim>; word: string },
): Webhook {
  const { direction, from, to } = leg.story;
  const body = {
    ...{ call_sid: leg.id, ...(leg.parent !== undefined && { parent_call_sid: leg.parent }) },
    ...{ direction: direction === 'incoming' ? 'inbound' : 'outbound', from, to },
    ...{ call_id: leg.trace, sip_status: what.sip[0], sip_reason: what.sip[1], call_status: what.word },
    ...{ account_sid: '5ebd5c29-3312-4a25-a868-a2f7c9a974c8', trace_id: leg.trace, fs_sip_address: '10.0.0.21:5060' },
    ...what.fields,
  };
  const claim = { leg: leg.id, parent: leg.parent, direction, from, to, at: wholeSecond(at), ...what.claim };
  return {
    event: what.word,
    at,
    path: '',
    contentType: 'application/json',
    body: JSON.stringify(body),
    claims: [claim],
  };
}

function last(leg: Leg): Webhook {
  const { word, sip, by, end } = endingOf(leg.story);
  const talk = word === 'completed' ? { duration: talkOf(leg.story) } : {};
  const fields = { ...(by !== undefined && { call_termination_by: by }), ...talk };
  const claim: Partial<Claim> = {
    ...end,
    ...{ state: 'ended', source: sourceOf(by, leg.story), providerCause: String(sip[0]), talkSeconds: talk.duration },
  };
  return webhook(leg, leg.story.endedAt, { word, sip, fields, claim });
}

function tellLeg(leg: Leg, hasEarlyMedia: boolean): Webhook[] {
  const { direction, initiatedAt, ringingAt, answeredAt } = leg.story;
  const step = (word: string, at: number, claim: Partial<Claim> & { sip: Ending['sip'] }): Webhook => {
    const { sip, ...rest } = claim;
    return webhook(leg, at, { word, sip, fields: {}, claim: rest });
  };
  const webhooks = [step('trying', initiatedAt, { state: 'initiated', sip: [100, 'Trying'] })];
  // An incoming leg never reports that it rings.
  if (direction === 'outgoing' && ringingAt !== null) {
    webhooks.push(step('ringing', ringingAt, { state: 'ringing', sip: [180, 'Trying'] }));
    if (hasEarlyMedia) webhooks.push(step('early-media', ringingAt + 90, { state: 'ringing', sip: [183, 'Trying'] }));
  }
  if (answeredAt !== null) webhooks.push(step('in-progress', answeredAt, { state: 'answered', sip: [200, 'OK'] }));
  return [...webhooks, last(leg)];
}

function tell(story: CallStory, run: string): Webhook[] {
  const ids = story.random('ids');
  const early = story.random('words').chance(0.4);
  const trace = ids.hex(32);
  const first: Leg = { id: runUuid(run, ids.uuid()), parent: undefined, trace, story: story.leg };
  if (!story.forwarded) return tellLeg(first, early);
  const child: Leg = { id: runUuid(run, ids.uuid()), parent: first.id, trace, story: story.forwarded };
  return [...tellLeg(first, early), ...tellLeg(child, early)];
}

export const jambonz: Sender = {
  provider: 'jambonz',
  makeKeys() {
    const secret = `wh_secret_${randomBytes(16).toString('hex')}`;
    return { credentials: { webhook_secret: secret }, signing: { secret } };
  },
  tell,
  sign(webhook, { keys }) {
    const time = seconds(webhook.at);
    const signature = createHmac('sha256', keys.signing.secret ?? '')
      .update(`${time}.${webhook.body}`)
      .digest('hex');
    const headers = { 'User-Agent': 'jambonz', 'Jambonz-Signature': `t=${time},v1=${signature}` };
    return { body: webhook.body, headers: { 'Content-Type': webhook.contentType, ...headers } };
  },
};
