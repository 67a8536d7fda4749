import type { LimitRule, LimitVerdict } from './limiter.js';

/** A key tells the backend after this share of its points, or after this time, whichever is first. */
const SHARE = 0.02;
const TELL_AFTER_MS = 1000;
/** Keys counted at once; a flood of other addresses makes the oldest forgotten, not the memory full. */
const MOST_KEYS = 50_000;

interface Count {
  readonly rule: LimitRule;
  readonly key: string;
  /** What all processes took, as the backend last told. */
  shared: number;
  /** Taken here since. */
  untold: number;
  /** Being told now. */
  inFlight: number;
  /** When the window ends, ms since 1970. */
  endsAt: number;
}

type Tell = (rule: LimitRule, key: string, cost: number) => Promise<LimitVerdict>;

/** Counts in memory what is told to the shared backend in portions. */
export function createGatheredCounts(tell: Tell) {
  const counts = new Map<string, Count>();

  function countOf(rule: LimitRule, key: string): Count {
    const id = `${rule.name} ${key}`;
    const known = counts.get(id);
    if (known && known.endsAt > Date.now()) return known;
    if (!known && counts.size >= MOST_KEYS) counts.delete(counts.keys().next().value ?? '');
    const endsAt = Date.now() + rule.seconds * 1000;
    const fresh: Count = { rule, key, shared: 0, untold: 0, inFlight: 0, endsAt };
    counts.set(id, fresh);
    return fresh;
  }

  async function report(count: Count): Promise<void> {
    const { rule, key, untold } = count;
    count.inFlight = untold;
    count.untold = 0;
    const verdict = await tell(rule, key, untold);
    count.inFlight = 0;
    // Refused requests are not counted here and not told, so the shared count never runs far beyond the limit.
    count.shared = Math.max(count.shared + untold, verdict.allowed ? rule.points - verdict.remaining : rule.points);
    count.endsAt = Date.now() + verdict.resetSeconds * 1000;
  }

  const timer = setInterval(() => {
    const now = Date.now();
    for (const [id, count] of counts) {
      if (count.endsAt <= now) counts.delete(id);
      else if (count.untold > 0 && count.inFlight === 0) void report(count);
    }
  }, TELL_AFTER_MS);
  timer.unref();

  return {
    take(rule: LimitRule, key: string, cost = 1): LimitVerdict {
      const count = countOf(rule, key);
      const taken = count.shared + count.inFlight + count.untold;
      const allowed = taken + cost <= rule.points;
      if (allowed) {
        count.untold += cost;
        const isFirst = taken === 0;
        if (count.inFlight === 0 && (isFirst || count.untold >= rule.points * SHARE)) void report(count);
      }
      return {
        allowed,
        limit: rule.points,
        remaining: Math.max(rule.points - taken - (allowed ? cost : 0), 0),
        resetSeconds: Math.max(Math.ceil((count.endsAt - Date.now()) / 1000), 1),
      };
    },
    async close(): Promise<void> {
      clearInterval(timer);
      await Promise.all([...counts.values()].filter((count) => count.untold > 0).map(report));
    },
  };
}
