import Joi from 'joi';
import { commaList, idList, orNone, type ReadEntry, readId, readWord, wordList } from '../../http/comma-list.js';
import { time } from '../../http/time.js';
import { parsePhoneNumber, withoutSeparators } from '../../lib/e164.js';
import { PROVIDERS } from '../carriers/index.js';
import { CALL_DIRECTIONS, CALL_DISPOSITIONS, CALL_STATUSES } from './call.js';
import type { NumberPattern } from './call-filters.js';

const readCountry: ReadEntry = (entry) => (/^[A-Za-z]{2}$/.test(entry) ? entry.toUpperCase() : undefined);
const readTag: ReadEntry = (entry) => (entry.length <= 100 ? entry : undefined);

/**
 * `prefix*`, or a number in any spelling, or a party that is none (`anonymous`). A `+` that was not escaped arrives as
 * a space. A prefix of digits means the international number as well as the short code that begins so.
 */
function readNumber(entry: string): NumberPattern | undefined {
  if (entry.length > 100) return undefined;
  if (!entry.endsWith('*')) {
    const parsed = parsePhoneNumber(entry);
    return { kind: 'exact', number: parsed.ok ? parsed.e164 : entry };
  }
  const beginning = entry.slice(0, -1);
  if (beginning.replaceAll(/[*\s]/g, '') === '') return undefined;
  const digits = withoutSeparators(beginning);
  if (/^\+[0-9]*$/.test(digits)) return { kind: 'prefix', prefixes: [digits] };
  if (/^[0-9]+$/.test(digits)) return { kind: 'prefix', prefixes: [`+${digits}`, digits] };
  return { kind: 'prefix', prefixes: [beginning] };
}

const words = (allowed: readonly string[]): Joi.StringSchema =>
  wordList(allowed)
    .description(`Comma list of: ${allowed.join(', ')}.`)
    .example(allowed[0]);
const ids = (read: ReadEntry): Joi.StringSchema => idList(read).description('Comma list of ids.');
const numbers = (): Joi.StringSchema =>
  commaList(orNone(readNumber), 'Not a number and not a prefix with * at its end.');

const seconds = (): Joi.NumberSchema => Joi.number().integer().min(0).max(2_147_483_647);

/** The filters of the list of calls; exports and reports take the same. The values become those of `CallFilters`. */
export const callFilterKeys = () => ({
  direction: words(CALL_DIRECTIONS),
  status: words(CALL_STATUSES),
  disposition: commaList(
    orNone(readWord(CALL_DISPOSITIONS)),
    `Must be a comma list of: ${CALL_DISPOSITIONS.join(', ')}, none.`,
  ).description(`Comma list of: ${CALL_DISPOSITIONS.join(', ')}, none (not ended).`),
  virtual_number_id: ids(orNone(readId)),
  user_id: ids(orNone(readId)).description('Whose number it was when the call began; `none`: nobody’s.'),
  number: numbers().description('Either party, exact or `prefix*`; `none`: one that nobody told.').example('+49*'),
  caller_number: numbers().description('Exact or `prefix*`.'),
  called_number: numbers().description('Exact or `prefix*`.'),
  country: commaList(orNone(readCountry), 'Not a country (ISO 3166 alpha-2).').description('Of the other party.'),
  started_after: time().description('started_after ≤ started_at'),
  started_before: time().description('started_at < started_before'),
  min_duration: seconds().description('Seconds, inclusive.'),
  max_duration: seconds().description('Seconds, inclusive.'),
  tag: commaList(orNone(readTag), 'A tag has at most 100 characters.').description('`none`: calls without tags.'),
  provider: words(PROVIDERS),
  carrier_id: ids(readId),
  parent_call_log_id: ids(orNone(readId)).description('Legs of that call; `none`: calls that no other leg made.'),
});
