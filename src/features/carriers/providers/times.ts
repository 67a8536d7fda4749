/** Reading of providers' times. Finer than milliseconds is cut, not rounded; null when a text is no time. */
import { offsetsOf } from '../../../lib/zone-clock.js';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const ISO = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(z|utc|[+-]\d\d(?::?\d\d)?)$/i;
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?$/i;
const RFC_2822 =
  /^(?:[a-z]{3,9},\s*)?(\d{1,2})\s+([a-z]{3})[a-z]*\s+(\d{4})\s+(\d\d):(\d\d)(?::(\d\d))?\s+([+-]\d{4}|gmt|utc?|z)$/i;

const cutToMilliseconds = (fraction: string | undefined): number => Number((fraction ?? '').padEnd(3, '0').slice(0, 3));

type Parts = readonly [year: number, month: number, day: number, hour: number, minute: number, second: number];

/** Milliseconds of a civil time read as UTC; null for a day that does not exist (a second 60 is a leap second). */
function civil([year, month, day, hour, minute, second]: Parts, fraction?: string): number | null {
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60) return null;
  const midnight = new Date(Date.UTC(year, month - 1, day));
  midnight.setUTCFullYear(year, month - 1, day);
  if (midnight.getUTCDate() !== day || midnight.getUTCMonth() !== month - 1) return null;
  return midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + cutToMilliseconds(fraction);
}

function offsetOf(zone: string): number | null {
  const match = /^([+-])(\d\d):?(\d\d)?$/.exec(zone);
  if (!match) return 0;
  const [hours, minutes] = [Number(match[2]), Number(match[3] ?? 0)];
  if (hours > 23 || minutes > 59) return null;
  return (match[1] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function minusOffset(local: number | null, zone: string): number | null {
  const offset = offsetOf(zone);
  return local === null || offset === null ? null : local - offset;
}

function parseIso(text: string): number | null {
  const match = ISO.exec(text);
  if (!match) return null;
  const [, year, month, day, hour, minute, second = '0', fraction, zone = 'z'] = match;
  const parts = [year, month, day, hour, minute, second].map(Number) as unknown as Parts;
  return minusOffset(civil(parts, fraction), zone);
}

function parseRfc2822(text: string): number | null {
  const match = RFC_2822.exec(text);
  if (!match) return null;
  const [, day, monthName = '', year, hour, minute, second = '0', zone = 'z'] = match;
  const month = MONTHS.indexOf(monthName.toLowerCase()) + 1;
  const parts = [year, month, day, hour, minute, second].map(Number) as unknown as Parts;
  return minusOffset(civil(parts), zone);
}

/** ISO 8601 with `Z` or any offset (`+01:00`, `+0000`, `+01`), or RFC 2822 (`Mon, 02 Mar 2026 15:04:05 +0000`). */
export function parseTime(text: string): number | null {
  const trimmed = text.trim();
  return parseIso(trimmed) ?? parseRfc2822(trimmed);
}

const PER_SECOND = { seconds: 1, milliseconds: 1_000, microseconds: 1_000_000 } as const;

/** A count since 1970 in plain digits, with decimals where told: `1772463845`, `1772463845.123`, `1772463845123456`. */
export function parseEpoch(text: string, unit: keyof typeof PER_SECOND): number | null {
  const match = /^(\d{1,17})(?:\.(\d+))?$/.exec(text.trim());
  if (!match?.[1]) return null;
  if (unit === 'seconds') return withinDates(Number(match[1]) * 1000 + cutToMilliseconds(match[2]));
  return withinDates(Math.floor(Number(match[1]) / (PER_SECOND[unit] / 1000)));
}

const LAST_DATE = 8.64e15;
const withinDates = (ms: number): number | null => (ms <= LAST_DATE ? ms : null);

const zones = new Map<string, (instant: number) => number>();

function offsetsIn(zone: string): ((instant: number) => number) | null {
  const known = zones.get(zone);
  if (known) return known;
  const offsetAt = offsetsOf(zone);
  try {
    offsetAt(0);
  } catch {
    return null;
  }
  zones.set(zone, offsetAt);
  return offsetAt;
}

const DAY = 86_400_000;

/**
 * `YYYY-MM-DD HH:mm:ss` on the clock of a zone. The hour that comes twice in autumn is read as the first reading that is
 * not before `notBefore` (an earlier time of the same call); the hour that is left out in spring as if it were not.
 */
export function parseZonedTime(text: string, zone: string, notBefore = Number.NEGATIVE_INFINITY): number | null {
  const match = LOCAL.exec(text.trim());
  const offsetAt = offsetsIn(zone);
  if (!match || !offsetAt) return null;
  const local = civil(match.slice(1, 7).map(Number) as unknown as Parts, match[7]);
  if (local === null) return null;
  const before = local - offsetAt(local - DAY);
  const after = local - offsetAt(local + DAY);
  const readings = [before, after].filter((instant) => instant + offsetAt(instant) === local);
  readings.sort((a, b) => a - b);
  return readings.find((instant) => instant >= notBefore) ?? readings[0] ?? before;
}
