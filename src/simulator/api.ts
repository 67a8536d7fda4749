/** The switchboard's REST doors as the simulator uses them: patient with restarts, polite with rate limits. */
import { setTimeout as pause } from 'node:timers/promises';
import { sentence } from './failure.js';

export type Json = Readonly<Record<string, unknown>>;

export interface ApiOptions {
  /** Without a slash at its end. */
  readonly url: string;
  /** The access token, renewed when it is about to end; null: the door needs none. */
  readonly token: () => Promise<string | null>;
  /** How long a switchboard that does not answer is asked again, ms. */
  readonly patience: number;
}

export interface Api {
  get(path: string): Promise<Json>;
  list(path: string): Promise<readonly Json[]>;
  post(path: string, body: unknown): Promise<Json>;
  /** All pages of a list. */
  all(path: string): AsyncGenerator<Json>;
}

/** An answer other than 2xx. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, body: unknown, path: string) {
    const { detail, code } = (typeof body === 'object' && body !== null ? body : {}) as Json;
    super(`${path} was answered with ${status}: ${typeof detail === 'string' ? detail : JSON.stringify(body)}`);
    this.status = status;
    this.code = String(code ?? '');
  }
}

interface Answer {
  readonly json: unknown;
  readonly next: string | null;
}

const TIMEOUT_MS = 60_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 3000;

export function createApi(options: ApiOptions): Api {
  const ask = (path: string, body?: unknown): Promise<Answer> => askPatiently(options, path, body);

  return {
    get: async (path) => (await ask(path)).json as Json,
    list: async (path) => (await ask(path)).json as readonly Json[],
    post: async (path, body) => (await ask(path, body)).json as Json,
    async *all(path) {
      for (let next: string | null = path; next !== null; ) {
        const page = await ask(next);
        yield* page.json as readonly Json[];
        next = page.next;
      }
    },
  };
}

async function askPatiently(options: ApiOptions, path: string, body: unknown): Promise<Answer> {
  const deadline = Date.now() + options.patience;
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    const answer = await askOnce(options, path, body);
    if (!('again' in answer)) return answer;
    const after = answer.again ?? wait;
    if (Date.now() + after > deadline) throw sentence(answer.why);
    await pause(after);
  }
}

type Attempt = Answer | { readonly again: number | null; readonly why: string };

async function askOnce({ url, token }: ApiOptions, path: string, body: unknown): Promise<Attempt> {
  const bearer = await token();
  let response: Response;
  let text: string;
  try {
    response = await fetch(url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(bearer !== null && { Authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch (error) {
    return { again: null, why: `No switchboard answers at ${url} (${reasonOf(error)}); give its address with --url.` };
  }
  const json = parse(text);
  if (response.ok) return { json, next: nextOf(response) };
  const refusal = new Refusal(response.status, json, path);
  if (![429, 502, 503, 504].includes(response.status)) throw refusal;
  return { again: retryAfter(response), why: `${refusal.message}.` };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function retryAfter(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : null;
}

const nextOf = (response: Response): string | null =>
  /<([^>]+)>;\s*rel="next"/.exec(response.headers.get('link') ?? '')?.[1]?.replace(/^https?:\/\/[^/]+/, '') ?? null;

/** Of fetch's wrapped errors the word that says something: `ECONNREFUSED` rather than `fetch failed`. */
export function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  return cause?.code ?? cause?.message ?? message ?? String(error);
}
