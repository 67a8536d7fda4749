/** From a stored webhook to what it says of which legs: pure, so that a replay says the same again. */
import { readParty } from '../../lib/e164.js';
import { LONGEST_CAUSE, type Report } from '../calls/index.js';
import type { CarrierLine, Signal, Understanding, WebhookRequest } from '../carriers/index.js';
import { type PendingWebhook, storable, toldKeyOf } from './inbound-webhook.js';

export interface UnderstoodSignal {
  readonly callId: string;
  readonly report: Report;
}

export type Understood =
  | { readonly kind: 'reports'; readonly eventType: string | null; readonly signals: readonly UnderstoodSignal[] }
  | {
      readonly kind: 'ignored' | 'failed';
      readonly eventType: string | null;
      readonly code: string;
      readonly detail: string;
    };

const A_DAY_MS = 86_400_000;
const LONGEST_CALL_ID = 255;
const LONGEST_TEXT = 500;
const EARLIEST = Date.UTC(1980, 0, 1);

type StoredWebhook = Pick<
  PendingWebhook,
  'id' | 'delivery_key' | 'method' | 'path' | 'headers' | 'body' | 'received_at'
>;

export function understandWebhook(webhook: StoredWebhook, line: CarrierLine): Understood {
  const words = adapterWords(webhook, line);
  const type = words.eventType === null ? null : clip(words.eventType);
  if (words.kind !== 'signals') {
    return { kind: words.kind, eventType: type, code: words.code, detail: clip(words.detail) };
  }
  const { signals } = words;
  const wrong = signals.map((signal) => fault(signal, webhook.received_at.getTime())).find((found) => found !== null);
  if (wrong) return { kind: 'failed', eventType: type, ...wrong };
  const understood = signals.map((signal, index) => ({
    callId: storable(signal.callId),
    report: toReport(signal, index, webhook, line),
  }));
  return { kind: 'reports', eventType: type, signals: understood };
}

function adapterWords(webhook: StoredWebhook, line: CarrierLine): Understanding {
  const { method, path, headers, body } = webhook;
  const request: WebhookRequest = { method, url: path, path, headers, body };
  const content = line.adapter.read(request);
  if (!content) {
    return { kind: 'failed', eventType: null, code: 'unreadable', detail: 'The stored body cannot be read any more.' };
  }
  return line.adapter.understand(request, content, { voiceUrl: line.voiceUrl, plain: line.plain });
}

function fault(signal: Signal, receivedAt: number): { code: string; detail: string } | null {
  if (signal.callId === '' || isTooLong(signal.callId)) {
    return { code: 'missing_call_id', detail: 'The webhook names no call, or by an id of unreasonable length.' };
  }
  if (isPossible(signal.occurredAt, receivedAt) && isPossible(signal.answeredAt, receivedAt)) return null;
  return { code: 'impossible_time', detail: 'A told time cannot be read, or lies more than a day ahead.' };
}

function isPossible(time: number | undefined, receivedAt: number): boolean {
  return time === undefined || (Number.isFinite(time) && time >= EARLIEST && time <= receivedAt + A_DAY_MS);
}

/** Pseudonyms do not count: they may be longer than the numbers in whose place they stand. */
const isTooLong = (id: string): boolean =>
  id.length > LONGEST_CALL_ID && id.replaceAll(PSEUDONYM, '').length > LONGEST_CALL_ID;

const PSEUDONYM = /erased-(?:[a-z]{2}-)?[0-9a-f]{24}/g;

function toReport(signal: Signal, index: number, webhook: StoredWebhook, line: CarrierLine): Report {
  const { disposition, hangupCause, providerCause, hangupSource, price } = signal;
  const hasVerdict = [disposition, hangupCause, providerCause, hangupSource].some((member) => member !== undefined);
  return {
    webhookId: webhook.id,
    deliveryKey: toldKeyOf(webhook),
    receivedAt: webhook.received_at.getTime(),
    index,
    state: signal.state,
    occurredAt: timeOf(signal.occurredAt),
    direction: signal.direction,
    presumedDirection: signal.presumedDirection,
    from: partyOf(signal.from, line),
    to: partyOf(signal.to, line),
    verdict: hasVerdict
      ? {
          disposition: disposition ?? null,
          hangupCause: hangupCause === undefined ? null : clip(hangupCause, LONGEST_CAUSE),
          providerCause: providerCause === undefined ? null : clip(providerCause, LONGEST_CAUSE),
          hangupSource: hangupSource ?? null,
        }
      : undefined,
    answeredAt: timeOf(signal.answeredAt),
    talkSeconds: secondsOf(signal.talkSeconds),
    totalSeconds: secondsOf(signal.totalSeconds),
    parentCallId: idOf(signal.parentCallId),
    sessionId: idOf(signal.sessionId),
    price:
      price !== undefined && DECIMAL.test(price)
        ? { amount: plainDecimal(price), currency: clipped(signal.currency) }
        : undefined,
  };
}

const timeOf = (time: number | undefined): number | undefined => (time === undefined ? undefined : Math.floor(time));

const DECIMAL = /^-?\d{1,20}(?:\.\d{1,20})?$/;

/** As PostgreSQL's numeric gives it back: without needless zeros in front, and no negative nought. */
function plainDecimal(text: string): string {
  const plain = text.replace(/^(-?)0+(?=\d)/, '$1');
  return Number(plain) === 0 ? plain.replace('-', '') : plain;
}

const LONGEST_SECONDS = 31_536_000;

const clip = (text: string, longest = LONGEST_TEXT): string => storable(text.slice(0, longest));
const clipped = (text: string | undefined): string | null => (text === undefined ? null : clip(text));

/** A party that is told: an empty one is not. */
function partyOf(text: string | undefined, line: CarrierLine): string | undefined {
  return text === undefined || text === '' ? undefined : readParty(clip(text), line.country);
}

function idOf(id: string | undefined): string | undefined {
  return id === undefined || id === '' || isTooLong(id) ? undefined : storable(id);
}

/** Seconds that can be: what is negative, endless or longer than a year is taken as not told. */
function secondsOf(seconds: number | undefined): number | undefined {
  return seconds !== undefined && seconds >= 0 && seconds <= LONGEST_SECONDS ? seconds : undefined;
}
