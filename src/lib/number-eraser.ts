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
const BETWEEN = '(?:[ .()+\\-]|\\\\?\\/|%20|%28|%29|%2[DEFdef]){0,3}';
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

/** Signs and escapes as `createNumberEraser` takes them: whoever asks seldom goes on to look closer. */
const LONG_ENOUGH = new RegExp(`[0-9](?:${BETWEEN}[0-9]){${SHORTEST_NATIONAL - 1}}`);

/** Whether `digitsIn` could find anything in the text. */
export const mayHoldNumber = (text: string): boolean => LONG_ENOUGH.test(text);

const MOST_DIGITS = 20;
/** Of E.164, and so of every number that is erased. */
const LONGEST_NUMBER = 15;
/** Of so many a typical webhook has thirty, and whoever sends a quarter of a megabyte of single digits two million. */
const MOST_RUNS = 20_000;

/** Stretches of a text in which numbers may begin. */
const STRETCH = new RegExp(`[0-9](?:${BETWEEN}[0-9]){${SHORTEST_NATIONAL - 1},200}`, 'g');
const BEGINS = new RegExp(`${BEGIN}(?=[0-9])`, 'y');
const NEXT_DIGIT = new RegExp(`${BETWEEN}([0-9])`, 'y');
const UNBROKEN = new RegExp(`${BEGIN}(?=([0-9]{${SHORTEST_NATIONAL},${MOST_DIGITS}})(?![0-9]))`, 'g');

/**
 * The digits of whatever in a text `createNumberEraser` could take for a number, of which only hashes are known:
 * without zeros in front, and once more without `011`. Of a text that is all digits and signs, past all that people
 * write, only those that stand without signs between them: what is asked for each must stay bounded.
 */
export function digitsIn(text: string): Set<string> {
  const found = new Set<string>();
  const add = (digits: string): void => {
    if (digits.length <= LONGEST_NUMBER) found.add(digits);
  };
  const addReadings = (dialled: string): void => {
    add(dialled.replace(/^0+/, ''));
    if (dialled.startsWith('011')) add(dialled.slice(3));
  };
  let count = 0;
  for (const begin of beginningsIn(text)) {
    const runs = runsFrom(text, begin);
    count += runs.length;
    if (count > MOST_RUNS) break;
    runs.forEach(addReadings);
  }
  if (count <= MOST_RUNS) return found;
  found.clear();
  for (const [, digits = ''] of text.matchAll(UNBROKEN)) addReadings(digits);
  return found;
}

/** Places at which a number may begin, with enough digits behind them. */
function* beginningsIn(text: string): Generator<number> {
  for (const { 0: stretch, index } of text.matchAll(STRETCH)) {
    for (let place = index; place < index + stretch.length; place += 1) {
      BEGINS.lastIndex = place;
      if (BEGINS.test(text)) yield place;
    }
  }
}

/** Digits from a place on, with signs between them, up to wherever the digits break off. */
function runsFrom(text: string, begin: number): string[] {
  NEXT_DIGIT.lastIndex = begin;
  const runs: string[] = [];
  for (let digits = ''; digits.length < MOST_DIGITS; ) {
    const digit = NEXT_DIGIT.exec(text)?.[1];
    if (digit === undefined) break;
    digits += digit;
    if (digits.length >= SHORTEST_NATIONAL && !isDigit(text.charCodeAt(NEXT_DIGIT.lastIndex))) runs.push(digits);
  }
  return runs;
}

/** Of a code unit; NaN, behind the end of a text, is none. */
const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57;
