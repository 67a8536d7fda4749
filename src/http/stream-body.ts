import type { Readable } from 'node:stream';
import { Reply } from './route.js';

/** The stream that an answer is, if it is one: its work is done while it is read. */
export function streamOf(outcome: unknown): Readable | null {
  const body = outcome instanceof Reply ? outcome.body : outcome;
  return typeof (body as Partial<Readable> | null)?.pipe === 'function' ? (body as Readable) : null;
}

/** Waits until the stream is done with; whether it came to its end. */
export const closed = (stream: Readable): Promise<boolean> =>
  new Promise((resolve) => void stream.once('close', () => resolve(stream.readableEnded)));
