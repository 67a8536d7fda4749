import { expect } from 'chai';
import { compareHeard } from '../../src/simulator/heard.js';

const RIGHT = { lost: 0, doubled: 0, disordered: 0, unknown: 0 };

describe('what was heard live', () => {
  it('is right when each stored event came once and in order', () => {
    expect(compareHeard([2, 5, 9], [2, 5, 9])).to.deep.equal(RIGHT);
    expect(compareHeard([], [])).to.deep.equal(RIGHT);
  });

  it('is not judged beyond the last stored event', () => {
    expect(compareHeard([2, 5, 9, 11, 11], [2, 5, 9])).to.deep.equal(RIGHT);
  });

  it('lacks what never came', () => {
    expect(compareHeard([2, 9], [2, 5, 9])).to.deep.equal({ ...RIGHT, lost: 1 });
    expect(compareHeard([], [2, 5, 9])).to.deep.equal({ ...RIGHT, lost: 3 });
  });

  it('has twice what came twice, and out of order what came after a later one', () => {
    expect(compareHeard([2, 5, 5, 9], [2, 5, 9])).to.deep.equal({ ...RIGHT, doubled: 1 });
    expect(compareHeard([5, 2, 9], [2, 5, 9])).to.deep.equal({ ...RIGHT, disordered: 1 });
  });

  it('shows what nobody stored', () => {
    expect(compareHeard([2, 3, 9], [2, 9])).to.deep.equal({ ...RIGHT, unknown: 1 });
  });
});
