/** Calls in the words that Twilio made and SignalWire took over: form posts with CallSid and CallStatus. */
import { createHmac } from 'node:crypto';
import type { CallStory, LegStory } from '../stories.js';
import { type Claim, ENDS, type End, endOf, sipStatusOf, talkOf, type Webhook, wholeSecond } from './sender.js';

export type Fields = Readonly<Record<string, string>>;

/** What one of the two says otherwise. */
export interface Dialect {
  readonly accountSid: string;
  callSid(story: CallStory, leg: 'first' | 'forwarded', run: string): string;
  parties(from: string, to: string): Fields;
  /** Further members of the final callback, and whether it has a SequenceNumber and a CallDuration. */
  final(leg: LegStory): { readonly fields: Fields; readonly isNumbered: boolean; readonly claim: Partial<Claim> };
}

const WORDS: Readonly<Record<LegStory['outcome'], string>> = {
  answered: 'completed',
  missed: 'no-answer',
  busy: 'busy',
  // There is no word for it: the SIP status tells, where there is one.
  rejected: 'busy',
  failed: 'failed',
  canceled: 'canceled',
};

interface Leg {
  readonly sid: string;
  readonly story: LegStory;
  readonly parent: string | undefined;
}

const encode = (fields: Fields): string => new URLSearchParams(fields).toString();

const timestamp = (ms: number): string => new Date(ms).toUTCString().replace('GMT', '+0000');

export function cxmlWebhooks(story: CallStory, run: string, dialect: Dialect): Webhook[] {
  const first: Leg = { sid: dialect.callSid(story, 'first', run), story: story.leg, parent: undefined };
  const teller = createTeller(dialect);
  const token = story.random('token').uuid();
  if (story.leg.direction === 'outgoing') return teller.progress(first);
  const incoming = teller.voiceRequest(first, token);
  if (!story.forwarded) return [incoming, teller.final(first, 0)];
  const sid = dialect.callSid(story, 'forwarded', run);
  const child: Leg = { sid, story: story.forwarded, parent: first.sid };
  return [incoming, ...teller.progress(child), teller.dialAction(first, child, `${token}-a`), teller.final(first, 0)];
}

function createTeller(dialect: Dialect) {
  const directionOf = ({ story, parent }: Leg): string =>
    story.direction === 'incoming' ? 'inbound' : parent === undefined ? 'outbound-api' : 'outbound-dial';

  const common = (leg: Leg, status: string): Fields => ({
    AccountSid: dialect.accountSid,
    ApiVersion: '2010-04-01',
    CallSid: leg.sid,
    CallStatus: status,
    Direction: directionOf(leg),
    ...dialect.parties(leg.story.from, leg.story.to),
    ...(leg.parent !== undefined && { ParentCallSid: leg.parent }),
  });

  const claimOf = ({ sid, story, parent }: Leg): Claim => ({
    ...{ leg: sid, direction: story.direction, from: story.from, to: story.to, parent },
  });

  const webhook = (event: string, at: number, fields: Fields, claims: readonly Claim[]): Webhook => ({
    ...{ event, at, claims, path: '', body: encode(fields) },
    contentType: 'application/x-www-form-urlencoded; charset=UTF-8',
  });

  function callback(leg: Leg, at: number, fields: Fields, claim: Partial<Claim>): Webhook {
    const marks = { Timestamp: timestamp(at), CallbackSource: 'call-progress-events' };
    const status = fields.CallStatus ?? '';
    const claims = [{ ...claimOf(leg), ...claim, at: wholeSecond(at) }];
    return webhook(status, at, { ...common(leg, status), ...fields, ...marks }, claims);
  }

  function final(leg: Leg, sequence: number): Webhook {
    const { fields, isNumbered, claim } = dialect.final(leg.story);
    const talkSeconds = talkOf(leg.story);
    const numbered = isNumbered ? { CallDuration: String(talkSeconds), SequenceNumber: String(sequence) } : {};
    const word = WORDS[leg.story.outcome];
    const told = {
      state: 'ended',
      ...endAsTold(leg.story, fields),
      ...(isNumbered && { talkSeconds }),
      ...claim,
    } as const;
    return callback(leg, leg.story.endedAt, { CallStatus: word, ...numbered, ...fields }, told);
  }

  return {
    final,

    /** Asks what to do with the call: no time, no number. */
    voiceRequest(leg: Leg, id: string): Webhook {
      const { story } = leg;
      const at = story.ringingAt ?? story.initiatedAt;
      return { ...webhook('voice request', at, common(leg, 'ringing'), [{ ...claimOf(leg), state: 'ringing' }]), id };
    },

    progress(leg: Leg): Webhook[] {
      const { initiatedAt, ringingAt, answeredAt } = leg.story;
      const steps = [
        ['initiated', 'initiated', initiatedAt],
        ['ringing', 'ringing', ringingAt],
        ['in-progress', 'answered', answeredAt],
      ] as const;
      const passed = steps.flatMap(([word, state, at]) => (at === null ? [] : [{ word, state, at }]));
      const told = passed.map(({ word, state, at }, number) =>
        callback(leg, at, { CallStatus: word, SequenceNumber: String(number) }, { state }),
      );
      return [...told, final(leg, passed.length)];
    },

    /** Asks how the caller's leg goes on, and tells how the dialled one ended, without a time. */
    dialAction(leg: Leg, child: Leg, id: string): Webhook {
      const word = WORDS[child.story.outcome];
      const isAnswered = child.story.answeredAt !== null;
      const talk = talkOf(child.story);
      const fields = {
        ...common(leg, 'in-progress'),
        ...{ DialCallStatus: word, DialCallSid: child.sid, DialBridged: String(isAnswered) },
        ...(isAnswered && { DialCallDuration: String(talk) }),
      };
      const end: Claim = {
        ...{ leg: child.sid, parent: leg.sid, direction: 'outgoing', state: 'ended', providerCause: word },
        ...ENDS[child.story.outcome],
        talkSeconds: isAnswered ? talk : undefined,
      };
      return { ...webhook('dial action', child.story.endedAt + 40, fields, [claimOf(leg), end]), id };
    },
  };
}

/** The word decides, but a 603 is a decline, and the SIP status says why a call failed. */
function endAsTold(leg: LegStory, fields: Fields): End & Pick<Claim, 'providerCause'> {
  const sip = fields.SipResponseCode ?? fields.SipResultCode;
  const providerCause = sip ?? WORDS[leg.outcome];
  if (sip !== undefined) return { ...endOf(leg), providerCause };
  return leg.outcome === 'rejected' ? { ...ENDS.busy, providerCause } : { ...ENDS[leg.outcome], providerCause };
}

export const sipStatusText = (leg: LegStory): string => String(sipStatusOf(leg));

/** Name and value of each parameter, by name, behind the URL; HMAC-SHA1 in base64. */
export function signParameters(key: string, url: string, body: string): string {
  const pairs = [...new URLSearchParams(body)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return createHmac('sha1', key)
    .update(url + pairs.map(([name, value]) => name + value).join(''))
    .digest('base64');
}
