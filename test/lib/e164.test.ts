import { expect } from 'chai';
import { countryOf, isKnownCountry, parsePhoneNumber, readParty, typeOf } from '../../src/lib/e164.js';

const SHAPE = 'Phone number must be 8-15 digits';
const NULL = 'This field may not be null.';
const BLANK = 'This field may not be blank.';
const TEXT = 'Not a valid string.';

/** What is written, the country given with it, and the E.164 number or the refusal. */
type Row = readonly [input: unknown, country: string | undefined, expected: string];

const INTERNATIONAL: readonly Row[] = [
  ['+9779842224441', undefined, '+9779842224441'],
  ['9779842224441', undefined, '+9779842224441'],
  [9779842224441, undefined, '+9779842224441'],
  ['+977 984-2224441', undefined, '+9779842224441'],
  [' +977 984 222 4441\n', undefined, '+9779842224441'],
  ['+1 (415) 555-0100', undefined, '+14155550100'],
  ['1.415.555.0100', undefined, '+14155550100'],
  ['1-415-555-0100', undefined, '+14155550100'],
  ['(1415) 555 0100', undefined, '+14155550100'],
  ['+1 415/555/0100', undefined, '+14155550100'],
  ['+44 20 7946 0018', undefined, '+442079460018'],
  ['(+44) 20 7946 0018', undefined, '+442079460018'],
  ['+44 [20] 7946-0018', undefined, '+442079460018'],
  ['+49 30/901 820', undefined, '+4930901820'],
  ['+33 6 12 34 56 78', undefined, '+33612345678'],
  ['+39 06 698 12345', undefined, '+390669812345'],
  ['+81 3-1234-5678', undefined, '+81312345678'],
  ['+61 2 5550 1234', undefined, '+61255501234'],
  ['+91 98765 43210', undefined, '+919876543210'],
  ['+55 (11) 91234-5678', undefined, '+5511912345678'],
  ['+7 (495) 123-45-67', undefined, '+74951234567'],
  ['+86 138 0013 8000', undefined, '+8613800138000'],
  ['+800 1234 5678', undefined, '+80012345678'],
  ['+999 1234 5678', undefined, '+99912345678'],
  ['+49\u00a030\u00a046165796', undefined, '+493046165796'],
  ['+49\u202f30\u202f46165796', undefined, '+493046165796'],
  ['+49\u201130\u201146165796', undefined, '+493046165796'],
  ['+49\u201330\u201346165796', undefined, '+493046165796'],
  ['+49\u221230\u221246165796', undefined, '+493046165796'],
  [' \u202a+49 30 46165796\u202c ', undefined, '+493046165796'],
  ['+49\u200b30\u00ad46165796', undefined, '+493046165796'],
  ['+49 (0)30 46165796', undefined, '+493046165796'],
  ['49(0)30 46165796', undefined, '+493046165796'],
  ['(+49) (0)30-46165796', undefined, '+493046165796'],
  ['+44\u00a0(0)20 7946 0018', undefined, '+442079460018'],
  ['+44 (0)20 7946 0018', 'FR', '+442079460018'],
  ['+81-(0)3-1234-5678', undefined, '+81312345678'],
  ['+353 (0)1 679 6944', undefined, '+35316796944'],
  ['+34 (0)91 123 45 67', undefined, '+34911234567'],
  ['+7 (0)495 123-45-67', undefined, '+74951234567'],
  ['+49 (0)30 0', undefined, SHAPE],
  ['+39 (0)6 698 12345', undefined, '+390669812345'],
  ['+225 (0)7 12 34 56 78', undefined, '+2250712345678'],
  ['+999 (0)1234 5678', undefined, '+999012345678'],
  ['+49 30 (0)46165796', undefined, '+4930046165796'],
  ['+49 030 46165796', undefined, '+4903046165796'],
  ['(0)30 46165796', undefined, SHAPE],
  ['12345678', undefined, '+12345678'],
  ['123456789012345', undefined, '+123456789012345'],
  [1e10, undefined, '+10000000000'],
  ['1234567', undefined, SHAPE],
  ['1234567890123456', undefined, SHAPE],
  ['+1234567890123456', undefined, SHAPE],
  ['00977984222444', undefined, SHAPE],
  ['+0977984222', undefined, SHAPE],
  ['0612345678', undefined, SHAPE],
  ['asdsd1234242', undefined, SHAPE],
  ['98423O2721', undefined, SHAPE],
  ['+1 415 555 0100 ext 5', undefined, SHAPE],
  ['+1-800-FLOWERS', undefined, SHAPE],
  ['tel:+14155550100', undefined, SHAPE],
  ['++14155550100', undefined, SHAPE],
  ['1+4155550100', undefined, SHAPE],
  ['+', undefined, SHAPE],
  ['-14155550100', undefined, SHAPE],
  ['14155550100-', undefined, SHAPE],
  ['1415*5550100', undefined, SHAPE],
  ['1415,5550100', undefined, SHAPE],
  ['1415_5550100', undefined, SHAPE],
  ['1415\t5550100', undefined, SHAPE],
  ['1415\n5550100', undefined, SHAPE],
  ['14155\u0000550100', undefined, SHAPE],
  ['١٢٣٤٥٦٧٨٩', undefined, SHAPE],
  ['１２３４５６７８９', undefined, SHAPE],
  ['९८४२१०२७२१', undefined, SHAPE],
  ['＋14155550100', undefined, SHAPE],
  ['+49\u00b730\u00b746165796', undefined, SHAPE],
  [`1${' '.repeat(100)}4155550100`, undefined, SHAPE],
  ['('.repeat(60), undefined, SHAPE],
  [98123123.5, undefined, SHAPE],
  [-981231239, undefined, SHAPE],
  [1e21, undefined, SHAPE],
  [Number.NaN, undefined, SHAPE],
  ['', undefined, BLANK],
  ['   ', undefined, BLANK],
  ['\u202a\u00a0\u202c', undefined, BLANK],
  [null, undefined, NULL],
  [undefined, undefined, TEXT],
  [true, undefined, TEXT],
  [[], undefined, TEXT],
  [{}, undefined, TEXT],
  [['9812312398'], undefined, TEXT],
];

