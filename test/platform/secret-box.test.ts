import { expect } from 'chai';
import { createSecretBox } from '../../src/platform/secret-box.js';

const KEY = 'a key of thirty-two or more characters';
const PLACE = 'carriers.credentials:1';

describe('the secret box', () => {
  it('opens what it sealed, in its place alone', () => {
    const box = createSecretBox(KEY, null);

    const sealed = box.seal('a secret', PLACE);

    expect(sealed).to.not.include('a secret');
    expect(box.seal('a secret', PLACE)).to.not.equal(sealed);
    expect(box.open(sealed, PLACE)).to.equal('a secret');
    expect(() => box.open(sealed, 'carriers.credentials:2')).to.throw();
  });

  it('opens what the previous key sealed, and knows it', () => {
    const sealed = createSecretBox(KEY, null).seal('a secret', PLACE);
    const rotated = createSecretBox('another key of thirty-two characters', KEY);

    expect(rotated.open(sealed, PLACE)).to.equal('a secret');
    expect([rotated.isStale(sealed), rotated.isStale(rotated.seal('a secret', PLACE))]).to.deep.equal([true, false]);
    expect(() => createSecretBox('another key of thirty-two characters', null).open(sealed, PLACE)).to.throw(
      'not at hand',
    );
  });

  it('opens nothing that was changed, nor by a tag that was cut', () => {
    const box = createSecretBox(KEY, null);
    const [version, id, nonce, tag = '', text = ''] = box.seal('a secret', PLACE).split('.');
    const cut = Buffer.from(tag, 'base64url').subarray(0, 4).toString('base64url');
    const changed = Buffer.from(text, 'base64url').fill(0).toString('base64url');

    expect(() => box.open([version, id, nonce, cut, text].join('.'), PLACE)).to.throw();
    expect(() => box.open([version, id, nonce, tag, changed].join('.'), PLACE)).to.throw();
  });
});
