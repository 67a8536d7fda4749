const MINUTE = 60_000;
const QUARTER_HOUR = 15 * MINUTE;
/** A century of quarter hours would be 3.5 million; an export walks through them in order. */
const MOST_KEPT = 10_000;

/** Whether the name is one of the IANA time zones (`Europe/Berlin`, `UTC`); offsets such as `+01:00` are none. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * Writes times as a zone's clocks show them, with the offset: `2026-03-29T03:00:00.000+02:00`. Offsets are asked for
 * once a quarter of an hour (they change at no other moment since 1972), as asking costs microseconds.
 */
export function zonedTimes(timeZone: string): (time: Date) => string {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const kept = new Map<number, number>();

  function offsetAt(time: number): number {
    const quarter = Math.floor(time / QUARTER_HOUR);
    const known = kept.get(quarter);
    if (known !== undefined) return known;
    const offset = offsetOf(format, quarter * QUARTER_HOUR);
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(quarter, offset);
    return offset;
  }

  return (time) => {
    const minutes = offsetAt(time.getTime());
    const local = new Date(time.getTime() + minutes * MINUTE).toISOString();
    return local.slice(0, -1) + spellOffset(minutes);
  };
}

/** Minutes that the zone's clocks are ahead of UTC. */
function offsetOf(format: Intl.DateTimeFormat, time: number): number {
  const part = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = part;
  return Math.round((Date.UTC(year, month - 1, day, hour, minute) - time) / MINUTE);
}

function spellOffset(minutes: number): string {
  const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}
