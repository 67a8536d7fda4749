/**
 * Says why a text is no JSON in the words of Python 3.11's json module, which the seed's clients have seen after
 * `JSON parse error - `. It follows that module's scanner step by step (its C form, in strict mode, with constants
 * such as NaN refused), on a stack of its own: a body may be nested as deep as it likes.
 */
export function explainJsonError(bytes: Buffer): string {
  return explainUtf8(bytes) ?? explainText(bytes.toString('utf8')) ?? sentence('Expecting value', [], 0);
}

type Text = ArrayLike<number>;

/** Where the scanner stands after a piece, or the sentence that ends it. */
type Step = number | string;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const OPEN = { object: 0x7b, array: 0x5b } as const;
const CLOSE = { object: 0x7d, array: 0x5d } as const;
type Container = keyof typeof OPEN;

const codes = (text: string): Uint32Array => Uint32Array.from(text, (char) => char.codePointAt(0) ?? 0);
const ESCAPES = new Set(codes('"\\/bfnrt'));
const UNICODE_ESCAPE = codes('\\u');
const LITERALS = ['null', 'true', 'false'].map(codes);
const CONSTANTS = ['NaN', 'Infinity', '-Infinity'].map((name) => ({ name, text: codes(name) }));

/** Positions count code points; a column counts from the last line feed. */
function sentence(message: string, text: Text, position: number): string {
  let line = 1;
  let lineStart = 0;
  for (let i = 0; i < position; i++) {
    if (text[i] !== 0x0a) continue;
    line++;
    lineStart = i + 1;
  }
  return `${message}: line ${line} column ${position - lineStart + 1} (char ${position})`;
}

/** What Python's decoder says of the first bytes that are no UTF-8; null when all are. */
function explainUtf8(bytes: Buffer): string | null {
  let at = 0;
  while (at < bytes.length) {
    const found = sequenceAt(bytes, at);
    if ('reason' in found) {
      const where =
        found.length === 1
          ? `byte 0x${(bytes[at] ?? 0).toString(16).padStart(2, '0')} in position ${at}`
          : `bytes in position ${at}-${at + found.length - 1}`;
      return `'utf-8' codec can't decode ${where}: ${found.reason}`;
    }
    at += found.length;
  }
  return null;
}

function sequenceAt(bytes: Buffer, at: number): { length: number; reason?: string } {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { length: 1 };
  if (first < 0xc2 || first > 0xf4) return { length: 1, reason: 'invalid start byte' };
  const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (let i = 1; i < size; i++) {
    const next = bytes[at + i];
    if (next === undefined) return { length: i, reason: 'unexpected end of data' };
    const low = i > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const high = i > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (next < low || next > high) return { length: i, reason: 'invalid continuation byte' };
  }
  return { length: size };
}

function explainText(source: string): string | null {
  const text = codes(source);
  if (text[0] === 0xfeff) return sentence('Unexpected UTF-8 BOM (decode using utf-8-sig)', text, 0);
  const containers: Container[] = [];
  let step: Step = beginValue(text, skipSpace(text, 0), containers);
  while (typeof step === 'number') {
    const inside = containers.at(-1);
    if (!inside) return trailing(text, step);
    step = continueContainer(text, skipSpace(text, step), containers);
  }
  return step;
}

function trailing(text: Text, end: number): string | null {
  const at = skipSpace(text, end);
  return at === text.length ? null : sentence('Extra data', text, at);
}

/** Reads a value, or opens containers down to the first value that ends; the position after it. */
function beginValue(text: Text, start: number, containers: Container[]): Step {
  let at = start;
  for (;;) {
    const code = text[at];
    if (code !== OPEN.object && code !== OPEN.array) return scalar(text, at);
    const container = code === OPEN.object ? 'object' : 'array';
    at = skipSpace(text, at + 1);
    if (text[at] === CLOSE[container]) return at + 1;
    containers.push(container);
    if (container === 'array') continue;
    const key = propertyName(text, at);
    if (typeof key === 'string') return key;
    at = key;
  }
}

/** After a member of the innermost container: its end, or a comma and the next member. */
function continueContainer(text: Text, at: number, containers: Container[]): Step {
  const container = containers.at(-1) ?? 'array';
  if (text[at] === CLOSE[container]) {
    containers.pop();
    return at + 1;
  }
  if (text[at] !== COMMA) return sentence("Expecting ',' delimiter", text, at);
  const next = skipSpace(text, at + 1);
  if (container === 'array') return beginValue(text, next, containers);
  const key = propertyName(text, next);
  return typeof key === 'string' ? key : beginValue(text, key, containers);
}

