/** Sends a plan's webhooks at their pace, each again and again until it is answered by 2xx. */
import { setTimeout as pause } from 'node:timers/promises';
import { reasonOf, retryAfter } from './api.js';
import type { Journal } from './journal.js';
import type { Delivery, Plan, PlannedCall } from './plan.js';
import type { Keys, Webhook } from './senders/sender.js';
import { senderOf } from './senders/senders.js';

/** A carrier that was set up for the run. */
export interface Line {
  readonly carrierId: string;
  /** What the provider was told to call, and signs. */
  readonly webhookUrl: string;
  /** Where it is sent to: the same path at the address given. */
  readonly target: string;
  readonly keys: Keys;
}

export interface Counts {
  toSend: number;
  begun: number;
  answered: number;
  /** Attempts that were not answered by 2xx and made again. */
  again: number;
  refused: number;
  givenUp: number;
  /** Why the last attempt failed, until one succeeds; for people who wait. */
  trouble: string | null;
  /** Why the last webhook was refused or given up. */
  failure: string | null;
}

export interface PlayOptions {
  readonly plan: Plan;
  readonly lines: ReadonlyMap<string, Line>;
  readonly journal: Journal;
  readonly counts: Counts;
  /** Webhooks under way at most. */
  readonly concurrency: number;
  /** How long one webhook is tried, ms. */
  readonly giveUpAfter: number;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 15_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

export const noCounts = (toSend: number): Counts => ({
  ...{ toSend, begun: 0, answered: 0, again: 0, refused: 0, givenUp: 0 },
  trouble: null,
  failure: null,
});

export async function play(options: PlayOptions): Promise<void> {
  const { plan, counts, signal } = options;
  const tell = rememberLast(plan.calls);
  const underWay = new Set<Promise<void>>();
  const begun = Date.now();
  for (const delivery of plan.deliveries) {
    const wait = begun + delivery.due - Date.now();
    if (wait > 0) await pause(wait, undefined, { signal }).catch(() => undefined);
    while (underWay.size >= options.concurrency) await Promise.race(underWay);
    if (signal.aborted) break;
    counts.begun += 1;
    const sending = deliver(delivery, tell(delivery), options).finally(() => underWay.delete(sending));
    underWay.add(sending);
  }
  await Promise.all(underWay);
}

const REMEMBERED = 500;

/** A call's webhooks are made together and sent one by one. */
function rememberLast(calls: readonly PlannedCall[]): (delivery: Delivery) => Webhook {
  const told = new Map<number, readonly Webhook[]>();
  return ({ call, place }) => {
    const webhooks = told.get(call) ?? calls[call]?.webhooks() ?? [];
    told.delete(call);
    told.set(call, webhooks);
    const [oldest] = told.keys();
    if (told.size > REMEMBERED && oldest !== undefined) told.delete(oldest);
    const webhook = webhooks[place];
    if (!webhook) throw new Error(`Call ${call} has no webhook ${place}.`);
    return webhook;
  };
}

async function deliver(delivery: Delivery, webhook: Webhook, options: PlayOptions): Promise<void> {
  const { plan, lines, journal, counts, giveUpAfter, signal } = options;
  const provider = plan.calls[delivery.call]?.provider ?? '';
  const line = lines.get(provider);
  if (!line) throw new Error(`No carrier was set up for ${provider}.`);
  const ref = { call: delivery.call, place: delivery.place, provider };
  const deadline = Date.now() + giveUpAfter;
  journal.begin({ ...ref, webhook, now: Date.now() });
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    const result = await attempt(provider, line, { webhook, attempt: delivery.attempt });
    if (result.kind === 'answered') {
      counts.answered += 1;
      counts.trouble = null;
      return journal.answered(ref, Date.now());
    }
    counts.trouble = result.why;
    if (result.kind === 'refused') {
      counts.refused += 1;
      counts.failure = result.why;
      return journal.refused(ref, result.status);
    }
    const after = Math.min(result.after ?? wait, LONGEST_PAUSE_MS);
    if (signal.aborted || Date.now() + after > deadline) {
      counts.givenUp += 1;
      counts.failure = result.why;
      return;
    }
    counts.again += 1;
    await pause(after);
  }
}

type Result =
  | { readonly kind: 'answered' }
  | { readonly kind: 'refused'; readonly status: number; readonly why: string }
  | { readonly kind: 'failed'; readonly after: number | null; readonly why: string };

interface Sending {
  readonly webhook: Webhook;
  readonly attempt: number;
}

async function attempt(provider: string, line: Line, { webhook, attempt }: Sending): Promise<Result> {
  const url = line.webhookUrl + webhook.path;
  const request = senderOf(provider).sign(webhook, { url, keys: line.keys, now: Date.now(), attempt });
  try {
    const response = await fetch(line.target + webhook.path, {
      ...{ method: 'POST', body: request.body, headers: request.headers, redirect: 'manual' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    if (response.ok) return { kind: 'answered' };
    const why = `${webhook.event} was answered with ${response.status} ${detailOf(text)}`;
    // What is overloaded or on its way down may take it later; any other answer stays the same.
    const mayPass = response.status >= 500 || response.status === 429 || response.status === 408;
    if (mayPass) return { kind: 'failed', after: retryAfter(response), why };
    return { kind: 'refused', status: response.status, why };
  } catch (error) {
    return { kind: 'failed', after: null, why: reasonOf(error) };
  }
}

function detailOf(text: string): string {
  try {
    return String((JSON.parse(text) as { detail?: unknown }).detail ?? '');
  } catch {
    return text.slice(0, 200);
  }
}
