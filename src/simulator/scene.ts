/** Sets the scene of a run: an account, its carriers and its virtual numbers. */
import { randomBytes, randomInt } from 'node:crypto';
import { type Api, createApi, Refusal } from './api.js';
import { sentence } from './failure.js';
import type { Line } from './play.js';
import { senderOf } from './senders/senders.js';
import { openAccount, type SignedIn, signInWith, type TokenSource } from './sign-in.js';

export interface SceneOptions {
  readonly url: string;
  readonly patience: number;
  readonly signedIn: SignedIn;
  /** Name of an account to make; null: that of whoever signed in. */
  readonly account: string | null;
  readonly providers: readonly string[];
  readonly numbers: number;
}

export interface Scene {
  readonly api: Api;
  readonly token: TokenSource;
  readonly lines: ReadonlyMap<string, Line>;
  readonly numbers: readonly [string, ...string[]];
  /** The account's newest event. */
  readonly afterSeq: number;
}

export async function setScene(options: SceneOptions, run: string): Promise<Scene> {
  try {
    const token = await enterAccount(options);
    const api = createApi({ url: options.url, patience: options.patience, token });
    const numbers = await claimNumbers(api, options.numbers, run);
    const lines = new Map<string, Line>();
    for (const provider of options.providers) lines.set(provider, await setUpLine(api, provider, { ...options, run }));
    const { seq } = await api.get('/api/calls/live/');
    return { api, token, lines, numbers, afterSeq: Number(seq) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const isForbidden = error.status === 403;
    throw sentence(isForbidden ? `The simulator needs an admin: ${error.message}.` : `${error.message}.`);
  }
}

/** A run's mark: eight hexadecimal digits. */
export const newRun = (): string => randomBytes(4).toString('hex');

async function enterAccount({ url, patience, signedIn, account }: SceneOptions): Promise<TokenSource> {
  if (account === null) return signedIn.token;
  const api = createApi({ url, patience, token: signedIn.token });
  const { token } = await signInWith({ url, patience }, await openAccount(api, account));
  return token;
}

/** Of the country code 999, which belongs to no country, with a block of a thousand numbers of its own. */
const TRIES = 20;
const BATCH = 1000;

async function claimNumbers(api: Api, count: number, run: string): Promise<[string, ...string[]]> {
  const numbers: string[] = [];
  for (let tries = 0; numbers.length < count; tries += 1) {
    if (tries > TRIES + count / BATCH) throw sentence('No virtual numbers that nobody has could be found.');
    const block = `+999${String(randomInt(10_000_000)).padStart(7, '0')}`;
    const wanted = Math.min(BATCH, count - numbers.length);
    const rows = Array.from({ length: wanted }, (_, i) => ({
      phone_number: block + String(i).padStart(3, '0'),
      label: `Simulated ${run}`,
      tags: ['simulated'],
    }));
    const { results } = await api.post('/api/virtual_numbers/bulk/', { numbers: rows });
    for (const { status, phone_number, errors } of results as Record<string, unknown>[]) {
      if (status === 'created') numbers.push(String(phone_number));
      else if (status === 'invalid') throw sentence(`A virtual number was refused: ${JSON.stringify(errors)}.`);
    }
  }
  return numbers as [string, ...string[]];
}

async function setUpLine(api: Api, provider: string, { url, run }: { url: string; run: string }): Promise<Line> {
  const keys = senderOf(provider).makeKeys();
  const name = `Simulated ${provider} ${run}`;
  const carrier = await api.post('/api/carriers/', { provider, name, credentials: keys.credentials });
  const webhookUrl = String(carrier.webhook_url);
  const { pathname, search } = new URL(webhookUrl);
  return { carrierId: String(carrier.id), webhookUrl, target: url + pathname + search, keys };
}
