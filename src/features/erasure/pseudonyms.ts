/**
 * Pseudonyms of numbers: keyed hashes, each account with a key of its own, so that nobody without it can try numbers,
 * and that the same number has the same pseudonym for ever.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { countryOf } from '../../lib/e164.js';
import { nationalDigits } from '../../lib/number-eraser.js';
import type { SecretBox } from '../../platform/secret-box.js';

/** Where an account's key is sealed for. */
export const keyPlace = (accountId: string): string => `erasure_keys.${accountId}`;

/** Where a number that is being erased is sealed for. */
export const sealingPlace = (accountId: string): string => `erasures.${accountId}`;

/** Where the key of the marks of renamed ids is sealed for. */
export const ID_KEY_PLACE = 'call_id_key';

export const newKey = (): string => randomBytes(32).toString('base64');

export const newSealedKey = (secrets: SecretBox, accountId: string): string =>
  secrets.seal(newKey(), keyPlace(accountId));

export const openKey = (secrets: SecretBox, accountId: string, sealed: string): string =>
  secrets.open(sealed, keyPlace(accountId));

const HASH_LENGTH = 24;

/** As it is kept, in base64, or as bytes: whoever hashes much has them at hand. */
type HashKey = string | Buffer;

export const markOfText = (key: HashKey, text: string): string =>
  createHmac('sha256', typeof key === 'string' ? Buffer.from(key, 'base64') : key)
    .update(text)
    .digest('hex');

const hash = (key: HashKey, text: string): string => markOfText(key, text).slice(0, HASH_LENGTH);

export interface Pseudonym {
  /** `erased-de-3f2a…`: with the number's country, by which reports go on counting it. */
  readonly pseudonym: string;
  /** What a spelling of the number is recognised by, when it comes again: hashes of its digits. */
  readonly marks: readonly string[];
}

export function pseudonymOf(key: string, number: string): Pseudonym {
  const mark = markOf(key, number.slice(1));
  const country = countryOf(number);
  const national = nationalDigits(number);
  return {
    pseudonym: country === null ? `erased-${mark}` : `erased-${country.toLowerCase()}-${mark}`,
    marks: national === null ? [mark] : [mark, markOf(key, national)],
  };
}

/** Of the digits of a spelling; what is dialled before them does not count. */
export const markOf = (key: HashKey, digits: string): string => hash(key, digits.replace(/^0+/, ''));
