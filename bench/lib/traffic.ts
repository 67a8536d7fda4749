import { createHmac } from 'node:crypto';
import type { LoadRequest } from './http-load.js';

export interface TrafficOptions {
  readonly calls: number;
  /** Path of the carrier's webhook URL. */
  readonly paths: readonly string[];
  readonly secret: string;
  /** Numbers to call, one list for each path. */
  readonly numbers: readonly (readonly string[])[];
  readonly seed: number;
  /** Keeps the calls of one run apart from another's. */
  readonly tag: string;
  /** Weight of each path; default: all the same. */
  readonly weights?: readonly number[];
}

/** mulberry32: small, and the same on every machine. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const WINDOW = 200;

/** Two webhooks a call (answered, ended), shuffled within a window of 200, 2 % sent twice; about 450 bytes each. */
export function makeTraffic(options: TrafficOptions): LoadRequest[] {
  const random = createRandom(options.seed);
  const requests: LoadRequest[] = [];
  const base = Date.now() - 120_000;
  for (let call = 0; call < options.calls; call++) {
    const line = pick(options, random);
    const numbers = options.numbers[line] ?? [];
    const common = {
      call_id: `${options.tag}-${call}`,
      direction: 'incoming',
      from: `+1202555${String(1000 + Math.floor(random() * 8999))}`,
      to: numbers[Math.floor(random() * numbers.length)] ?? '',
      data: { trunk: 'edge-7.example', codec: 'PCMU', note: 'x'.repeat(180) },
    };
    const talk = Math.floor(random() * 90);
    const start = base + Math.floor(random() * 20_000);
    const bodies = [
      { type: 'call.answered', ...common, occurred_at: new Date(start).toISOString() },
      { type: 'call.ended', ...common, occurred_at: new Date(start + talk * 1000).toISOString(), duration: talk },
    ];
    requests.push(...bodies.map((body, place) => sign(`${options.tag}-${call}-${place}`, body, options, line)));
  }
  const twice = requests.filter(() => random() < 0.02);
  return shuffleNearby([...requests, ...twice], random);
}

function pick({ paths, weights }: TrafficOptions, random: () => number): number {
  if (!weights) return Math.floor(random() * paths.length);
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [place, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return place;
  }
  return 0;
}

function sign(id: string, body: unknown, { secret, paths }: TrafficOptions, line: number): LoadRequest {
  const text = JSON.stringify(body);
  const seconds = Math.floor(Date.now() / 1000);
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${text}`).digest('base64');
  const head = [
    `POST ${paths[line]} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    `webhook-id: ${id}`,
    `webhook-timestamp: ${seconds}`,
    `webhook-signature: v1,${signature}`,
  ];
  return { id, bytes: Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`) };
}

function shuffleNearby<T>(list: T[], random: () => number): T[] {
  for (let from = 0; from < list.length; from += WINDOW) {
    const size = Math.min(WINDOW, list.length - from);
    for (let i = size - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      const [a, b] = [list[from + i], list[from + j]];
      if (a !== undefined && b !== undefined) [list[from + i], list[from + j]] = [b, a];
    }
  }
  return list;
}
