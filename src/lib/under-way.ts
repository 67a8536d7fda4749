/** Works that go on beside each other; whoever began them is told what came of each. */
export interface UnderWay<T> {
  count(): number;
  /** @param work must not reject */
  add(work: Promise<T>): void;
  /** Resolves when fewer than so many go on. */
  fewerThan(count: number): Promise<void>;
  /** Resolves when one of them ends or what else is waited for has come; at once when none goes on. */
  oneOr(other: Promise<void>): Promise<void>;
}

/** @param tell is told before whoever waits */
export function createUnderWay<T>(tell: (outcome: T) => void): UnderWay<T> {
  const going = new Set<Promise<void>>();
  return {
    count: () => going.size,
    add(work) {
      const told = work.then((outcome) => {
        going.delete(told);
        tell(outcome);
      });
      going.add(told);
    },
    async fewerThan(count) {
      while (going.size >= count) await Promise.race(going);
    },
    oneOr: (other) => (going.size === 0 ? Promise.resolve() : Promise.race([...going, other])),
  };
}
