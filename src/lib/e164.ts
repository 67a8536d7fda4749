import {
  type CountryCode,
  getCountryCallingCode,
  isSupportedCountry,
  type PhoneNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';

export const PHONE_NUMBER_MESSAGE = 'Phone number must be 8-15 digits';

export type ParsedPhoneNumber =
  | { readonly ok: true; readonly e164: string; readonly country: string | null; readonly type: string | null }
  | { readonly ok: false; readonly message: string };

/** Digits of a number with what people write between them; an opening bracket or the `+` may come first. */
const SPELLING = /^[([]*\+?[ ([]*[0-9](?:[ .\-()[\]/]*[0-9])*[)\]]*$/;
/** The national prefix as letterheads write it behind the country's code, for those who dial without: `+44 (0)20`. */
const BRACKETED_PREFIX = /^[([]*\+?[ ([]*([1-9][0-9]{0,2})[ .\-)\]/]*\(0\)/;
const INTERNATIONAL = /^[1-9][0-9]{7,14}$/;
/** Fifteen digits in any spelling stay far below it; it also bounds the work on what is no number at all. */
const LONGEST_SPELLING = 64;
const UNTYPED = /[^ -~]/;

/**
 * The text with the spaces and dashes that are typed. Contact lists and text programs write no-break spaces, en dashes
 * and signs that nobody sees; what else is not ASCII stays.
 */
export const plainSpelling = (text: string): string =>
  UNTYPED.test(text)
    ? text
        .replace(/\p{Zs}/gu, ' ')
        .replace(/\p{Dash}/gu, '-')
        .replace(/\p{Cf}/gu, '')
    : text;

/** The text without what people write between the digits of a number. */
export const withoutSeparators = (text: string): string => plainSpelling(text).replace(/[ .\-()[\]/]/g, '');

/**
 * A phone number as people and programs write it. Without `country` it is international, with or without `+`, and
 * metadata never refuses it (new ranges, test numbers); with `country` one without `+` is a national number of that
 * country, and must be possible there.
 */
export function parsePhoneNumber(input: unknown, country?: string): ParsedPhoneNumber {
  if (input === null) return refused('This field may not be null.');
  if (typeof input !== 'string' && typeof input !== 'number') return refused('Not a valid string.');
  // A JSON number is its digits: a fraction's point is no separator.
  if (typeof input === 'number' && !Number.isSafeInteger(input)) return refused(PHONE_NUMBER_MESSAGE);
  const text = plainSpelling(String(input)).trim();
  if (text === '') return refused('This field may not be blank.');
  if (text.length > LONGEST_SPELLING || !SPELLING.test(text)) return refused(PHONE_NUMBER_MESSAGE);
  const isNational = country !== undefined && !text.includes('+');
  const e164 = isNational ? nationalToE164(text, country) : internationalToE164(text);
  return e164 === null ? refused(PHONE_NUMBER_MESSAGE) : { ok: true, e164, ...describeNumber(e164) };
}

const refused = (message: string): ParsedPhoneNumber => ({ ok: false, message });

const internationalToE164 = (text: string): string | null =>
  digitsToE164(text.includes('(0)') ? withoutBracketedPrefix(text) : text);

/** Only behind a country's code, and not where the plan has the 0 dialled: `+39 (0)6` is `+396` nowhere. */
function withoutBracketedPrefix(text: string): string {
  const [, code] = BRACKETED_PREFIX.exec(text) ?? [];
  const written = parsePhoneNumberFromString(`+${digitsOf(text)}`);
  if (!written || written.countryCallingCode !== code) return text;
  return written.isValid() ? written.number : text.replace('(0)', '');
}

const digitsOf = (text: string): string => text.replace(/[^0-9]/g, '');

function digitsToE164(text: string): string | null {
  const digits = digitsOf(text);
  return INTERNATIONAL.test(digits) ? `+${digits}` : null;
}

function nationalToE164(text: string, country: string): string | null {
  if (!isSupportedCountry(country)) return null;
  const parsed = parseNational(text, country);
  if (!parsed?.isPossible() || parsed.countryCallingCode !== getCountryCallingCode(country)) return null;
  return digitsToE164(parsed.number);
}

const parseNational = (text: string, country: CountryCode): PhoneNumber | undefined =>
  parsePhoneNumberFromString(digitsOf(text), { defaultCountry: country, extract: false });

/** Whether the code is an ISO 3166 alpha-2 one (upper case) whose numbering plan is known. */
export const isKnownCountry = (code: string): boolean => isSupportedCountry(code);

interface NumberFacts {
  readonly country: string | null;
  readonly type: string | null;
}

const NO_FACTS: NumberFacts = { country: null, type: null };
const factsOf = remembered((e164): NumberFacts => {
  const parsed = parsePhoneNumberFromString(e164);
  if (!parsed) return NO_FACTS;
  return { country: parsed.country ?? null, type: parsed.getType()?.toLowerCase() ?? null };
});

/** What the numbering plans know of an E.164 number; nothing of one that is none. */
export const describeNumber = (e164: string): NumberFacts =>
  e164.startsWith('+') && e164.length <= 16 ? factsOf(e164) : NO_FACTS;

export const countryOf = (e164: string): string | null => describeNumber(e164).country;

/** `mobile`, `fixed_line`, `fixed_line_or_mobile`, `toll_free`, `voip`, …; null when the plans do not tell. */
export const typeOf = (e164: string): string | null => describeNumber(e164).type;

/**
 * A call's party: E.164 when it is a phone number, else as sent (anonymous, a SIP address, a short code, a name). With
 * the carrier's country one without `+` is a national number there where metadata finds it valid, else international.
 */
export function readParty(text: string, country: string | null): string {
  if (text.length > LONGEST_SPELLING) return text;
  return readPartyOnce(`${country ?? ''}:${text}`);
}

const readPartyOnce = remembered((key) => {
  const split = key.indexOf(':');
  const country = key.slice(0, split);
  const text = key.slice(split + 1);
  const spelled = plainSpelling(text).trim();
  if (!SPELLING.test(spelled)) return text;
  if (isSupportedCountry(country) && !spelled.includes('+')) {
    const parsed = parseNational(spelled, country);
    if (parsed?.isValid()) return digitsToE164(parsed.number) ?? text;
  }
  return internationalToE164(spelled) ?? text;
});

const GENERATION = 10_000;

/** The function with a memory of its last calls: the parties of busy numbers come thousands of times. */
function remembered<T>(find: (key: string) => T): (key: string) => T {
  let young = new Map<string, T>();
  let old = new Map<string, T>();
  return (key) => {
    const recent = young.get(key);
    if (recent !== undefined) return recent;
    const value = old.get(key) ?? find(key);
    if (young.size >= GENERATION) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
    return value;
  };
}
