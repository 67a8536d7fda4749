import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { Busboy } from '@fastify/busboy';
import rawBody from 'raw-body';
import { AppError } from '../lib/errors.js';
import { explainJsonError } from './json-error.js';
import type { BodyKind, UploadedFile } from './route.js';

export interface ParsedBody {
  /** Undefined: no body was sent. */
  readonly value: unknown;
  readonly files: readonly UploadedFile[];
}

const MAX_DEPTH = 32;
const TYPES: Readonly<Record<BodyKind, string>> = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  multipart: 'multipart/form-data',
  csv: 'text/csv',
};

const tooLarge = (limit: number): AppError =>
  new AppError('too_large', 'body_too_large', `The body may have ${limit} bytes at most.`);

/** As many as the seed's framework takes. */
const MOST_FIELDS = 1000;
const MOST_FILES = 5;

const parseError = (explanation: string): AppError =>
  new AppError('invalid', 'parse_error', `JSON parse error - ${explanation}`);

export const malformedBody = (what: string): AppError => new AppError('invalid', 'parse_error', what);

const incomplete = (cause?: unknown): AppError =>
  new AppError('invalid', 'incomplete_body', 'The body did not arrive whole.', { cause });

const tooManyFields = (): AppError =>
  malformedBody(`A form may have ${MOST_FIELDS} fields and ${MOST_FILES} files at most.`);

/** Which of the route's body kinds the request has. @throws 415 */
export function bodyKind(request: IncomingMessage, accepted: readonly BodyKind[]): BodyKind | null {
  if (!hasBody(request)) return null;
  const given = request.headers['content-type'] ?? '';
  const mediaType = given.split(';', 1)[0]?.trim().toLowerCase();
  const kind = accepted.find((candidate) => TYPES[candidate] === mediaType);
  if (kind) return kind;
  throw new AppError('unsupported_type', 'unsupported_media_type', `Unsupported media type "${given}" in request.`);
}

export const isForm = (kind: BodyKind | null): boolean => kind === 'form' || kind === 'multipart';

const hasBody = (request: IncomingMessage): boolean => announcedBytes(request) > 0;

/** How long the body is said to be; infinite when it comes in chunks. */
export const announcedBytes = ({ headers }: IncomingMessage): number =>
  headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Number.POSITIVE_INFINITY;

export interface BodyWish {
  /** Bytes. */
  readonly limit: number;
  /** Of JSON and CSV: values inside others count too. */
  readonly mostValues: number;
  /** Of JSON: in all objects together. */
  readonly mostMembers: number;
  /** Names of the members that are lists: forms repeat them. */
  readonly lists: ReadonlySet<string>;
}

/** Reads and parses the body. @throws 413, 400 */
export async function readBody(request: IncomingMessage, kind: BodyKind | null, wish: BodyWish): Promise<ParsedBody> {
  const { limit, mostValues, lists } = wish;
  if (kind === null) return { value: undefined, files: [] };
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  // Its client left while it waited for its turn: nothing will come, not even an end.
  if (request.destroyed) throw incomplete();
  if (kind === 'multipart') return readMultipart(request, wish);
  const bytes = await readBytes(request, limit);
  if (kind === 'json') return { value: parseJson(bytes, wish), files: [] };
  const text = textOf(bytes);
  if (kind === 'form') return { value: formObject(readPairs(text), lists), files: [] };
  checkCells(text, mostValues);
  return { value: text, files: [] };
}

/** What is in another encoding would be stored spoilt. @throws 400 */
function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw malformedBody('The body is not UTF-8.');
  return bytes.toString('utf8');
}

/** @throws 400 */
function readPairs(text: string): URLSearchParams {
  if (text.split('&', MOST_FIELDS + 1).length > MOST_FIELDS) throw tooManyFields();
  return new URLSearchParams(text);
}

/** The raw bytes of a body, at most `limit`. @throws 413 */
export async function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  try {
    return await rawBody(request, { limit, length: request.headers['content-length'] ?? null });
  } catch (error) {
    const type = (error as { type?: string }).type;
    if (type === 'entity.too.large') throw tooLarge(limit);
    throw incomplete(error);
  }
}

