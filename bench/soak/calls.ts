import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { createRandom } from '../lib/traffic.js';
import { type Scene, SECRET } from './scene.js';

export interface SoakWebhook {
  readonly id: string;
  readonly body: string;
}

const STATES = ['initiated', 'ringing', 'answered', 'ended'] as const;
export const WEBHOOKS_PER_CALL = STATES.length;
/** Calls in progress at a time. */
const AT_ONCE = 50;

/** Whole calls, a few dozen of them at a time; one webhook in fifty comes early, before the one it follows. */
export function makeCalls(count: number, { numbers }: Scene, seed: number): SoakWebhook[] {
  const random = createRandom(seed);
  const begun = Date.now() - 60_000;
  const timed: { at: number; webhook: SoakWebhook }[] = [];
  for (let place = 0; place < count; place += 1) {
    const number = numbers[Math.floor(random() * numbers.length)] ?? '';
    const other = `+1202555${1000 + Math.floor(random() * 8999)}`;
    const isIncoming = random() < 0.6;
    const call = {
      call_id: `soak-${seed}-${place}`,
      ...(isIncoming
        ? { direction: 'incoming', from: other, to: number }
        : { direction: 'outgoing', from: number, to: other }),
    };
    STATES.forEach((state, step) => {
      const occurred_at = new Date(begun + place * 10 + step * 1000).toISOString();
      const end = state === 'ended' ? { duration: 1, disposition: 'completed' } : {};
      const body = JSON.stringify({ type: `call.${state}`, ...call, occurred_at, ...end });
      const early = random() < 0.02 ? 1.5 * AT_ONCE : 0;
      timed.push({ at: place + step * AT_ONCE - early, webhook: { id: `${call.call_id}-${state}`, body } });
    });
  }
  return timed.sort((a, b) => a.at - b.at).map(({ webhook }) => webhook);
}

const LANES = 32;
const AGAIN_MS = 200;
const TIMEOUT_MS = 8000;

export interface SoakSender {
  /** Sends them at the rate, each again until it is answered by 2xx, as a carrier does. */
  send(webhooks: readonly SoakWebhook[]): Promise<void>;
  taken(): number;
  /** How often one had to be sent again. */
  repeats(): number;
  end(): void;
}

export function createSoakSender(url: string, rate: number): SoakSender {
  const agent = new Agent({ keepAlive: true, maxSockets: LANES });
  let taken = 0;
  let repeats = 0;
  return {
    async send(webhooks) {
      const begun = performance.now();
      let next = 0;
      const lane = async (): Promise<void> => {
        for (let place = next++; place < webhooks.length; place = next++) {
          await pause(Math.max(0, begun + (place * 1000) / rate - performance.now()));
          for (; !(await isTaken(agent, url, webhooks[place] as SoakWebhook)); repeats += 1) await pause(AGAIN_MS);
          taken += 1;
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
    },
    taken: () => taken,
    repeats: () => repeats,
    end: () => agent.destroy(),
  };
}

function isTaken(agent: Agent, url: string, { id, body }: SoakWebhook): Promise<boolean> {
  const time = String(Math.floor(Date.now() / 1000));
  const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
  const mac = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64');
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...{ 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${mac}` },
  };
  return new Promise((resolve) => {
    const asked = request(url, { method: 'POST', agent, headers, timeout: TIMEOUT_MS }, (answer) => {
      answer.resume();
      answer.once('close', () => resolve(answer.complete && (answer.statusCode ?? 500) < 300));
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(false));
    asked.end(body);
  });
}
