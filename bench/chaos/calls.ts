/** The calls that are played: what each webhook states, when it is sent, and what is done to it on the way. */
import type { Line } from './world.js';
import { STRANGE_NUMBER } from './world.js';

export type State = 'initiated' | 'ringing' | 'answered' | 'ended';
export type Random = () => number;

/** What one webhook states of its call, all of it told by the carrier. */
export interface Fact {
  readonly state: State;
  /** ms since 1970, told. */
  readonly at: number;
  /** Of an end: talk seconds, and how it came to it. */
  readonly talk?: number;
  readonly disposition?: string;
}

export interface Webhook {
  readonly line: Line;
  /** The delivery key under which the inbox has it. */
  readonly key: string;
  readonly callId: string;
  readonly fact: Fact;
  readonly contentType: string;
  readonly body: string;
  readonly sendAt: number;
  /** `forged`: signed with another secret; `strange`: for a number that nobody holds. */
  readonly kind: 'good' | 'forged' | 'strange';
  /** A carrier that does not try again after the first failure. */
  readonly isImpatient: boolean;
  readonly copies: number;
}

export interface Call {
  readonly line: Line;
  readonly callId: string;
  readonly direction: 'incoming' | 'outgoing';
  readonly from: string;
  readonly to: string;
  readonly kind: Webhook['kind'];
  readonly webhooks: readonly Webhook[];
}

const ENDS = ['no_answer', 'busy', 'rejected', 'canceled'] as const;
/** What the provider's words can say: Twilio knows no rejection by word alone. */
const TWILIO_ENDS: Readonly<Record<string, string>> = {
  completed: 'completed',
  no_answer: 'no-answer',
  busy: 'busy',
  canceled: 'canceled',
};
const TWILIO_STATES = { initiated: 'initiated', ringing: 'ringing', answered: 'in-progress' } as const;

/** The mean number of webhooks of a call, sent twice or not. */
export const WEBHOOKS_PER_CALL = 3.8;

export interface CallWish {
  readonly lines: readonly Line[];
  /** How long it stays in a state, and how late a webhook is, at most, ms. */
  readonly longestStepMs: number;
  readonly random: Random;
}

export function makeCall(place: number, now: number, { lines, longestStepMs, random }: CallWish): Call {
  const line = lines[Math.floor(random() * lines.length)];
  if (!line) throw new Error('There are no lines.');
  const fate = random();
  const kind: Webhook['kind'] = fate < 0.01 ? 'forged' : fate < 0.02 ? 'strange' : 'good';
  const direction: Call['direction'] = line.provider === 'generic' && random() < 0.6 ? 'incoming' : 'outgoing';
  const own = line.numbers[Math.floor(random() * line.numbers.length)] ?? '';
  const held = kind === 'strange' ? STRANGE_NUMBER : own;
  const other = `+1202555${String(1000 + Math.floor(random() * 8999))}`;
  const callId = line.provider === 'generic' ? `chaos-${place}` : `CA${place.toString(16).padStart(32, '0')}`;
  const call: CallParts = {
    ...{ line, callId, direction, kind },
    ...(direction === 'incoming' ? { from: other, to: held } : { from: held, to: other }),
  };
  const facts = makeFacts(call, now, { longestStepMs, random });
  const webhooks = facts.map((fact, step) => {
    const late = random() < 0.15 ? random() * longestStepMs : random() * 200;
    return makeWebhook(call, fact, { step, sendAt: fact.at + late, random });
  });
  return { ...call, webhooks };
}

/** Times of Twilio are whole seconds, so that none can be taken for another. */
function makeFacts({ line }: CallParts, now: number, { longestStepMs, random }: Omit<CallWish, 'lines'>): Fact[] {
  const unit = line.provider === 'twilio' ? 1000 : 1;
  const whole = (ms: number): number => Math.floor(ms / unit) * unit;
  const step = (): number => 1000 + Math.floor(random() * (longestStepMs - 1000));
  const initiated = whole(now);
  const ringing = whole(initiated + step());
  const facts: Fact[] = [
    { state: 'initiated', at: initiated },
    { state: 'ringing', at: ringing },
  ];
  if (random() < 0.7) {
    const answered = whole(ringing + step());
    const talk = Math.floor(step() / 1000);
    facts.push({ state: 'answered', at: answered });
    facts.push({ state: 'ended', at: answered + talk * 1000, talk, disposition: 'completed' });
  } else {
    const ends = line.provider === 'twilio' ? ENDS.filter((end) => end !== 'rejected') : ENDS;
    const disposition = ends[Math.floor(random() * ends.length)] ?? 'busy';
    facts.push({ state: 'ended', at: whole(ringing + step()), talk: 0, disposition });
  }
  return facts;
}

type CallParts = Omit<Call, 'webhooks'>;

interface Sending {
  readonly step: number;
  readonly sendAt: number;
  readonly random: Random;
}

function makeWebhook(call: CallParts, fact: Fact, { step, sendAt, random }: Sending): Webhook {
  const { line, callId, kind } = call;
  const isGeneric = line.provider === 'generic';
  return {
    ...{ line, callId, fact, kind, sendAt },
    key: isGeneric ? `msg_${callId}_${step}` : `${callId}:${step}`,
    contentType: isGeneric ? 'application/json' : 'application/x-www-form-urlencoded',
    body: isGeneric ? genericBody(call, fact) : twilioBody(call, fact, step),
    isImpatient: random() < 0.03,
    copies: random() < 0.05 ? 2 : 1,
  };
}

function genericBody({ callId, direction, from, to }: CallParts, { state, at, talk, disposition }: Fact): string {
  const common = {
    type: `call.${state}`,
    call_id: callId,
    direction,
    from,
    to,
    occurred_at: new Date(at).toISOString(),
  };
  const isOfAnswered = disposition === 'completed';
  const end = state === 'ended' ? { ...(isOfAnswered && { duration: talk }), disposition } : {};
  return JSON.stringify({ ...common, ...end, data: { note: 'x'.repeat(120) } });
}

function twilioBody({ callId, from, to }: CallParts, { state, at, talk, disposition }: Fact, step: number): string {
  const end = state === 'ended' ? { CallDuration: String(talk ?? 0) } : {};
  return new URLSearchParams({
    ...{ CallSid: callId, AccountSid: `AC${'0'.repeat(32)}`, Direction: 'outbound-api', From: from, To: to },
    CallStatus: state === 'ended' ? (TWILIO_ENDS[disposition ?? ''] ?? '') : TWILIO_STATES[state],
    Timestamp: new Date(at).toUTCString().replace('GMT', '+0000'),
    SequenceNumber: String(step),
    CallbackSource: 'call-progress-events',
    ...end,
  }).toString();
}
