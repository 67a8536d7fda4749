import { expect } from 'chai';
import { readBasic, verifyBasic } from '../../../../src/features/carriers/providers/basic-auth.js';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('Basic authentication', () => {
  it('divides user and password at the first colon', () => {
    expect(readBasic(basic('user:pass:word'))).to.deep.equal({ username: 'user', password: 'pass:word' });
    expect(readBasic(basic('üser:'))).to.deep.equal({ username: 'üser', password: '' });
    expect(readBasic(basic('no colon'))).to.equal(null);
    expect(readBasic('Bearer abc')).to.equal(null);
  });

  it('takes base64 without its padding, and nothing else that a lenient decoder would take', () => {
    expect(readBasic('Basic dTpw')).to.deep.equal({ username: 'u', password: 'p' });
    expect(readBasic('Basic dTpwcA')).to.deep.equal({ username: 'u', password: 'pp' });
    expect(readBasic('Basic dTpwcB==')).to.equal(null);
  });

  it('takes any of the values that are set, and never an empty one', () => {
    const codeOf = (header: string | undefined, users: string[], passwords: string[]) => {
      const verdict = verifyBasic(header, users, passwords);
      return verdict.ok ? 'ok' : verdict.code;
    };

    expect(codeOf(basic('u:new'), ['u'], ['old', 'new'])).to.equal('ok');
    expect(codeOf(basic('u:other'), ['u'], ['old', 'new'])).to.equal('bad_credentials');
    expect(codeOf(basic('v:old'), ['u'], ['old'])).to.equal('bad_credentials');
    expect(codeOf(basic(':'), [''], [''])).to.equal('bad_credentials');
    expect(codeOf(basic('u:old'), [], [])).to.equal('bad_credentials');
    expect(codeOf('Basic !', ['u'], ['old'])).to.equal('malformed_credentials');
    expect(codeOf(undefined, ['u'], ['old'])).to.equal('missing_credentials');
  });
});