/** The name, its colon and the spaces around it; the position of the value. */
function propertyName(text: Text, at: number): Step {
  if (text[at] !== QUOTE) return sentence('Expecting property name enclosed in double quotes', text, at);
  const end = string(text, at + 1);
  if (typeof end === 'string') return end;
  const colon = skipSpace(text, end);
  if (text[colon] !== COLON) return sentence("Expecting ':' delimiter", text, colon);
  return skipSpace(text, colon + 1);
}

function scalar(text: Text, at: number): Step {
  if (text[at] === QUOTE) return string(text, at + 1);
  const literal = LITERALS.find((word) => startsWith(text, at, word));
  if (literal) return at + literal.length;
  const constant = CONSTANTS.find((word) => startsWith(text, at, word.text));
  if (constant) return `Out of range float values are not JSON compliant: '${constant.name}'`;
  return number(text, at) ?? sentence('Expecting value', text, at);
}

function startsWith(text: Text, at: number, word: Text): boolean {
  for (let i = 0; i < word.length; i++) if (text[at + i] !== word[i]) return false;
  return true;
}

/** The position after the number; null when there is none. A fraction or exponent without digits is not part of it. */
function number(text: Text, start: number): number | null {
  const first = text[start] === MINUS ? start + 1 : start;
  if (!isDigit(text[first])) return null;
  let at = text[first] === 0x30 ? first + 1 : skipDigits(text, first);
  if (text[at] === 0x2e && isDigit(text[at + 1])) at = skipDigits(text, at + 1);
  if (text[at] !== 0x65 && text[at] !== 0x45) return at;
  const sign = text[at + 1] === 0x2b || text[at + 1] === MINUS ? 1 : 0;
  return isDigit(text[at + 1 + sign]) ? skipDigits(text, at + 1 + sign) : at;
}

/** Reads a string whose first character stands at `start`; the position after its closing quote. */
function string(text: Text, start: number): Step {
  let at = start;
  for (;;) {
    const code = text[at];
    if (code === undefined) return sentence('Unterminated string starting at', text, start - 1);
    if (code === QUOTE) return at + 1;
    if (code <= 0x1f) return sentence('Invalid control character at', text, at);
    if (code !== BACKSLASH) at++;
    else {
      const after = escapeSequence(text, at, start);
      if (typeof after === 'string') return after;
      at = after;
    }
  }
}

/** Python wants a character after `\uXXXX`, and looks at once for the other half of a surrogate pair. */
function escapeSequence(text: Text, at: number, start: number): Step {
  const code = text[at + 1];
  if (code === undefined) return sentence('Unterminated string starting at', text, start - 1);
  if (code !== 0x75) return ESCAPES.has(code) ? at + 2 : sentence('Invalid \\escape', text, at);
  const end = at + 6;
  const unit = end >= text.length ? null : hexUnit(text, at + 2);
  if (unit === null) return sentence('Invalid \\uXXXX escape', text, at + 1);
  const isPair = (unit & 0xfc00) === 0xd800 && end + 6 < text.length && startsWith(text, end, UNICODE_ESCAPE);
  if (isPair && hexUnit(text, end + 2) === null) return sentence('Invalid \\uXXXX escape', text, end + 1);
  return end;
}

function hexUnit(text: Text, at: number): number | null {
  let unit = 0;
  for (let i = at; i < at + 4; i++) {
    const code = text[i] ?? 0;
    const lower = code | 0x20;
    if (isDigit(code)) unit = unit * 16 + code - 0x30;
    else if (lower >= 0x61 && lower <= 0x66 && code < 0x80) unit = unit * 16 + lower - 0x57;
    else return null;
  }
  return unit;
}

const isDigit = (code: number | undefined): boolean => code !== undefined && code >= 0x30 && code <= 0x39;

function skipDigits(text: Text, start: number): number {
  let at = start;
  while (isDigit(text[at])) at++;
  return at;
}

function skipSpace(text: Text, start: number): number {
  let at = start;
  for (let code = text[at]; code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d; code = text[at]) at++;
  return at;
}
