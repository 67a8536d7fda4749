import { expect } from 'chai';
import { tag } from '../../src/http/text.js';

describe('a tag', () => {
  it('says what is wrong with it, without preferences that Joi would merge anew for each tag of a list', () => {
    const { error } = tag(50).validate('a,b');

    expect(error?.message).to.equal('A tag has no comma and is not called none: filters could not ask for it.');
    expect(tag(50).describe()).not.to.have.property('preferences');
  });
});
