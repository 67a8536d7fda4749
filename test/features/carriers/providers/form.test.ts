import { expect } from 'chai';
import { decodeForm, fieldsOf, readForm } from '../../../../src/features/carriers/providers/form.js';
import { decimalOf, memberOf, numberOf, secondsOf } from '../../../../src/features/carriers/providers/json.js';

describe('the reading of bodies', () => {
  it('decodes both kinds of space and keeps empty values and repeated names', () => {
    expect(decodeForm('A=1+2%203&Zip=&A=%2B4&flag&&%C3%AB=%zz')).to.deep.equal([
      ['A', '1 2 3'],
      ['Zip', ''],
      ['A', '+4'],
      ['flag', ''],
      ['ë', '%zz'],
    ]);
    expect(decodeForm('?a=1')).to.deep.equal([['?a', '1']]);
  });

  it('reads one member: the last value counts, an empty one tells nothing', () => {
    const content = readForm(Buffer.from('A=1&A=2&B=&__proto__=3'));
    if (!content) throw new Error('unreadable');
    const fields = fieldsOf(content);

    expect(fields('A')).to.equal('2');
    expect(fields('B')).to.equal(undefined);
    expect(fields('__proto__')).to.equal('3');
    expect(fields('constructor')).to.equal(undefined);
  });

  it('takes nothing for a form that is none', () => {
    for (const body of ['', 'hello', '{"a":"b=c"}', '<a b="c"/>', '=x']) {
      expect(readForm(Buffer.from(body)), body).to.equal(null);
    }
  });

  it('reads JSON without believing it', () => {
    expect(memberOf({ a: { b: 1 } }, 'a', 'b')).to.equal(1);
    expect(memberOf({ a: [] }, 'a', 'length')).to.equal(undefined);
    expect(memberOf({}, 'constructor')).to.equal(undefined);
    expect([numberOf('42'), numberOf(' 1.5 '), numberOf('1e9'), numberOf(''), numberOf(null)]).to.deep.equal([
      42,
      1.5,
      undefined,
      undefined,
      undefined,
    ]);
    expect([secondsOf('-1'), secondsOf(1e12), secondsOf('7')]).to.deep.equal([undefined, undefined, 7]);
    expect([decimalOf(0.0085), decimalOf(1e-7), decimalOf('1e400'), decimalOf('-0.01'), decimalOf(0)]).to.deep.equal([
      '0.0085',
      '0.000000100000',
      undefined,
      '-0.01',
      '0',
    ]);
  });
});
