import { offsetsOf } from './zone-clock.js';

const MINUTE = 60_000;
const DAY = 86_400_000;
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
 * Writes times (epoch ms) as a zone's clocks show them, with the offset: `2026-03-29T03:00:00.000+02:00`. Asking for an
 * offset costs microseconds, so it is asked for at the ends of each day, and on the days between whose ends it changes
 * once a minute. A `ZoneClock` would ask for whole years, and calls may be told of thousands of them.
 */
export function zonedTimes(timeZone: string): (time: number) => string {
  const offsetOf = offsetsOf(timeZone);
  const asked = new Map<number, number>();

  function ask(time: number): number {
    const known = asked.get(time);
    if (known !== undefined) return known;
    const offset = offsetOf(time);
    if (asked.size >= MOST_KEPT) asked.clear();
    asked.set(time, offset);
    return offset;
  }

  function offsetAt(time: number): number {
    const day = Math.floor(time / DAY) * DAY;
    const offset = ask(day);
    return offset === ask(day + DAY) ? offset : ask(Math.floor(time / MINUTE) * MINUTE);
  }

  return (time) => {
    const offset = offsetAt(time);
    return new Date(time + offset).toISOString().slice(0, -1) + spellOffset(offset / MINUTE);
  };
}

function spellOffset(minutes: number): string {
  const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}
