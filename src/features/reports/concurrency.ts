/**
 * The most calls at one moment, by a sweep over starts and ends: at each start, the calls that have begun less those
 * that have ended by then (an end is exclusive, so a call of no length is never there). Calls come in portions, each
 * portion's starts not before those of the portion before; what of a portion has not ended yet is all that is kept.
 */
export interface Sweep {
  /** Starts and ends of the same calls; both are put in order here. */
  add(starts: Float64Array, ends: Float64Array): void;
  most(): number;
}

export function createSweep(): Sweep {
  let open = new Float64Array();
  let most = 0;
  return {
    add(starts, ends) {
      starts.sort();
      const closing = open.length === 0 ? ends : joined([open, ends]);
      closing.sort();
      const before = open.length;
      let closed = 0;
      for (let begun = 0; begun < starts.length; begun += 1) {
        const start = starts[begun] as number;
        while (closed < closing.length && (closing[closed] as number) <= start) closed += 1;
        most = Math.max(most, before + begun + 1 - closed);
      }
      open = closing.slice(closed);
    },
    most: () => most,
  };
}

export function joined(parts: readonly Float64Array[]): Float64Array<ArrayBuffer> {
  const whole = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
