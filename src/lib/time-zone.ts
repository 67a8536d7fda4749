const MINUTE = 60_000;
const QUARTER_HOUR = 15 * MINUTE;
const DAY = 96 * QUARTER_HOUR;
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
 * Writes times (epoch ms) as a zone's clocks show them, with the offset: `2026-03-29T03:00:00.000+02:00`. Asking for an offset
 * costs microseconds, so it is asked for at the ends of each day, and on the days between whose ends it changes once a
 * quarter of an hour (no clock has been changed at another moment since 1972).
 */
export function zonedTimes(timeZone: string): (time: number) => string {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const asked = new Map<number, number>();

  function ask(time: number): number {
    const known = asked.get(time);
    if (known !== undefined) return known;
    const offset = offsetOf(format, time);
    if (asked.size >= MOST_KEPT) asked.clear();
    asked.set(time, offset);
    return offset;
  }

  function offsetAt(time: number): number {
    const day = Math.floor(time / DAY) * DAY;
    const offset = ask(day);
    return offset === ask(day + DAY) ? offset : ask(Math.floor(time / QUARTER_HOUR) * QUARTER_HOUR);
  }

  return (time) => {
    const minutes = offsetAt(time);
    const local = new Date(time + minutes * MINUTE).toISOString();
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
