import { expect } from 'chai';
import {
  dispositionOfCause,
  HANGUP_CAUSES,
  reasonOfCauseName,
  reasonOfNumber,
  reasonOfQ850,
  reasonOfSipStatus,
} from '../../../../src/features/carriers/providers/hangup-causes.js';

describe('the hangup causes', () => {
  const numbers: ReadonlyArray<readonly [code: number, disposition: string | null, cause: string]> = [
    [404, 'failed', 'unallocated_number'],
    [408, 'no_answer', 'no_answer'],
    [480, 'no_answer', 'no_answer'],
    [486, 'busy', 'user_busy'],
    [600, 'busy', 'user_busy'],
    [487, 'canceled', 'originator_cancel'],
    [603, 'rejected', 'call_rejected'],
    [608, 'failed', 'forbidden'],
    [488, 'failed', 'network_error'],
    [503, 'failed', 'congestion'],
    [500, 'failed', 'network_error'],
    [418, 'failed', 'unknown'],
    [1, 'failed', 'unallocated_number'],
    [16, null, 'normal_clearing'],
    [17, 'busy', 'user_busy'],
    [19, 'no_answer', 'no_answer'],
    [21, 'rejected', 'call_rejected'],
    [26, 'canceled', 'answered_elsewhere'],
    [34, 'failed', 'congestion'],
    [127, null, 'unknown'],
    [99, 'failed', 'unknown'],
  ];
  for (const [code, disposition, cause] of numbers) {
    it(`reads ${code} as ${disposition ?? 'undecided'}, ${cause}`, () => {
      expect(reasonOfNumber(code)).to.deep.equal({ disposition, cause });
    });
  }

  it('knows no reason in a number that is no error', () => {
    expect([reasonOfSipStatus(200), reasonOfSipStatus(700), reasonOfQ850(0), reasonOfQ850(128)]).to.deep.equal(
      Array(4).fill(null),
    );
  });

  it("reads canonical and FreeSWITCH's names in any spelling", () => {
    for (const cause of HANGUP_CAUSES) expect(reasonOfCauseName(cause)?.cause).to.equal(cause);
    expect(reasonOfCauseName('No User Response')?.cause).to.equal('no_answer');
    expect(reasonOfCauseName('LOSE_RACE')).to.deep.equal({ disposition: 'canceled', cause: 'answered_elsewhere' });
    expect(reasonOfCauseName('constructor')).to.equal(null);
  });

  it('leaves open what an unanswered leg came to when the cause does not tell', () => {
    expect(dispositionOfCause('call_rejected')).to.equal('rejected');
    expect(dispositionOfCause('normal_clearing')).to.equal(null);
    expect(dispositionOfCause('toString')).to.equal(null);
  });
});
