import { withoutSeparators } from '../../lib/e164.js';

/** A text that no number matches: as one of more than 15 digits behind `00` does. */
const NOTHING = '$.';
/** The national prefix as letterheads write it behind the country's code: `+44 (0)20`; in some it is dialled. */
const BRACKETED_PREFIX = /\(0\)/g;

/**
 * Regular expressions for a part of a number in any spelling: the digits as they stand anywhere in it; after `00` from
 * its beginning; after one 0, which may be the national prefix, also right behind the country's code.
 */
export const searchPatterns = (text: string): string[] =>
  [...new Set([text.replace(BRACKETED_PREFIX, ''), text])].flatMap(patternsOf);

function patternsOf(text: string): string[] {
  const compact = withoutSeparators(text);
  if (!/^\+?[0-9]{0,17}$/.test(compact)) return [NOTHING];
  const digits = compact.replace('+', '');
  const patterns = [compact.startsWith('+') ? `^\\+${digits}` : digits];
  const behindPrefix = /^(00?)([1-9][0-9]*)$/.exec(compact);
  if (behindPrefix?.[1] === '00') patterns.push(`^\\+${behindPrefix[2]}`);
  if (behindPrefix?.[1] === '0') patterns.push(`^\\+[0-9]{1,3}${behindPrefix[2]}`);
  return patterns;
}
