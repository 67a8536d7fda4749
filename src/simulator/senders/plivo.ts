/** Plivo: forms from several URLs; most events tell no time, and the end tells the console's clock without an offset. */
import { createHmac, randomBytes, randomInt } from 'node:crypto';
import type { CallStory, LegStory, Party } from '../stories.js';
import {
  type Claim,
  type Disposition,
  runUuid,
  type Sender,
  seconds,
  talkOf,
  type Webhook,
  wholeSecond,
  withoutPlus,
} from './sender.js';

/** A zone whose clocks are never changed, with half an hour in its offset. */
const ZONE = 'Asia/Kolkata';
const ZONE_MS = 5.5 * 3_600_000;

const clock = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

type Hangup = readonly [code: string, name: string, status: string, end: { disposition: Disposition; cause: string }];

function hangupOf({ outcome, failure }: LegStory): Hangup {
  const end = (disposition: Disposition, cause: string) => ({ disposition, cause });
  if (outcome === 'answered') return ['4000', 'NORMAL_CLEARING', 'completed', end('completed', 'normal_clearing')];
  if (outcome === 'missed') return ['6010', 'NO_ANSWER', 'no-answer', end('no_answer', 'ring_timeout')];
  if (outcome === 'busy') return ['3010', 'USER_BUSY', 'busy', end('busy', 'user_busy')];
  if (outcome === 'rejected') return ['3020', 'CALL_REJECTED', 'busy', end('rejected', 'call_rejected')];
  if (outcome === 'canceled') return ['1000', 'ORIGINATOR_CANCEL', 'cancel', end('canceled', 'originator_cancel')];
  if (failure === 'unallocated') {
    return ['2000', 'UNALLOCATED_NUMBER', 'failed', end('failed', 'unallocated_number')];
  }
  return ['1020', 'NORMAL_CIRCUIT_CONGESTION', 'failed', end('failed', 'congestion')];
}

const SOURCES: Readonly<Record<Party, string>> = { caller: 'Caller', callee: 'Callee', system: 'Plivo' };

type Fields = Readonly<Record<string, string>>;

const form = (
  event: string,
  at: number,
  what: { path: string; fields: Fields; claims: readonly Claim[] },
): Webhook => ({
  ...{ event, at, path: what.path, body: new URLSearchParams(what.fields).toString(), claims: what.claims },
  contentType: 'application/x-www-form-urlencoded',
});

const claimOf = (leg: string, { direction, from, to }: LegStory): Claim => ({ leg, direction, from, to });

const common = (id: string, story: LegStory): Fields => ({
  Direction: story.direction === 'incoming' ? 'inbound' : 'outbound',
  From: withoutPlus(story.from),
  To: withoutPlus(story.to),
  CallUUID: id,
  BillRate: '0.00850',
  ParentAuthID: 'MAXXXXXXXXXXXXXXXXXX',
});

function hangup(id: string, story: LegStory): Webhook {
  const [code, name, status, end] = hangupOf(story);
  const { initiatedAt, answeredAt, endedAt, endedBy } = story;
  const talk = answeredAt === null ? 0 : seconds(endedAt) - seconds(answeredAt);
  const cost = (Math.ceil(talk / 60) * 0.0085).toFixed(5);
  const local = (ms: number | null): string => (ms === null ? '' : clock(ms + ZONE_MS));
  const fields = {
    ...{ ...common(id, story), Event: 'Hangup', CallStatus: status },
    ...{ StartTime: local(initiatedAt), AnswerTime: local(answeredAt), EndTime: local(endedAt) },
    ...{ SessionStart: `${clock(initiatedAt)}.000000`, Duration: String(talk), TotalCost: cost },
    ...{
      HangupCause: name,
      HangupCauseCode: code,
      HangupSource: SOURCES[endedBy],
      BillDuration: String(Math.ceil(talk / 60) * 60),
    },
  };
  // It states the end alone; when the leg began follows from its seconds.
  const claim: Claim = {
    ...claimOf(id, story),
    ...{ ...end, state: 'ended', at: wholeSecond(endedAt), source: endedBy, providerCause: code, price: cost },
    answeredAt: answeredAt === null ? undefined : wholeSecond(answeredAt),
    talkSeconds: talk,
    totalSeconds: seconds(endedAt) - seconds(initiatedAt),
  };
  return form('Hangup', endedAt, { path: 'hangup', fields, claims: [claim] });
}

