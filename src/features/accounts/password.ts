import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { createLimit } from '../../lib/limit.js';

/**
 * Passwords as argon2id hashes (19 MiB, two passes). Each runs on libuv's pool of four threads for tens of
 * milliseconds; the bound leaves threads and a processor for everybody else, also while somebody tries passwords.
 */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** Without a hash (nobody has that name) it works just as long and answers false. */
  verify(hash: string | null, password: string): Promise<boolean>;
}

export function createPasswords(): Passwords {
  const limit = createLimit(Math.max(1, Math.min(3, availableParallelism() - 1)));
  // Made at the first need with the same parameters, so that a password of nobody costs what a wrong one costs.
  let nobody: Promise<string> | undefined;

  async function verifyAgainst(stored: string | null, password: string): Promise<boolean> {
    if (stored !== null) return limit.run(() => verify(stored, password));
    nobody ??= limit.run(() => hash('nobody has this password'));
    const dummy = await nobody;
    await limit.run(() => verify(dummy, password));
    return false;
  }

  return { hash: (password) => limit.run(() => hash(password)), verify: verifyAgainst };
}
