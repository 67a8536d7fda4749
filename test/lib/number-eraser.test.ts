import { expect } from 'chai';
import { createNumberEraser, digitsIn, mayHoldNumber } from '../../src/lib/number-eraser.js';

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
    '%2B49+151+12345678',
    '\\u002b4915112345678',
    '0151\\/12 34 56 78',
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

describe('what in a text may be a number', () => {
  it('is found in each spelling that the eraser finds, by its digits', () => {
    for (const spelling of ['+49 151 1234-5678', '004915112345678', '0114915112345678', '%2B49%20151%2012345678']) {
      for (const [before, after] of [
        ['', ''],
        ['call-', '-1700000000.17'],
        ['1764478000.3 ', '@host'],
        ['%3A', '%40'],
      ]) {
        const text = `${before}${spelling}${after}`;

        expect(eraser.text(text), text).to.equal(`${before}WORD${after}`);
        expect([...digitsIn(text)], text).to.include('4915112345678');
      }
    }
    expect([...digitsIn('x-0151/12 34 56 78-y')]).to.include('15112345678');
  });

  it('is nothing in a text without so many digits, and no part of longer digits', () => {
    expect(mayHoldNumber('CA9ea2b8f1c7d34e60a5b2c1d0e9f8a7b6')).to.equal(false);
    expect([...digitsIn('12-34-56')]).to.deep.equal([]);
    expect([...digitsIn('a4915112345678')]).to.deep.equal(['4915112345678']);
    expect([...digitsIn('94915112345678')]).to.deep.equal(['94915112345678']);
  });

  it('is bounded in a text of nothing but digits and signs, where what stands without signs is still found', () => {
    const number = '4915112345678';
    const digits = Array.from({ length: 120_000 }, (_, place) => (place * place + (place >> 3)) % 10).join(' ');

    const found = digitsIn(`${digits} x ${number} ${digits} %2B${number.replace('49', '43')}`);

    expect([...found]).to.deep.equal([number, number.replace('49', '43')]);
    expect([...digitsIn(`${digits.slice(0, 500)} x ${number}`)])
      .to.include(number)
      .and.to.have.length.above(100);
  });

  it('is no longer than a number can be', () => {
    expect([...digitsIn('00123456789012345, 1234567890123456')]).to.deep.equal(['123456789012345']);
  });
});
