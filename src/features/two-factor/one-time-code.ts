import { createHash, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

const ISSUER = 'Switchboard';
const STEP_SECONDS = 30;
/** Steps that a clock may be off, either way. */
const WINDOW = 1;
const SECRET_BYTES = 20;

export const newSecret = (): string => new Secret({ size: SECRET_BYTES }).base32;

const totpOf = (secret: string, label: string): TOTP =>
  new TOTP({ issuer: ISSUER, label, secret: Secret.fromBase32(secret), period: STEP_SECONDS });

/** What authenticator apps take, mostly as a QR code. */
export const enrolmentUrl = (secret: string, username: string): string => totpOf(secret, username).toString();

/** The step of 30 s to which the code belongs; null when it is none of now (RFC 6238, one step either way). */
export function stepOfCode(secret: string, code: string, now: number): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const delta = totpOf(secret, '').validate({ token: code, timestamp: now, window: WINDOW });
  return delta === null ? null : Math.floor(now / 1000 / STEP_SECONDS) + delta;
}

const CODES = 10;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** 80 random bits in four groups: `k3f7-q2ma-x5tz-w6be`. */
function newRecoveryCode(): string {
  const letters = [...randomBytes(16)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
  return letters.replace(/(.{4})(?!$)/g, '$1-');
}

export const newRecoveryCodes = (): string[] => Array.from({ length: CODES }, newRecoveryCode);

/** No guess finds 80 random bits, so one round is enough. Case, spaces and dashes are the reader's. */
export const hashOfRecoveryCode = (code: string): Buffer =>
  createHash('sha256').update(code.toLowerCase().replace(/[\s-]/g, '')).digest();
