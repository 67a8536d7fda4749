/** A time zone's clocks as spans of one offset each, so that calendars are arithmetic and not a question per moment. */

const MINUTE = 60_000;
const DAY = 86_400_000;
/** Years whose spans are remembered, over all zones. */
const MOST_KEPT = 2000;

/** Times in ms since 1970; `until` exclusive. Local times are ms too, as if the clocks were those of UTC. */
export interface Span {
  readonly from: number;
  readonly until: number;
  /** How far the clocks are ahead of UTC, ms. */
  readonly offset: number;
}

export interface ZoneClock {
  /** The spans that cover `from` up to `until`, in order. */
  spans(from: number, until: number): Span[];
  /** What the clocks show. */
  localOf(time: number): number;
  /** The first moment at which they show `local` or later: a time that is skipped begins with what comes after it. */
  momentOf(local: number): number;
}

const kept = new Map<string, readonly Span[]>();

export function zoneClock(timeZone: string): ZoneClock {
  const offsetAt = offsetsOf(timeZone);

  function yearSpans(year: number): readonly Span[] {
    const key = `${timeZone} ${year}`;
    const known = kept.get(key);
    if (known) return known;
    const spans = findSpans(Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1), offsetAt);
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(key, spans);
    return spans;
  }

  function spans(from: number, until: number): Span[] {
    const found: Span[] = [];
    for (let year = yearOf(from); year <= yearOf(until - 1); year += 1) {
      for (const span of yearSpans(year)) {
        const last = found.at(-1);
        if (last && last.offset === span.offset) found[found.length - 1] = { ...last, until: span.until };
        else found.push(span);
      }
    }
    return found;
  }

  return {
    spans,
    localOf(time) {
      const span = yearSpans(yearOf(time)).find(({ until }) => time < until);
      return time + (span?.offset ?? 0);
    },
    momentOf(local) {
      // No clock is more than a day away from UTC.
      const [from, until] = [local - DAY, local + DAY];
      for (const span of spans(from, until)) {
        const moment = Math.max(span.from, local - span.offset);
        if (moment < span.until) return moment;
      }
      return local;
    },
  };
}

const NUMERIC = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;

const yearOf = (time: number): number => new Date(time).getUTCFullYear();

/** Asks how far a zone's clocks are ahead of UTC at a time, ms. */
export function offsetsOf(timeZone: string): (time: number) => number {
  let format: Intl.DateTimeFormat | undefined;
  return (time) => {
    format ??= new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...NUMERIC });
    const part = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(time / MINUTE) * MINUTE;
  };
}

/** Looks once a day and, where the offset has changed, for the minute in which it did. */
function findSpans(from: number, until: number, offsetAt: (time: number) => number): Span[] {
  const spans: Span[] = [];
  let begin = from;
  let offset = offsetAt(from);
  for (let day = from; day < until; day += DAY) {
    const next = Math.min(day + DAY, until);
    if (offsetAt(next) === offset) continue;
    let [before, after] = [day, next];
    while (after - before > MINUTE) {
      const middle = before + Math.floor((after - before) / 2 / MINUTE) * MINUTE;
      if (offsetAt(middle) === offset) before = middle;
      else after = middle;
    }
    spans.push({ from: begin, until: after, offset });
    begin = after;
    offset = offsetAt(after);
  }
  if (begin < until) spans.push({ from: begin, until, offset });
  return spans;
}
