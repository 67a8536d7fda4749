import { expect } from 'chai';
import { expectLeg, type Report, type Span } from '../../src/simulator/expected.js';
import { expectLogs } from '../../src/simulator/families.js';
import type { Claim } from '../../src/simulator/senders/sender.js';

const LEG = 'leg-1';
const NOON = Date.UTC(2026, 9, 26, 12);
const at = (seconds: number): number => NOON + seconds * 1000;
const exactly = (seconds: number): Span => [at(seconds), at(seconds)];

let webhooks = 0;

/** A webhook that said one thing; it arrived between two seconds. */
function report(claim: Partial<Claim>, arrived: readonly [number, number] = [100, 101]): Report {
  webhooks += 1;
  const span: Span = [at(arrived[0]), at(arrived[1])];
  return { claim: { leg: LEG, ...claim }, arrived: span, webhook: String(webhooks), index: 0 };
}

function expectedOf(...reports: Report[]) {
  const leg = expectLeg(LEG, reports);
  if (!leg) throw new Error('No call log is expected.');
  return { ...leg, ...leg.times[0] };
}

describe('expectation of a simulated call', () => {
  it('takes the told times as they are', () => {
    const leg = expectedOf(
      report({ state: 'ended', at: at(40), disposition: 'completed' }),
      report({ state: 'ringing', at: at(2) }),
      report({ state: 'answered', at: at(10) }),
      report({ state: 'initiated', at: at(1) }),
    );

    expect(leg.started).to.deep.equal(exactly(1));
    expect(leg.ringing).to.deep.equal(exactly(2));
    expect(leg.answered).to.deep.equal(exactly(10));
    expect(leg.ended).to.deep.equal(exactly(40));
    expect(leg.duration).to.deep.equal([[30, 30]]);
    expect(leg.ringDuration).to.deep.equal([8, 8]);
    expect(leg.dispositions).to.deep.equal(['completed']);
  });

  it('has the answer of a call that is known by its end alone from its talk', () => {
    const ringing = report({ state: 'ringing' }, [4, 5]);
    const ended = report({ state: 'ended', at: at(60), talkSeconds: 42, totalSeconds: 50 });

    const leg = expectedOf(ringing, ended);

    expect(leg.answered).to.deep.equal(exactly(18));
    expect(leg.ringing).to.deep.equal([at(4), at(5)]);
    expect(leg.started).to.deep.equal([at(4), at(5)]);
    expect(leg.duration).to.deep.equal([[42, 42]]);
    expect(leg.ringDuration).to.deep.equal([13, 14]);
  });

  it('has the answer that an end tells before what its talk implies', () => {
    const ended = report({ state: 'ended', at: at(60), answeredAt: at(17), talkSeconds: 42 });

    expect(expectedOf(ended).answered).to.deep.equal(exactly(17));
    expect(expectedOf(ended, report({ state: 'answered', at: at(18) })).answered).to.deep.equal(exactly(18));
    expect(expectedOf(ended).duration).to.deep.equal([[42, 42]]);
  });

  it('cuts an arrival to what came after it', () => {
    const leg = expectedOf(report({ state: 'ringing' }, [30, 31]), report({ state: 'answered', at: at(20) }));

    expect(leg.ringing).to.deep.equal(exactly(20));
    expect(leg.status).to.equal('answered');
    expect(leg.dispositions).to.deep.equal([null]);
    expect(leg.duration).to.deep.equal([[0, 0]]);
  });

  it('begins with the end report’s whole length where that is earliest', () => {
    const leg = expectedOf(report({ state: 'ended', at: at(60), talkSeconds: 0, totalSeconds: 45 }));

    expect(leg.started).to.deep.equal(exactly(15));
    expect(leg.answered).to.equal(null);
    expect(leg.ringDuration).to.equal(null);
  });

  it('lets the latest told end count, and told ends before those that only arrived', () => {
    const first = report({ state: 'ended', at: at(40), disposition: 'busy', providerCause: '486' });
    const last = report({ state: 'ended', at: at(50), disposition: 'failed', providerCause: '503' });
    const untold = report({ state: 'ended', disposition: 'canceled', providerCause: '487' }, [900, 901]);

    const leg = expectedOf(last, untold, first);

    expect(leg.ended).to.deep.equal(exactly(50));
    expect(leg.dispositions).to.deep.equal(['failed']);
    expect(leg.members.why).to.deep.equal(['none / 503 / none']);
  });

  it('completes an answered call whatever is said, and never an unanswered one', () => {
    const said = { state: 'ended', at: at(40) } as const;
    const answered = report({ state: 'answered', at: at(10) });

    expect(expectedOf(answered, report({ ...said, disposition: 'busy' })).dispositions).to.deep.equal(['completed']);
    expect(expectedOf(report({ ...said, disposition: 'completed' })).dispositions).to.deep.equal(['no_answer']);
    const byCause = report({ ...said, disposition: 'completed', cause: 'call_rejected' });
    expect(expectedOf(byCause).dispositions).to.deep.equal(['rejected']);
    const open = report({ ...said, cause: 'normal_clearing' });
    expect(expectedOf(open, report({ direction: 'incoming' })).dispositions).to.deep.equal(['canceled']);
    expect(expectedOf(open, report({ direction: 'outgoing' })).dispositions).to.deep.equal(['failed']);
  });

  it('takes every value for right where the order of arrivals decides and is not known', () => {
    const [one, two] = [report({ price: '1' }, [10, 20]), report({ price: '2' }, [15, 25])];
    const ended = report({ state: 'ended', at: at(5) });

    expect(expectedOf(one, two, ended).members.price).to.have.members(['1 without currency', '2 without currency']);
    expect(expectedOf(one, report({ price: '3' }, [21, 22]), ended).members.price).to.deep.equal([
      '3 without currency',
    ]);
  });

  it('expects nothing of a leg of which only notes are told', () => {
    expect(expectLeg(LEG, [report({ at: at(3), price: '1' })])).to.equal(null);
  });
});

