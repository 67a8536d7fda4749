import Joi from 'joi';
import { tag } from '../../http/text.js';
import { isKnownCountry, parsePhoneNumber } from '../../lib/e164.js';

/** The number of a body or row as it was sent: in the light of the country beside it. */
export const readNumberOf = (sent: { readonly phone_number?: unknown; readonly country?: unknown }) =>
  parsePhoneNumber(sent.phone_number, typeof sent.country === 'string' ? sent.country.trim().toUpperCase() : undefined);

const readPhoneNumber: Joi.CustomValidator = (value, helpers) => {
  const parsed = readNumberOf({ phone_number: value, country: helpers.state.ancestors[0]?.country });
  return parsed.ok ? parsed.e164 : helpers.message({ custom: parsed.message });
};

/** With a sibling `country`, one without `+` is a national number of it. */
export const phoneNumber = Joi.any()
  .custom(readPhoneNumber)
  .meta({ schema: { type: ['string', 'integer'], minLength: 8 } })
  .description(
    'A phone number. Without `country` it is international, with or without `+`: 8 to 15 digits, the first not 0; ' +
      'spaces, dots, dashes, brackets and slashes between them are dropped, and so is a `(0)` behind the country’s ' +
      'code where it is not dialled. With `country` one without `+` is a national number of that country. Answered ' +
      'as E.164.',
  )
  .example('+1 (415) 555-0100');

export const country = Joi.string()
  .trim()
  .uppercase()
  .custom((value: string, helpers) => (isKnownCountry(value) ? value : helpers.error('country.unknown')))
  .messages({ 'country.unknown': 'Not a known country (ISO 3166 alpha-2).' })
  .allow(null)
  .description('ISO 3166 alpha-2 code by which a national number is read. The answered `country` is the number’s own.')
  .example('US');

const TRUTHS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, 1, ...spellings('t', 'y', 'yes', 'true', 'on', '1')].map((word) => [word, true] as const),
  ...[false, 0, ...spellings('f', 'n', 'no', 'false', 'off', '0')].map((word) => [word, false] as const),
]);

function spellings(...words: string[]): string[] {
  return words.flatMap((word) => [word, word.toUpperCase(), word.slice(0, 1).toUpperCase() + word.slice(1)]);
}

/** A truth in one of the seed's spellings; undefined: it is none. */
export const readTruth = (value: unknown): boolean | undefined => TRUTHS.get(value);

export const truth = Joi.any()
  .custom((value, helpers) => readTruth(value) ?? helpers.error('boolean.base'))
  .meta({ schema: { type: 'boolean' } });

// PostgreSQL has no U+0000 in texts, and half a surrogate pair is no character.
const plainText: Joi.CustomValidator = (value: string, helpers) => {
  if (value.includes('\0')) return helpers.message({ custom: 'Null characters are not allowed.' });
  return /\p{Surrogate}/u.test(value) ? helpers.error('string.base') : value;
};

export const label = Joi.string()
  .trim()
  .max(200)
  .custom(plainText)
  .allow(null, '')
  .description('What people call the number.')
  .example('Front desk');

export const tags = Joi.array()
  .items(tag(50))
  .max(50)
  .custom((value: string[]) => [...new Set(value)])
  .description('Free words to find numbers by; at most 50. None has a comma or is called `none`.')
  .example(['sales']);

const id = Joi.string()
  .guid({ separator: '-', wrapper: false })
  .lowercase()
  .example('019a8f3e-5d2c-7b1a-9c4d-2f6e8a7b1c3d');

export const numberId = id.description('Id of a number of the account.');
export const userId = id.allow(null).description('Whom the number is assigned to: a user of the account.');
export const carrierId = id
  .allow(null)
  .description('The line the number is on: a carrier of the account or a shared one.');
