/** Bandwidth Voice: Basic authentication; an incoming call tells of its answer only at its end. */
import { randomBytes } from 'node:crypto';
import type { CallStory, LegStory } from '../stories.js';
import { type Claim, type Disposition, runUuid, type Sender, totalOf, type Webhook } from './sender.js';

type End = readonly [cause: string, end: { disposition: Disposition; cause: string }];

function endOf({ outcome, direction, failure }: LegStory): End {
  const end = (disposition: Disposition, cause: string) => ({ disposition, cause });
  if (outcome === 'answered') return ['hangup', end('completed', 'normal_clearing')];
  if (outcome === 'missed') return ['timeout', end('no_answer', 'ring_timeout')];
  if (outcome === 'busy') return ['busy', end('busy', 'user_busy')];
  if (outcome === 'rejected') return ['rejected', end('rejected', 'call_rejected')];
  if (outcome === 'canceled') {
    return [direction === 'incoming' ? 'hangup' : 'cancel', end('canceled', 'originator_cancel')];
  }
  if (failure === 'congestion') return ['node-capacity-exceeded', end('failed', 'congestion')];
  return ['error', end('failed', 'unknown')];
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** The webhook is made a little after what it tells of. */
const LATER_MS = 40;

type Names = Readonly<Record<string, unknown>>;

const webhook = (event: string, at: number, what: { fields: Names; claim: Claim }): Webhook => ({
  ...{ event, at: at + LATER_MS, path: '', contentType: 'application/json', claims: [what.claim] },
  body: JSON.stringify({ eventType: event, eventTime: iso(at + LATER_MS), ...what.fields }),
});

const APPLICATION = { accountId: '5500555', applicationId: 'e8f6582a-b1bd-4324-a8e1-7f50b0074fa1' };

const partiesOf = (callId: string, { direction, from, to }: LegStory): Names => ({
  ...{ from, to, direction: direction === 'incoming' ? 'inbound' : 'outbound', callId },
});

const claimOf = (leg: string, { direction, from, to }: LegStory): Claim => ({ leg, direction, from, to });

function ended(story: LegStory) {
  const { initiatedAt, answeredAt, endedAt } = story;
  const [cause, end] = endOf(story);
  const answer = answeredAt === null ? {} : { answerTime: iso(answeredAt) };
  const fields = { startTime: iso(initiatedAt), ...answer, endTime: iso(endedAt), cause };
  const talkSeconds = answeredAt === null ? undefined : (endedAt - answeredAt) / 1000;
  const told = { ...end, at: endedAt, providerCause: cause, talkSeconds, totalSeconds: totalOf(story) };
  return { fields, claim: { ...told, answeredAt: answeredAt ?? undefined, state: 'ended' } as const };
}

function firstLeg(id: string, story: LegStory): Webhook[] {
  const base = { ...APPLICATION, ...partiesOf(id, story) };
  const start = { startTime: iso(story.initiatedAt) };
  const { fields, claim } = ended(story);
  const end = webhook('disconnect', story.endedAt, {
    ...{ fields: { ...base, ...fields }, claim: { ...claimOf(id, story), ...claim } },
  });
  if (story.direction === 'incoming') {
    const at = story.initiatedAt;
    // Rings at the time of the webhook itself: nothing else tells when.
    const rings: Claim = { ...claimOf(id, story), state: 'ringing', at: at + LATER_MS };
    return [webhook('initiate', at, { fields: { ...base, ...start }, claim: rings }), end];
  }
  if (story.answeredAt === null) return [end];
  const answers: Claim = { ...claimOf(id, story), state: 'answered', at: story.answeredAt };
  const answer = { ...base, ...start, answerTime: iso(story.answeredAt) };
  return [webhook('answer', story.answeredAt, { fields: answer, claim: answers }), end];
}

/** Parties and direction in the events of a transferred leg are the first one's; its own have other names. */
function transferredLeg(parentId: string, parent: LegStory, id: string, story: LegStory): Webhook[] {
  const { from, to } = story;
  const base = { ...partiesOf(id, parent), parentCallId: parentId, transferCallerId: from, transferTo: to };
  const leg: Claim = { leg: id, parent: parentId, direction: 'outgoing', from, to };
  const start = { startTime: iso(story.initiatedAt) };
  const answers = story.answeredAt === null ? [] : [story.answeredAt];
  const { fields, claim } = ended(story);
  // Its cause is the transferred leg's, but it speaks of the first one, which goes on.
  const note: Claim = { ...claimOf(parentId, parent), at: story.endedAt + 2 * LATER_MS };
  return [
    ...answers.map((at) =>
      webhook('transferAnswer', at, {
        fields: { ...APPLICATION, ...base, ...start, answerTime: iso(at) },
        claim: { ...leg, state: 'answered', at },
      }),
    ),
    webhook('transferDisconnect', story.endedAt, { fields: { ...base, ...fields }, claim: { ...leg, ...claim } }),
    webhook('transferComplete', story.endedAt + LATER_MS, {
      fields: { ...APPLICATION, ...partiesOf(parentId, parent), ...start, cause: fields.cause },
      claim: note,
    }),
  ];
}

function tell(story: CallStory, run: string): Webhook[] {
  const ids = story.random('ids');
  const id = `c-${run}-${runUuid(run, ids.uuid())}`;
  const first = firstLeg(id, story.leg);
  if (!story.forwarded) return first;
  return [...first, ...transferredLeg(id, story.leg, `c-${run}-${runUuid(run, ids.uuid())}`, story.forwarded)];
}

export const bandwidth: Sender = {
  provider: 'bandwidth',
  makeKeys() {
    // A colon is allowed in the password, not in the name.
    const [username, password] = ['bandwidth-voice', `pass:${randomBytes(18).toString('base64url')}`];
    return { credentials: { username, password }, signing: { username, password } };
  },
  tell,
  sign(webhook, { keys }) {
    const { username, password } = keys.signing;
    const basic = Buffer.from(`${username}:${password}`).toString('base64');
    return { body: webhook.body, headers: { 'Content-Type': webhook.contentType, Authorization: `Basic ${basic}` } };
  },
};
