import { expect } from 'chai';
import { explainJsonError } from '../../src/http/json-error.js';

/** What Python 3.11 says of each text; the texts are written byte by byte (Latin-1). */
const SAID: readonly (readonly [string, string])[] = [
  ['', 'Expecting value: line 1 column 1 (char 0)'],
  ['  ', 'Expecting value: line 1 column 3 (char 2)'],
  ['{"username":', 'Expecting value: line 1 column 13 (char 12)'],
  ['username=demo', 'Expecting value: line 1 column 1 (char 0)'],
  ['{"username":"demo",}', 'Expecting property name enclosed in double quotes: line 1 column 20 (char 19)'],
  ['{"username":NaN,"password":"x"}', "Out of range float values are not JSON compliant: 'NaN'"],
  ['[Infinity]', "Out of range float values are not JSON compliant: 'Infinity'"],
  ['-Infinity', "Out of range float values are not JSON compliant: '-Infinity'"],
  ['[-Infinit]', 'Expecting value: line 1 column 2 (char 1)'],
  ['{', 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
  ['{"a"', "Expecting ':' delimiter: line 1 column 5 (char 4)"],
  ['{"a" 1}', "Expecting ':' delimiter: line 1 column 6 (char 5)"],
  ['{"a":1', "Expecting ',' delimiter: line 1 column 7 (char 6)"],
  ['{"a":1 "b":2}', "Expecting ',' delimiter: line 1 column 8 (char 7)"],
  ['{a:1}', 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
  ["{'a':1}", 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
  ['[1,]', 'Expecting value: line 1 column 4 (char 3)'],
  ['[1 2]', "Expecting ',' delimiter: line 1 column 4 (char 3)"],
  ['[', 'Expecting value: line 1 column 2 (char 1)'],
  ['[1', "Expecting ',' delimiter: line 1 column 3 (char 2)"],
  ['{}}', 'Extra data: line 1 column 3 (char 2)'],
  ['{} x', 'Extra data: line 1 column 4 (char 3)'],
  ['nul', 'Expecting value: line 1 column 1 (char 0)'],
  ['truefalse', 'Extra data: line 1 column 5 (char 4)'],
  ['01', 'Extra data: line 1 column 2 (char 1)'],
  ['1.', 'Extra data: line 1 column 2 (char 1)'],
  ['-', 'Expecting value: line 1 column 1 (char 0)'],
  ['+1', 'Expecting value: line 1 column 1 (char 0)'],
  ['.5', 'Expecting value: line 1 column 1 (char 0)'],
  ['1e', 'Extra data: line 1 column 2 (char 1)'],
  ['1e+x', 'Extra data: line 1 column 2 (char 1)'],
  ['"abc', 'Unterminated string starting at: line 1 column 1 (char 0)'],
  ['"a\\', 'Unterminated string starting at: line 1 column 1 (char 0)'],
  ['"a\tb"', 'Invalid control character at: line 1 column 3 (char 2)'],
  ['"a\nb"', 'Invalid control character at: line 1 column 3 (char 2)'],
  ['"\\x41"', 'Invalid \\escape: line 1 column 2 (char 1)'],
  ['"\\u12"', 'Invalid \\uXXXX escape: line 1 column 3 (char 2)'],
  ['"\\u12g4" ', 'Invalid \\uXXXX escape: line 1 column 3 (char 2)'],
  ['"\\u0041', 'Invalid \\uXXXX escape: line 1 column 3 (char 2)'],
  ['"\\ud83d\\u00zz" ', 'Invalid \\uXXXX escape: line 1 column 9 (char 8)'],
  ['"\\ud83d', 'Invalid \\uXXXX escape: line 1 column 3 (char 2)'],
  ['{\n  "a": 1,\n  b\n}', 'Expecting property name enclosed in double quotes: line 3 column 3 (char 14)'],
  ['[1,\r\n2,,]', 'Expecting value: line 2 column 3 (char 7)'],
  ['{"n\u00c3\u00a9\u00f0\u009f\u0098\u0080": tru}', 'Expecting value: line 1 column 9 (char 8)'],
  [
    '["\u00f0\u009f\u0098\u0080\u00f0\u009f\u0098\u0080",\n"\u00c3\u00a9" x]',
    "Expecting ',' delimiter: line 2 column 5 (char 11)",
  ],
  ['\u00ef\u00bb\u00bf{}', 'Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)'],
  ['{"username":"\u00ff"}', "'utf-8' codec can't decode byte 0xff in position 13: invalid start byte"],
  ['"\u0080"', "'utf-8' codec can't decode byte 0x80 in position 1: invalid start byte"],
  ['"\u00c3"', "'utf-8' codec can't decode byte 0xc3 in position 1: invalid continuation byte"],
  ['"\u00e2\u0082"', "'utf-8' codec can't decode bytes in position 1-2: invalid continuation byte"],
  ['"\u00ed\u00a0\u0080"', "'utf-8' codec can't decode byte 0xed in position 1: invalid continuation byte"],
  ['"\u00f0\u009f\u0098"', "'utf-8' codec can't decode bytes in position 1-3: invalid continuation byte"],
  ['"\u00f5"', "'utf-8' codec can't decode byte 0xf5 in position 1: invalid start byte"],
  ['"\u00c0\u00af"', "'utf-8' codec can't decode byte 0xc0 in position 1: invalid start byte"],
  ['"\u00c3', "'utf-8' codec can't decode byte 0xc3 in position 1: unexpected end of data"],
  ['"\u00f0\u009f', "'utf-8' codec can't decode bytes in position 1-2: unexpected end of data"],
  ['[1,\u00ff', "'utf-8' codec can't decode byte 0xff in position 3: invalid start byte"],
];

describe('explainJsonError', () => {
  for (const [text, sentence] of SAID) {
    it(`says of ${JSON.stringify(text)} what Python says`, () => {
      expect(explainJsonError(Buffer.from(text, 'latin1'))).to.equal(sentence);
    });
  }

  it('follows a text however deep it nests', () => {
    const depth = 500_000;

    const explanation = explainJsonError(Buffer.from('[{"a":'.repeat(depth)));

    expect(explanation).to.equal(`Expecting value: line 1 column ${depth * 6 + 1} (char ${depth * 6})`);
  });
});
