import { randomBytes } from 'node:crypto';
import { v7, validate } from 'uuid';

const POOL_BYTES = 4096;
const UUID_BYTES = 16;
let pool = Buffer.alloc(0);
let used = POOL_BYTES;
let lastMs = 0;
let seq = 0;

/** Random bytes are fetched in pages: a call of the system for each id costs more than the id. */
function randomOfOne(): Uint8Array {
  if (used + UUID_BYTES > pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  used += UUID_BYTES;
  return pool.subarray(used - UUID_BYTES, used);
}

/** A new id: UUIDv7, so ids sort by the time they were made; those of one process and millisecond in their order. */
export function newId(): string {
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    seq = randomOfOne()[0] ?? 0;
  } else seq += 1;
  return v7({ msecs: lastMs, seq, random: randomOfOne() });
}

export const isId = (value: unknown): value is string => typeof value === 'string' && validate(value);
