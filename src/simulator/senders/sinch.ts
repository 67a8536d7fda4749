/** Sinch Voice: no event tells a direction, none tells ringing, and the answer of an outgoing call names no party. */
import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { CallStory, LegStory, Party } from '../stories.js';
import {
  type Claim,
  type Disposition,
  runUuid,
  type Sender,
  talkOf,
  type Webhook,
  wholeSecond,
  withoutPlus,
} from './sender.js';

const CONTENT_TYPE = 'application/json; charset=UTF-8';

type End = readonly [result: string, reason: string, end: Partial<Claim>];

function endOf({ outcome, endedBy, failure, direction }: LegStory): End {
  const end = (disposition: Disposition, cause: string, source?: Party) => ({ disposition, cause, source });
  if (outcome === 'answered') {
    const reason = endedBy === 'callee' ? 'CALLEEHANGUP' : 'CALLERHANGUP';
    return ['ANSWERED', reason, end('completed', 'normal_clearing', endedBy === 'callee' ? 'callee' : 'caller')];
  }
  if (outcome === 'missed') return ['NOANSWER', 'TIMEOUT', end('no_answer', 'ring_timeout')];
  if (outcome === 'busy') return ['BUSY', 'N/A', { ...end('busy', 'user_busy'), providerCause: 'BUSY' }];
  if (outcome === 'rejected') return ['N/A', 'CALLEEHANGUP', end('rejected', 'call_rejected', 'callee')];
  if (outcome === 'canceled') {
    const [result, reason] = direction === 'incoming' ? ['N/A', 'CALLERHANGUP'] : ['FAILED', 'CANCEL'];
    return [result, reason, end('canceled', 'originator_cancel', 'caller')];
  }
  if (failure === 'unallocated') return ['FAILED', 'USERNOTFOUND', end('failed', 'unallocated_number')];
  return ['FAILED', 'GENERALERROR', end('failed', 'network_error')];
}

const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

function webhook(event: string, at: number, what: { fields: object; claim: Claim }): Webhook {
  const rest = { version: 1, custom: '', applicationKey: '' };
  const body = JSON.stringify({ event, callid: what.claim.leg, timestamp: time(at), ...rest, ...what.fields });
  return { event, at, path: '', contentType: CONTENT_TYPE, body, claims: [{ ...what.claim, at: wholeSecond(at) }] };
}

function tell(story: CallStory, run: string): Webhook[] {
  const { leg } = story;
  const id = `${runUuid(run, story.random('ids').uuid())}_257`;
  const { from, to } = leg;
  const [result, reason, end] = endOf(leg);
  const talk = talkOf(leg);
  const price = Number((Math.ceil(talk / 60) * 0.0084).toFixed(4));
  const debit = { debit: { currencyId: 'USD', amount: price }, userRate: { currencyId: 'USD', amount: 0.0084 } };
  const parties = { from: withoutPlus(from), to: { type: 'number', endpoint: to } };
  const last = webhook('dice', leg.endedAt, {
    fields: { reason, result, duration: talk, ...debit, ...parties },
    claim: {
      ...{ leg: id, state: 'ended', from, to, providerCause: reason, talkSeconds: talk, ...end },
      ...{ price: String(price), currency: 'USD' },
    },
  });
  if (leg.direction === 'incoming') {
    const first = webhook('ice', leg.ringingAt ?? leg.initiatedAt, {
      fields: {
        cli: withoutPlus(from),
        to: { type: 'did', endpoint: to },
        domain: 'pstn',
        originationType: 'PSTN',
        rdnis: '',
      },
      claim: { leg: id, state: 'ringing', direction: 'incoming', from, to },
    });
    return [first, last];
  }
  if (leg.answeredAt === null) return [last];
  return [webhook('ace', leg.answeredAt, { fields: {}, claim: { leg: id, state: 'answered' } }), last];
}

export const sinch: Sender = {
  provider: 'sinch',
  makeKeys() {
    const [key, secret] = [randomUUID(), randomBytes(24).toString('base64')];
    return { credentials: { application_key: key, application_secret: secret }, signing: { key, secret } };
  },
  tell,
  sign(webhook, { url, keys, now }) {
    const { key = '', secret = '' } = keys.signing;
    const stamp = new Date(now).toISOString();
    const hash = createHash('md5').update(webhook.body).digest('base64');
    const text = ['POST', hash, CONTENT_TYPE, `x-timestamp:${stamp}`, new URL(url).pathname].join('\n');
    const signature = createHmac('sha256', Buffer.from(secret, 'base64')).update(text).digest('base64');
    return {
      body: webhook.body,
      headers: { 'Content-Type': CONTENT_TYPE, 'x-timestamp': stamp, Authorization: `application ${key}:${signature}` },
    };
  },
};
