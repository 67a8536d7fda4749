import { expect } from 'chai';
import { type Holding, holderAt } from '../../../src/features/numbers/index.js';

const span = (accountId: string, from: number, until: number | null): Holding => ({
  ...{ accountId, from, until },
  ...{ userId: null, virtualNumberId: `${accountId}${from}` },
});

describe('the holder of a call', () => {
  const holdings = [
    span('a', 100, 200),
    span('a', 200, 300),
    span('b', 400, 400),
    span('b', 400, 500),
    span('a', 500, null),
  ];
  const shared: [string, number, string | null][] = [
    ['before anybody held it', 99, null],
    ['at the first moment', 100, 'a100'],
    ['at the last millisecond', 199, 'a100'],
    ['at the moment of a change', 200, 'a200'],
    ['in a gap', 300, null],
    ['in a gap’s end', 399, null],
    ['under the next account', 400, 'b400'],
    ['under the present holder', 10_000, 'a500'],
  ];
  for (const [when, at, expected] of shared) {
    it(`on a shared carrier ${when} is ${expected ?? 'nobody'}`, () => {
      expect(holderAt(holdings, at, null)?.virtualNumberId ?? null).to.equal(expected);
    });
  }

  const own: [string, string, number, string | null][] = [
    ['the first holder before the first holding', 'a', 1, 'a100'],
    ['the account’s first holder before its first holding, others or not', 'b', 150, 'b400'],
    ['nobody while another account held it', 'a', 450, null],
    ['nobody after the account’s last holding', 'b', 500, null],
    ['nobody for an account that never held it', 'c', 150, null],
    ['the holder of the moment', 'a', 250, 'a200'],
  ];
  for (const [what, account, at, expected] of own) {
    it(`on an account’s own carrier is ${what}`, () => {
      expect(holderAt(holdings, at, account)?.virtualNumberId ?? null).to.equal(expected);
    });
  }

  it('is nobody for a number that nobody ever held', () => {
    expect([holderAt([], 1, null), holderAt([], 1, 'a')]).to.deep.equal([null, null]);
  });
});
