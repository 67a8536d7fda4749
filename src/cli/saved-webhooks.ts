/** Reads webhooks from files: one body a file, or (`.ndjson`, `.jsonl`) one a line. */
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import type { SavedWebhook } from '../features/ingestion/index.js';

export interface ReadOptions {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType?: string;
  /** ms since 1970; null: the file's own time. */
  readonly receivedAt: number | null;
  /** What counts for a file whose own time says nothing. */
  readonly now: number;
}

/** Archives that keep no time give their files one of these; no webhook is that old. */
const NO_TIME_BEFORE = Date.UTC(2000, 0, 2);

const isLines = (file: string): boolean => /\.(ndjson|jsonl)$/i.test(file);

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

const typeOf = (body: Buffer): string => (/^\s*[{[]/.test(body.toString('utf8', 0, 64)) ? JSON_TYPE : FORM_TYPE);

export async function* readSaved(files: readonly string[], options: ReadOptions): AsyncGenerator<SavedWebhook> {
  for (const file of files) {
    const { mtimeMs } = await stat(file);
    const ownTime = mtimeMs < NO_TIME_BEFORE ? options.now : Math.floor(mtimeMs);
    const receivedAt = options.receivedAt ?? ownTime;
    if (isLines(file)) yield* readLines(file, { ...options, receivedAt });
    else yield toSaved(basename(file), { body: await readFile(file) }, { ...options, receivedAt });
  }
}

interface Timed extends ReadOptions {
  readonly receivedAt: number;
}

async function* readLines(file: string, options: Timed): AsyncGenerator<SavedWebhook> {
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    count += 1;
    if (line.trim() === '') continue;
    yield toSaved(`${basename(file)}:${count}`, envelopeOf(line) ?? { body: Buffer.from(line) }, options);
  }
}

interface Envelope {
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly receivedAt?: number;
}

/** A line with `body` (a text) and `headers` or `received_at` beside it is an envelope; any other is the body itself. */
function envelopeOf(line: string): Envelope | null {
  const parsed = parse(line) as Partial<Record<string, unknown>> | null;
  if (typeof parsed !== 'object' || parsed === null || typeof parsed.body !== 'string') return null;
  const { body, body_encoding: encoding, headers, path, received_at: received } = parsed;
  if (typeof headers !== 'object' && typeof received !== 'string') return null;
  const at = typeof received === 'string' ? Date.parse(received) : Number.NaN;
  return {
    body: Buffer.from(body, encoding === 'base64' ? 'base64' : 'utf8'),
    ...(typeof headers === 'object' && headers !== null && { headers: lowerCased(headers) }),
    ...(typeof path === 'string' && { path: path.replace(/^\/webhooks\/[^/?]+/, '') }),
    ...(!Number.isNaN(at) && { receivedAt: at }),
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

const lowerCased = (headers: object): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));

function toSaved(name: string, envelope: Envelope, options: Timed): SavedWebhook {
  const contentType = options.contentType ?? typeOf(envelope.body);
  return {
    name,
    body: envelope.body,
    headers: { 'content-type': contentType, ...options.headers, ...envelope.headers },
    path: envelope.path ?? options.path,
    receivedAt: envelope.receivedAt ?? options.receivedAt,
  };
}
