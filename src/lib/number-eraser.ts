/**
 * Puts a word in the place of a phone number wherever a text spells it: E.164 with or without `+`, `00` or `011`,
 * the national number with or without its `0`, with the signs that people put between digits, and all of it as forms
 * and JSON escape it. Digits that go on before or behind are another number.
 */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

export interface NumberEraser {
  text(text: string): string;
  /** The same for the text of a JSON document, which stays one: a bare number becomes a string. */
  json(text: string): string;
  /** Digits that every spelling ends with, once the signs between them are dropped. */
  readonly ending: string;
}

/** Shorter ones are found in all kinds of digits. */
const SHORTEST_NATIONAL = 7;
const BETWEEN = '(?:[ .()\\/\\-]|%20|%28|%29|%2[DEFdef]){0,3}';
/** Not behind a digit, unless that belongs to an escape. */
const BEGIN = '(?:(?<![0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\\\u[0-9A-Fa-f]{4}))';
const PLUS = '(?:\\+|%2[Bb]|\\\\u002[Bb])';

/** The national number of an E.164 one, without the `0` before it; null: too short, or not known. */
export function nationalDigits(number: string): string | null {
  const national = parsePhoneNumberFromString(number)?.nationalNumber ?? null;
  return national !== null && national.length >= SHORTEST_NATIONAL ? national : null;
}

/** `number`: E.164, or the digits of a national number of which no more is known. */
export function createNumberEraser(number: string, word: string): NumberEraser {
  const digits = number.replace(/^\+/, '');
  const isInternational = number.startsWith('+');
  const national = isInternational ? nationalDigits(number) : digits;
  const spelled = (text: string): string => [...text].join(BETWEEN);
  const forms = [
    ...(isInternational ? [`(?:(?:${PLUS}|00|011)${BETWEEN})?${spelled(digits)}`] : []),
    ...(national === null ? [] : [`(?:0${BETWEEN})?${spelled(national)}`]),
  ];
  const pattern = new RegExp(`${BEGIN}(?:${forms.join('|')})(?![0-9])`, 'g');
  const whole = new RegExp(`^(?:${forms.join('|')})$`);
  const text = (given: string): string => given.replace(pattern, word);
  return {
    text,
    json: (given) =>
      given.replace(JSON_SCALAR, (scalar) => {
        if (scalar.startsWith('"')) return text(scalar);
        return whole.test(scalar) ? JSON.stringify(word) : scalar;
      }),
    ending: national ?? digits,
  };
}

const JSON_SCALAR = /"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*/g;

/** A number that a text may mean. */
export interface NumberReading {
  readonly written: string;
  /** Without what is dialled before them. */
  readonly digits: string;
  /** As `createNumberEraser` takes it. */
  readonly number: string;
}

/** Numbers that a party's text may be, or hold (`sip:+4930…@host`), in each way in which they may be read. */
export const numbersIn = (party: string): NumberReading[] =>
  [...party.matchAll(NUMBER_LIKE)].flatMap(([written]) => readingsOf(written));

function readingsOf(written: string): NumberReading[] {
  const dialled = written.replaceAll(/[^0-9]/g, '');
  const digits = dialled.replace(/^0+/, '');
  const isInternational = written.startsWith('+') || dialled.startsWith('00');
  const plain = { written, digits, number: isInternational ? `+${digits}` : digits };
  if (isInternational || !dialled.startsWith('011')) return [plain];
  return [plain, { written, digits: dialled.slice(3), number: `+${dialled.slice(3)}` }];
}

const NUMBER_LIKE = /\+?[0-9](?:[ .()/-]{0,3}[0-9]){6,19}/g;
