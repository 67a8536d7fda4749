import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Verdict } from '../provider.js';

export const VERIFIED: Verdict = { ok: true };

export function refuse(code: string, detail: string): Verdict {
  return { ok: false, code, detail };
}

const digest = (value: string | Buffer): Buffer => createHash('sha256').update(value).digest();

/** Compares the digests, so that neither content nor length shows in the time it takes. */
export function equalsInConstantTime(a: string | Buffer, b: string | Buffer): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

/** HMAC over the parts one after another; text counts as UTF-8. */
export function hmac(
  algorithm: 'sha1' | 'sha256',
  key: string | Buffer,
  parts: ReadonlyArray<string | Buffer>,
  encoding: 'base64' | 'hex',
): string {
  const mac = createHmac(algorithm, key);
  for (const part of parts) mac.update(part);
  return mac.digest(encoding);
}

/**
 * Whether one of the given signatures is one of those that the secrets make. An empty secret never verifies; all are
 * tried, so that the time does not tell which one matched.
 */
export function anySignatureMatches(
  given: readonly string[],
  secrets: readonly string[] | undefined,
  sign: (secret: string) => readonly string[],
): boolean {
  let matches = false;
  for (const secret of secrets ?? []) {
    if (secret === '') continue;
    for (const expected of sign(secret)) {
      for (const signature of given) matches = equalsInConstantTime(signature, expected) || matches;
    }
  }
  return matches;
}

const TOLERANCE_SECONDS = 300;

/** Whole seconds since 1970 in plain digits; null for anything else (`parseInt` would read `1772463845junk`). */
export function readSeconds(text: string): number | null {
  return /^\d{1,12}$/.test(text) ? Number(text) : null;
}

/** Refuses what is older, or further ahead, than the tolerance; null when the time is right. */
export function refuseStale(seconds: number, now: number): Verdict | null {
  const age = Math.floor(now / 1000) - seconds;
  if (Math.abs(age) <= TOLERANCE_SECONDS) return null;
  const way = age > 0 ? `${age} s old` : `${-age} s ahead`;
  return refuse(
    'stale_timestamp',
    `The signed time is ${way}; ${TOLERANCE_SECONDS} s either way are allowed. Check the clock of the sender.`,
  );
}

/** `refuseStale` for a time that comes as text. */
export function refuseStaleText(text: string, now: number): Verdict | null {
  const seconds = readSeconds(text);
  if (seconds === null) return refuse('malformed_timestamp', 'The signed time is not a whole number of seconds.');
  return refuseStale(seconds, now);
}
