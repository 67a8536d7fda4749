import type Joi from 'joi';
import { isId } from '../lib/ids.js';
import { text } from './text.js';

const MOST_ALTERNATIVES = 100;

/** Reads one entry of a comma list, which is never empty; undefined: malformed. */
export type ReadEntry = (entry: string) => unknown;

export const readId: ReadEntry = (entry) => (isId(entry) ? entry.toLowerCase() : undefined);

export const readWord =
  (words: readonly string[]): ReadEntry =>
  (entry) =>
    words.includes(entry) ? entry : undefined;

/** `none` means null. */
export const orNone =
  (read: ReadEntry): ReadEntry =>
  (entry) =>
    entry === 'none' ? null : read(entry);

/** A filter's alternatives; the value is the list of what they were read as. `sentence`: of a malformed one. */
export const commaList = (read: ReadEntry, sentence: string): Joi.StringSchema =>
  text()
    .max(10_000)
    .custom((value: string, helpers) => {
      const entries = [...new Set(value.split(',').map((entry) => entry.trim()))];
      if (entries.length > MOST_ALTERNATIVES) return helpers.error('filter.long');
      const values = entries.map((entry) => (entry === '' ? undefined : read(entry)));
      return values.includes(undefined) ? helpers.error('filter.malformed') : values;
    })
    .messages({
      'filter.malformed': sentence,
      'filter.long': `At most ${MOST_ALTERNATIVES} alternatives can be asked for.`,
    });

/** Alternatives out of these words. */
export const wordList = (allowed: readonly string[]): Joi.StringSchema =>
  commaList(readWord(allowed), `Must be a comma list of: ${allowed.join(', ')}.`);

export const idList = (read: ReadEntry = readId): Joi.StringSchema => commaList(read, 'Not a valid id.');
