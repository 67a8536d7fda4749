/**
 * The contract's call log (section 7) once more, written for this one purpose and knowing nothing of the product: of
 * told times alone, which all that is played here has.
 */
import type { Call, Fact, State } from './calls.js';

export interface ExpectedLog {
  readonly status: State;
  readonly disposition: string | null;
  readonly direction: string;
  readonly caller_number: string;
  readonly called_number: string;
  readonly started_at: number;
  readonly ringing_at: number | null;
  readonly answered_at: number | null;
  readonly ended_at: number | null;
  readonly duration: number;
  readonly ring_duration: number | null;
}

const ORDER: readonly State[] = ['initiated', 'ringing', 'answered', 'ended'];

/** Null: nothing states anything. */
export function expectedLog(call: Call, facts: readonly Fact[]): ExpectedLog | null {
  const of = (state: State): Fact | undefined => facts.find((fact) => fact.state === state);
  const status = ORDER.findLast(of);
  if (!status) return null;
  const ended = of('ended');
  const implied = ended?.talk ? ended.at - ended.talk * 1000 : null;
  const answeredAt = of('answered')?.at ?? implied;
  const ringingAt = of('ringing')?.at ?? null;
  const times = [of('initiated')?.at, ringingAt, answeredAt, ended?.at].filter((time) => typeof time === 'number');
  const ringEnd = answeredAt ?? ended?.at ?? null;
  const dispositionOfEnd = answeredAt === null ? (ended?.disposition ?? null) : 'completed';
  return {
    status,
    disposition: ended ? dispositionOfEnd : null,
    direction: call.direction,
    caller_number: call.from,
    called_number: call.to,
    started_at: Math.min(...times),
    ringing_at: ringingAt,
    answered_at: answeredAt,
    ended_at: ended?.at ?? null,
    duration: ended && answeredAt !== null ? (ended.talk ?? Math.round((ended.at - answeredAt) / 1000)) : 0,
    ring_duration:
      ringingAt === null || ringEnd === null ? null : Math.max(0, Math.round((ringEnd - ringingAt) / 1000)),
  };
}