/** What asks for XML: an incoming call that rings, an outgoing one that was answered. */
function startApp(id: string, story: LegStory, status: 'ringing' | 'in-progress'): Webhook {
  const at = (status === 'ringing' ? story.ringingAt : story.answeredAt) ?? story.initiatedAt;
  const state = status === 'ringing' ? 'ringing' : 'answered';
  const fields = { ...common(id, story), Event: 'StartApp', CallStatus: status, SessionStart: `${clock(at)}.000000` };
  return form('StartApp', at, { path: 'answer', fields, claims: [{ ...claimOf(id, story), state }] });
}

function ring(id: string, story: LegStory, ringingAt: number): Webhook {
  const fields = {
    ...common(id, story),
    Event: 'Ring',
    CallStatus: 'ringing',
    SessionStart: `${clock(ringingAt)}.000000`,
  };
  const claim: Claim = { ...claimOf(id, story), state: 'ringing', at: wholeSecond(ringingAt) };
  return form('Ring', ringingAt, { path: 'ring', fields, claims: [claim] });
}

/** The second leg as the first one's Dial tells of it: never with a time, and not at all when nobody was reached. */
function dialled(aLeg: string, parent: LegStory, bLeg: string, story: LegStory): Webhook[] {
  const base = { ...common(aLeg, parent), CallStatus: 'in-progress', DialALegUUID: aLeg };
  const [code, name, status, end] = hangupOf(story);
  if (story.answeredAt === null) {
    const fields = { ...base, Event: 'Redirect', DialBLegUUID: '', DialStatus: status };
    return [form('Redirect', story.endedAt, { path: 'action', fields, claims: [] })];
  }
  const talk = talkOf(story);
  const b = { ...base, DialBLegUUID: bLeg, DialBLegFrom: withoutPlus(story.from), DialBLegTo: withoutPlus(story.to) };
  const claim: Claim = { ...claimOf(bLeg, story), parent: aLeg };
  const why = {
    DialBLegHangupCause: name,
    DialBLegHangupCauseCode: code,
    DialBLegHangupSource: SOURCES[story.endedBy],
  };
  const ended: Claim = {
    ...claim,
    ...end,
    state: 'ended',
    source: story.endedBy,
    providerCause: code,
    talkSeconds: talk,
  };
  const length = { DialBLegDuration: String(talk) };
  return [
    form('DialAnswer', story.answeredAt, {
      ...{ path: 'dial', fields: { ...b, Event: 'DialAnswer', DialAction: 'answer' } },
      claims: [{ ...claim, state: 'answered' }],
    }),
    form('DialHangup', story.endedAt, {
      ...{ path: 'dial', fields: { ...b, ...why, ...length, Event: 'DialHangup', DialAction: 'hangup' } },
      claims: [ended],
    }),
  ];
}

function tell(story: CallStory, run: string): Webhook[] {
  const ids = story.random('ids');
  const id = runUuid(run, ids.uuid());
  const { leg, forwarded } = story;
  if (leg.direction === 'incoming') {
    const dial = forwarded ? dialled(id, leg, runUuid(run, ids.uuid()), forwarded) : [];
    return [startApp(id, leg, 'ringing'), ...dial, hangup(id, leg)];
  }
  const rings = leg.ringingAt === null ? [] : [ring(id, leg, leg.ringingAt)];
  const answers = leg.answeredAt === null ? [] : [startApp(id, leg, 'in-progress')];
  return [...rings, ...answers, hangup(id, leg)];
}

/** The question mark stands behind the URL although it has no query. */
function signedText(url: string, body: string, nonce: string): string {
  const pairs = [...new URLSearchParams(body)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `${url}?${pairs.map(([name, value]) => name + value).join('')}.${nonce}`;
}

export const plivo: Sender = {
  provider: 'plivo',
  makeKeys() {
    const token = randomBytes(20).toString('base64url');
    return { credentials: { auth_token: token, time_zone: ZONE }, signing: { token } };
  },
  tell,
  sign(webhook, { url, keys }) {
    const nonce = String(randomInt(1_000_000_000_000)).padStart(20, '0');
    const text = signedText(url, webhook.body, nonce);
    return {
      body: webhook.body,
      headers: {
        'Content-Type': webhook.contentType,
        'X-Plivo-Signature-V3': createHmac('sha256', keys.signing.token ?? '')
          .update(text)
          .digest('base64'),
        'X-Plivo-Signature-V3-Nonce': nonce,
      },
    };
  },
};