/** Above it, explaining like Python what is wrong would hold up everybody: a megabyte took half a second. */
const MOST_EXPLAINED = 16_384;

const whatIsWrong = (bytes: Buffer): AppError =>
  parseError(bytes.length > MOST_EXPLAINED ? 'the body is no valid JSON' : explainJsonError(bytes));

function parseJson(bytes: Buffer, wish: BodyWish): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw whatIsWrong(bytes);
  const text = bytes.toString('utf8');
  checkShape(text, wish);
  try {
    return JSON.parse(text);
  } catch {
    throw whatIsWrong(bytes);
  }
}

const tooMany = (most: number, what: string): AppError => malformedBody(`The body may have ${most} ${what} at most.`);

/**
 * How deep brackets nest, how many values there are (each comma and each bracket begins one) and how many members.
 * Judged before the parser, which takes a third of a second for a megabyte of brackets and seconds for eight of names
 * that are all different, and before the schema, which takes more than one for a megabyte of wrong members. @throws 400
 */
function checkShape(json: string, { mostValues, mostMembers }: BodyWish): void {
  let depth = 0;
  let values = 1;
  let members = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      values++;
      if (++depth > MAX_DEPTH) throw malformedBody(`The body may be nested ${MAX_DEPTH} levels deep at most.`);
    } else if (code === 0x7d || code === 0x5d) depth--;
    else if (code === 0x2c) values++;
    else if (code === 0x3a) members++;
  }
  if (values > mostValues) throw tooMany(mostValues, 'values');
  if (members > mostMembers) throw tooMany(mostMembers, 'members');
}

/** The same of CSV, where delimiters, the `;` between tags and the ends of lines begin a value. @throws 400 */
function checkCells(csv: string, mostValues: number): void {
  let values = 1;
  for (let i = 0; i < csv.length; i++) {
    const code = csv.charCodeAt(i);
    if (code === 0x2c || code === 0x3b || code === 0x0a || code === 0x0d) values++;
  }
  if (values > mostValues) throw tooMany(mostValues, 'values');
}

/** All values of a list (an empty one is what a form sends for none); of the others the last counts, as in the seed. */
function formObject(pairs: Iterable<readonly [string, string]>, lists: ReadonlySet<string>): Record<string, unknown> {
  const members = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const values = lists.has(name) ? (members.get(name) ?? []) : [];
    if (value !== '' || !lists.has(name)) values.push(value);
    members.set(name, values);
  }
  return Object.fromEntries([...members].map(([name, values]) => [name, lists.has(name) ? values : values[0]]));
}

function readMultipart(request: IncomingMessage, { limit, lists }: BodyWish): Promise<ParsedBody> {
  return new Promise((resolve, reject) => {
    const pairs: [string, string][] = [];
    const files: UploadedFile[] = [];
    let received = 0;
    const fail = (error: unknown): void => {
      request.unpipe();
      request.resume();
      reject(error instanceof AppError ? error : malformedBody('Multipart form parse error.'));
    };
    let parser: InstanceType<typeof Busboy>;
    try {
      parser = new Busboy({
        headers: request.headers as { 'content-type': string },
        limits: { fieldSize: limit, fileSize: limit, files: MOST_FILES, fields: MOST_FIELDS },
      });
    } catch (error) {
      fail(error);
      return;
    }
    parser.on('field', (name, text) => {
      pairs.push([name, text]);
    });
    parser.on('file', (field, stream, filename) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('limit', () => fail(tooLarge(limit)));
      stream.on('end', () => files.push({ field, filename, content: Buffer.concat(chunks) }));
    });
    parser.on('fieldsLimit', () => fail(tooManyFields()));
    parser.on('filesLimit', () => fail(tooManyFields()));
    parser.on('error', fail);
    parser.on('finish', () => resolve({ value: formObject(pairs, lists), files }));
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > limit) fail(tooLarge(limit));
    });
    request.on('aborted', () => fail(malformedBody('The body did not arrive whole.')));
    request.pipe(parser);
  });
}