const NATIONAL: readonly Row[] = [
  ['9842224441', 'NP', '+9779842224441'],
  ['984-222 4441', 'NP', '+9779842224441'],
  [9842224441, 'NP', '+9779842224441'],
  ['9779842224441', 'NP', '+9779842224441'],
  ['(415) 555-0100', 'US', '+14155550100'],
  ['1 415 555 0100', 'US', '+14155550100'],
  ['604 555 0100', 'US', '+16045550100'],
  ['020 7946 0018', 'GB', '+442079460018'],
  ['(020) 7946.0018', 'GB', '+442079460018'],
  ['07911 123456', 'GB', '+447911123456'],
  ['030/901820', 'DE', '+4930901820'],
  ['(0)30 901820', 'DE', '+4930901820'],
  ['030\u00a0901\u2013820', 'DE', '+4930901820'],
  ['0049 30 901820', 'DE', '+4930901820'],
  ['06 12 34 56 78', 'FR', '+33612345678'],
  ['06 698 12345', 'IT', '+390669812345'],
  ['03-1234-5678', 'JP', '+81312345678'],
  ['(02) 5550 1234', 'AU', '+61255501234'],
  ['098765 43210', 'IN', '+919876543210'],
  ['(11) 91234-5678', 'BR', '+5511912345678'],
  ['8 (495) 123-45-67', 'RU', '+74951234567'],
  ['138 0013 8000', 'CN', '+8613800138000'],
  ['912 345 678', 'ES', '+34912345678'],
  ['+44 20 7946 0018', 'FR', '+442079460018'],
  ['+999 1234 5678', 'FR', '+99912345678'],
  ['555 0100', 'US', SHAPE],
  ['123', 'FR', SHAPE],
  ['06 12 34 56 78 90', 'FR', SHAPE],
  ['0044 20 7946 0018', 'DE', SHAPE],
  ['0612345678', 'XX', SHAPE],
  ['0612345678', '', SHAPE],
  ['4000', 'NU', SHAPE],
  ['०९८४२२२४४४१', 'NP', SHAPE],
  ['1-800-FLOWERS', 'US', SHAPE],
  [null, 'FR', NULL],
];

