import { createHash, randomBytes } from 'node:crypto';
import type { Scope } from '../../http/actor.js';
import { API_KEY_PREFIX } from '../../http/authenticate.js';

export interface ApiKey {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  /** The first characters, by which people tell their keys apart. */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  readonly createdByUserId: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
}

const SHOWN = API_KEY_PREFIX.length + 6;

/** 256 random bits: no guess finds it, so one round of SHA-256 is enough for what is stored. */
export const newKey = (): string => API_KEY_PREFIX + randomBytes(32).toString('base64url');

export const hashOfKey = (key: string): Buffer => createHash('sha256').update(key).digest();

export const prefixOfKey = (key: string): string => key.slice(0, SHOWN);
