import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Random, Webhook } from './calls.js';

/** What was answered to a webhook, over all of its attempts. */
export interface Outcome {
  readonly webhook: Webhook;
  attempts: number;
  /** Answered by 2xx at least once. */
  accepted: boolean;
  /** By status; `none`: no answer. */
  readonly answers: Map<string, number>;
}

export interface Sender {
  /** Sends it when it is due, and again as a carrier would. */
  send(webhook: Webhook): void;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** The longest time without any 2xx so far, ms. */
  longestSilence(): number;
  /** Resolves when everything was answered or given up. */
  finish(): Promise<void>;
}

export interface SenderOptions {
  readonly urls: readonly string[];
  /** What Twilio signs over. */
  readonly publicUrl: string;
  readonly random: Random;
  /** How long one webhook is tried, ms. */
  readonly giveUpAfterMs: number;
}

const TIMEOUT_MS = 8000;
/** In flight at once to a process: one that takes connections and does not answer holds up no other. */
const MOST_AT_ONCE = 100;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;

export function createSender({ urls, publicUrl, random, giveUpAfterMs }: SenderOptions): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: MOST_AT_ONCE });
  const outcomes = new Map<string, Outcome>();
  const open = new Set<Promise<void>>();
  const places = createPlaces(urls, random);
  let lastAccepted = Date.now();
  let longest = 0;

  /** Null: it did not get away in time. */
  async function attempt(outcome: Outcome, until: number): Promise<string | null> {
    const url = await places.take();
    try {
      if (Date.now() > until) return null;
      outcome.attempts += 1;
      const answer = await post(agent, url, { webhook: outcome.webhook, publicUrl });
      outcome.answers.set(answer, (outcome.answers.get(answer) ?? 0) + 1);
      return answer;
    } finally {
      places.give(url);
    }
  }

  async function deliver(outcome: Outcome): Promise<void> {
    const { webhook } = outcome;
    await pause(Math.max(0, webhook.sendAt - Date.now()));
    const until = Date.now() + giveUpAfterMs;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      const answer = await attempt(outcome, until);
      if (answer?.startsWith('2')) {
        outcome.accepted = true;
        longest = Math.max(longest, Date.now() - lastAccepted);
        lastAccepted = Date.now();
        return;
      }
      const isFinal = answer === null || answer.startsWith('4');
      if (isFinal || webhook.isImpatient || Date.now() + wait > until) return;
      await pause(wait * (0.5 + random()));
    }
  }

  return {
    send(webhook) {
      const outcome: Outcome = { webhook, attempts: 0, accepted: false, answers: new Map() };
      outcomes.set(`${webhook.line.carrierId} ${webhook.key}`, outcome);
      for (let copy = 0; copy < webhook.copies; copy += 1) {
        const done: Promise<void> = deliver(outcome).finally(() => open.delete(done));
        open.add(done);
      }
    },
    outcomes,
    longestSilence: () => longest,
    async finish() {
      while (open.size > 0) await Promise.all(open);
      agent.destroy();
    },
  };
}

interface Places {
  /** Any process that has room, as soon as one has. */
  take(): Promise<string>;
  give(url: string): void;
}

function createPlaces(urls: readonly string[], random: Random): Places {
  const running = new Map(urls.map((url) => [url, 0]));
  const waiting: ((url: string) => void)[] = [];
  return {
    async take() {
      const free = urls.filter((url) => (running.get(url) ?? 0) < MOST_AT_ONCE);
      const url = free[Math.floor(random() * free.length)];
      if (url === undefined) return new Promise((go) => waiting.push(go));
      running.set(url, (running.get(url) ?? 0) + 1);
      return url;
    },
    give(url) {
      const next = waiting.shift();
      if (next) next(url);
      else running.set(url, (running.get(url) ?? 0) - 1);
    },
  };
}

function post(agent: Agent, url: string, what: { webhook: Webhook; publicUrl: string }): Promise<string> {
  const { webhook, publicUrl } = what;
  const path = `/webhooks/${webhook.line.carrierId}/`;
  const headers = {
    'Content-Type': webhook.contentType,
    'Content-Length': String(Buffer.byteLength(webhook.body)),
    ...signed(webhook, publicUrl + path),
  };
  return new Promise((resolve) => {
    const asked = request(url + path, { method: 'POST', agent, headers, timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      response.once('end', () => resolve(String(response.statusCode)));
      response.once('close', () => resolve(response.complete ? String(response.statusCode) : 'none'));
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve('none'));
    asked.end(webhook.body);
  });
}

function signed({ line, key, kind, body }: Webhook, url: string): Record<string, string> {
  const secret = kind === 'forged' ? `${line.secret.slice(0, -4)}AAA=` : line.secret;
  if (line.provider === 'twilio') {
    const fields = [...new URLSearchParams(body)].sort(([a], [b]) => (a < b ? -1 : 1));
    const text = url + fields.map(([name, value]) => name + value).join('');
    return { 'X-Twilio-Signature': createHmac('sha1', secret).update(text).digest('base64') };
  }
  const time = String(Math.floor(Date.now() / 1000));
  const bytes = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const mac = createHmac('sha256', bytes).update(`${key}.${time}.${body}`).digest('base64');
  return { 'webhook-id': key, 'webhook-timestamp': time, 'webhook-signature': `v1,${mac}` };
}