describe('reading a phone number', () => {
  for (const [input, country, expected] of [...INTERNATIONAL, ...NATIONAL]) {
    const shown = typeof input === 'string' ? JSON.stringify(input.slice(0, 40)) : String(JSON.stringify(input));
    const place = country === undefined ? '' : ` in ${country || 'no country'}`;
    it(`${expected.startsWith('+') ? 'reads' : 'refuses'} ${shown}${place}`, () => {
      const parsed = parsePhoneNumber(input, country);

      expect(parsed.ok ? parsed.e164 : parsed.message).to.equal(expected);
    });
  }

  it('knows country and type where the plans tell them', () => {
    const facts = ['+9779842224441', '+442079460018', '+18005550100', '+80012345678', '+12345678901234', 'x'].map(
      (n) => [...[countryOf(n), typeOf(n)]],
    );

    expect(facts).to.deep.equal([
      ...[
        ['NP', 'mobile'],
        ['GB', 'fixed_line'],
        ['US', 'toll_free'],
        [null, 'toll_free'],
        [null, null],
        [null, null],
      ],
    ]);
  });

  it('knows the countries that have a numbering plan', () => {
    expect(['NP', 'US', 'XX', 'np', ''].map(isKnownCountry)).to.deep.equal([true, true, false, false, false]);
  });
});

describe('reading a call’s party', () => {
  const parties: readonly [text: string, country: string | null, expected: string][] = [
    ['+9779842224441', null, '+9779842224441'],
    ['9779842224441', null, '+9779842224441'],
    ['+1 (415) 555-0100', null, '+14155550100'],
    ['9842224441', 'NP', '+9779842224441'],
    ['9842224441', null, '+9842224441'],
    ['14155550100', 'US', '+14155550100'],
    ['4155550100', 'US', '+14155550100'],
    ['442079460018', 'US', '+442079460018'],
    ['+442079460018', 'US', '+442079460018'],
    ['0612345678', 'FR', '+33612345678'],
    ['0044 20 7946 0018', 'DE', '+442079460018'],
    ['+44\u00a020\u00a07946\u20110018', 'US', '+442079460018'],
    ['\u202a06\u00a012 34 56 78\u202c', 'FR', '+33612345678'],
    ['+44 (0)20 7946 0018', null, '+442079460018'],
    ['44 (0)20 7946 0018', 'US', '+442079460018'],
    ['anonymous\u00a0\u2013 caller', null, 'anonymous\u00a0\u2013 caller'],
    ['0612345678', null, '0612345678'],
    ['0612345678', 'XX', '0612345678'],
    ['12345', null, '12345'],
    ['12345', 'US', '12345'],
    ['anonymous', null, 'anonymous'],
    ['anonymous', 'US', 'anonymous'],
    ['Restricted', null, 'Restricted'],
    ['sip:+9779842224441@example.com', 'NP', 'sip:+9779842224441@example.com'],
    ['client:alice', null, 'client:alice'],
    ['US:4155550100', null, 'US:4155550100'],
    [' alice ', null, ' alice '],
    ['', null, ''],
    ['9'.repeat(70), null, '9'.repeat(70)],
  ];
  for (const [text, country, expected] of parties) {
    it(`reads ${JSON.stringify(text.slice(0, 40))} ${country === null ? '' : `with ${country} `}as ${expected.slice(0, 40)}`, () => {
      expect(readParty(text, country)).to.equal(expected);
      expect(readParty(text, country)).to.equal(expected);
    });
  }
});