describe('expectation of a simulated family', () => {
  const HERE = '+9991234567001';
  const numbers = new Set([HERE]);
  const incoming = { state: 'ringing', direction: 'incoming', from: '+12025550143', to: HERE } as const;
  const dialled = { state: 'ringing', direction: 'outgoing', from: '+12025550143', to: '+12025550177' } as const;

  const logsOf = (legs: Readonly<Record<string, Report[]>>) => expectLogs(new Map(Object.entries(legs)), numbers);

  it('gives a child without a number of ours to its parent', () => {
    const logs = logsOf({ b: [report({ ...dialled, parent: 'a' })], a: [report(incoming)] });

    expect(logs.get('b')).to.include({ parent: 'a', virtualNumber: HERE, direction: 'outgoing' });
    expect(logs.get('a')).to.include({ parent: null, virtualNumber: HERE });
  });

  it('expects no call log of a child whose parent never came', () => {
    expect(logsOf({ b: [report({ ...dialled, parent: 'a' })] }).size).to.equal(0);
  });

  it('has the incoming leg of a session as parent, else the earliest', () => {
    const session = 's';
    const out = { ...dialled, from: HERE, session } as const;
    const later = report({ ...out, at: at(9) });
    const earlier = report({ ...out, at: at(3) });

    expect(logsOf({ b: [later], a: [report({ ...incoming, at: at(5), session })] }).get('b')?.parent).to.equal('a');
    expect(logsOf({ b: [later], c: [earlier] }).get('b')?.parent).to.equal('c');
    expect(logsOf({ b: [later], c: [earlier] }).get('c')?.parent).to.equal(null);
  });

  it('has an untold direction from the number that is ours', () => {
    const { direction: _, ...untold } = incoming;

    expect(logsOf({ a: [report(untold)] }).get('a')?.direction).to.equal('incoming');
    expect(logsOf({ a: [report({ ...untold, from: HERE, to: '+12025550143' })] }).get('a')?.direction).to.equal(
      'outgoing',
    );
    expect(logsOf({ a: [report({ ...untold, to: '+12025550144' })] }).size).to.equal(0);
  });
});
