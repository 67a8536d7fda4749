import { expect } from 'chai';
import { createNumberEraser } from '../../src/lib/number-eraser.js';

const eraser = createNumberEraser('+4915112345678', 'WORD');

describe('the eraser of a number', () => {
  const spellings = [
    '+4915112345678',
    '4915112345678',
    '004915112345678',
    '0114915112345678',
    '+49 151 1234-5678',
    '+49 (151) 12345678',
    '015112345678',
    '0151/12 34 56 78',
    '15112345678',
    '%2B4915112345678',
    '%2b49%20151%2012345678',
    '\\u002b4915112345678',
  ];
  for (const spelling of spellings) {
    it(`finds ${spelling}, whatever stands around it`, () => {
      for (const [before, after] of [
        ['', ''],
        ['From=', '&To=%2B4930123456'],
        ['sip:', '@example.com'],
        ['tel=%22', '%22'],
        ['{"from":"', '"}'],
      ]) {
        expect(eraser.text(`${before}${spelling}${after}`)).to.equal(`${before}WORD${after}`);
      }
    });
  }

  it('leaves longer digits alone', () => {
    for (const text of ['149151123456789', '+491511234567890', 'id-99915112345678', '4915112345679', '1511234567']) {
      expect(eraser.text(text)).to.equal(text);
    }
  });

  it('keeps JSON what it was, a bare number becoming a string', () => {
    const json =
      '{"a": 4915112345678, "b":["+4915112345678", 1.5, -4915112345678], "c":"\\"4915112345678\\"", "d": 1e400}';

    expect(eraser.json(json)).to.equal(
      '{"a": "WORD", "b":["WORD", 1.5, -4915112345678], "c":"\\"WORD\\"", "d": 1e400}',
    );
  });

  it('takes a number whose country is not known in its international spellings alone', () => {
    const unknown = createNumberEraser('+99912345678', 'WORD');

    expect(unknown.text('99912345678 and 0012345678')).to.equal('WORD and 0012345678');
  });

  it('takes a national number of which no more is known', () => {
    const national = createNumberEraser('15112345678', 'WORD');

    expect(national.text('015112345678, 15112345678, +4915112345678')).to.equal('WORD, WORD, +4915112345678');
  });
});
