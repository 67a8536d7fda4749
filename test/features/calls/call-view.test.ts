import { expect } from 'chai';
import fc from 'fast-check';
import { foldReports, type Report } from '../../../src/features/calls/call-facts.js';
import { type CallView, viewCall } from '../../../src/features/calls/call-view.js';
import { anyReports, BASE, report } from './call-reports.js';

const viewOf = (...reports: Report[]): CallView => {
  const view = viewCall(foldReports(reports));
  if (!view) throw new Error('no state is stated');
  return view;
};
const verdict = (members: Partial<NonNullable<Report['verdict']>>): Report['verdict'] => ({
  disposition: null,
  hangupCause: null,
  providerCause: null,
  hangupSource: null,
  ...members,
});

describe('the view of a call', () => {
  it('is nothing while no state is stated', () => {
    const facts = foldReports([report({ price: { amount: '0.01', currency: 'USD' } })]);

    expect(viewCall(facts)).to.equal(null);
  });

  it('takes the earliest told time of a state, and the latest told end', () => {
    const view = viewOf(
      report({ state: 'ringing', at: 2000 }),
      report({ state: 'ringing', at: 1000 }),
      report({ state: 'ended', at: 9000 }),
      report({ state: 'ended', at: 8000 }),
    );

    expect(view.ringingAt).to.equal(BASE + 1000);
    expect(view.endedAt).to.equal(BASE + 9000);
  });

  it('prefers any told time to an arrival', () => {
    const view = viewOf(
      report({ state: 'ringing', receivedAt: BASE }),
      report({ state: 'ringing', at: 5000, receivedAt: BASE + 60_000 }),
    );

    expect(view.ringingAt).to.equal(BASE + 5000);
  });

  it('cuts an arrival to the earliest time of the states after it', () => {
    const view = viewOf(
      report({ state: 'ringing', receivedAt: BASE + 600_000 }),
      report({ state: 'answered', at: 3000 }),
      report({ state: 'ended', at: 9000 }),
    );

    expect(view.ringingAt).to.equal(BASE + 3000);
  });

  it('implies the answer from the end less its talk, and completes the call', () => {
    const view = viewOf(
      report({ state: 'ended', at: 50_000, talkSeconds: 42, verdict: verdict({ disposition: 'failed' }) }),
    );

    expect(view).to.include({
      answeredAt: BASE + 8000,
      duration: 42,
      disposition: 'completed',
      startedAt: BASE + 8000,
    });
  });

  it('cuts what is implied from an arrival like the arrival itself', () => {
    const view = viewOf(report({ state: 'ended', receivedAt: BASE + 50_000, talkSeconds: 10 }));

    expect(view).to.include({ answeredAt: BASE + 40_000, endedAt: BASE + 50_000 });
  });

  it('implies nothing from another report than the end report', () => {
    const view = viewOf(
      report({ state: 'ended', at: 50_000, verdict: verdict({ disposition: 'completed', hangupCause: 'user_busy' }) }),
      report({ state: 'ended', at: 40_000, talkSeconds: 10 }),
    );

    expect(view).to.include({ answeredAt: null, duration: 0, disposition: 'busy' });
  });

  it('takes the answer that an end tells before what its talk implies, also where no whole second was talked', () => {
    const at = (answeredAt: number, talkSeconds: number): CallView =>
      viewOf(report({ state: 'ended', at: 50_000, answeredAt: BASE + answeredAt, talkSeconds }));

    expect(at(8900, 41)).to.include({ answeredAt: BASE + 8900, duration: 41, disposition: 'completed' });
    expect(at(49_600, 0)).to.include({ answeredAt: BASE + 49_600, duration: 0, disposition: 'completed' });
  });

  it('takes the time that is told of the answer itself before that of an end', () => {
    const ended = report({ state: 'ended', at: 50_000, answeredAt: BASE + 8000 });

    expect(viewOf(ended, report({ state: 'answered', at: 8800 })).answeredAt).to.equal(BASE + 8800);
    expect(viewOf(ended, report({ state: 'answered', receivedAt: BASE + 4000 })).answeredAt).to.equal(BASE + 8000);
  });

  it('takes the earliest answer that any end tells', () => {
    const view = viewOf(
      report({ state: 'ended', at: 40_000, answeredAt: BASE + 9000 }),
      report({ state: 'ended', at: 45_000, answeredAt: BASE + 9500 }),
      report({ state: 'ended', at: 50_000 }),
    );

    expect(view).to.include({ answeredAt: BASE + 9000, endedAt: BASE + 50_000, duration: 41 });
  });

  it('starts at the end less its total seconds when that is earliest', () => {
    const view = viewOf(report({ state: 'ended', at: 50_000, talkSeconds: 5, totalSeconds: 20 }));

    expect(view.startedAt).to.equal(BASE + 30_000);
  });

  it('never changes told times that cross; durations stop at 0', () => {
    const view = viewOf(report({ state: 'answered', at: 9000 }), report({ state: 'ended', at: 4000 }));

    expect(view).to.include({ answeredAt: BASE + 9000, endedAt: BASE + 4000, duration: 0 });
  });

  it('rounds durations half up', () => {
    const view = viewOf(
      report({ state: 'ringing', at: 0 }),
      report({ state: 'answered', at: 2500 }),
      report({ state: 'ended', at: 4999 }),
    );

    expect(view).to.include({ ringDuration: 3, duration: 2 });
  });

  it('never completes an unanswered call: its cause decides, else no_answer', () => {
    const told = (hangupCause: string | null): CallView =>
      viewOf(report({ state: 'ended', at: 1000, verdict: verdict({ disposition: 'completed', hangupCause }) }));

    expect(told('user_busy').disposition).to.equal('busy');
    expect(told('call_rejected').disposition).to.equal('rejected');
    expect(told('normal_clearing').disposition).to.equal('no_answer');
    expect(told(null).disposition).to.equal('no_answer');
    expect(told('user_busy').hangupCause).to.equal('user_busy');
  });

  it('reads an end without a fault and without a word of what it came to by the direction, told in any report', () => {
    const ended = report({ state: 'ended', at: 9000, verdict: verdict({ hangupCause: 'normal_clearing' }) });
    const began = (direction: Report['direction']) => report({ state: 'initiated', at: 0, direction });

    expect(viewOf(ended, began('incoming')).disposition).to.equal('canceled');
    expect(viewOf(began('incoming'), ended).disposition).to.equal('canceled');
    expect(viewOf(ended, began('outgoing')).disposition).to.equal('failed');
    expect(viewOf(ended).disposition).to.equal('failed');
    expect(viewOf(ended, began('incoming'), report({ state: 'answered', at: 5000 })).disposition).to.equal('completed');
  });

  it('keeps disposition, causes and source of one report together', () => {
    const view = viewOf(
      report({
        state: 'ended',
        at: 1000,
        verdict: verdict({ disposition: 'busy', hangupCause: 'user_busy', providerCause: '486' }),
      }),
      report({ state: 'ended', at: 2000, verdict: verdict({ disposition: 'rejected' }) }),
    );

    expect(view).to.include({ disposition: 'rejected', hangupCause: null, providerCause: null });
  });

  it('has no disposition before the end', () => {
    const view = viewOf(report({ state: 'answered', at: 1000, verdict: verdict({ disposition: 'busy' }) }));

    expect(view).to.include({ status: 'answered', disposition: null, duration: 0 });
  });

  it('ends a lost call at the latest known time, also when it was answered', () => {
    const facts = foldReports([report({ state: 'ringing', at: 1000 }), report({ state: 'answered', at: 4000 })]);

    const view = viewCall({ ...facts, lost: true });

    expect(view).to.include({ status: 'ended', disposition: 'lost', endedAt: BASE + 4000, duration: 0 });
  });

  it('forgets that a call was lost when its end is reported', () => {
    const facts = foldReports([report({ state: 'answered', at: 4000 }), report({ state: 'ended', at: 9000 })]);

    expect(viewCall({ ...facts, lost: true })).to.deep.equal(viewCall(facts));
  });

  it('keeps the rules of the record for any reports', () => {
    fc.assert(
      fc.property(anyReports, (reports) => {
        const view = viewCall(foldReports(reports));
        if (!view) return;
        const known = [view.initiatedAt, view.ringingAt, view.answeredAt, view.endedAt].filter((at) => at !== null);
        expect(view.startedAt).to.be.at.most(Math.min(...known));
        expect(view.duration).to.be.at.least(0);
        expect(view.disposition === null).to.equal(view.status !== 'ended');
        if (view.disposition !== null) expect(view.disposition === 'completed').to.equal(view.answeredAt !== null);
        if (view.answeredAt === null) expect(view.duration).to.equal(0);
      }),
      { numRuns: 1000 },
    );
  });
});
