import Joi from 'joi';
import { readTime, withinYears } from '../../http/time.js';
import { isTimeZone } from '../../lib/time-zone.js';
import { zoneClock } from '../../lib/zone-clock.js';
import { callFilterKeys } from '../calls/index.js';
import { DEFINITIONS, FIGURE_NAMES } from './figures.js';
import { COLUMN_GROUPS, GROUPS, type Group } from './report.js';

const MOST_GROUPS = 2;
const FALLBACK_ZONE = 'UTC';

/** A time or a day as it was written: what it means depends on the time zone beside it. */
const moment = (): Joi.StringSchema =>
  Joi.string()
    .max(40)
    .custom((value: string, helpers) => (readTime(value) ? value : helpers.error('string.isoDate')));

const groups = Joi.string()
  .custom((value: string, helpers) => {
    const names = value.split(',').map((name) => name.trim());
    if (names.some((name) => !(GROUPS as readonly string[]).includes(name))) return helpers.error('groups.unknown');
    if (new Set(names).size < names.length) return helpers.error('groups.twice');
    return names.length > MOST_GROUPS ? helpers.error('groups.many') : names;
  })
  .messages({
    'groups.unknown': `Must be a comma list of: ${GROUPS.join(', ')}.`,
    'groups.twice': 'The same group stands here twice.',
    'groups.many': `At most ${MOST_GROUPS} groups can be asked for.`,
  });

export const callReport = Joi.object({
  from: moment()
    .description('from ≤ started_at; a time, or a day (its midnight in `timezone`). Default: since the first call.')
    .example('2026-10-01'),
  to: moment().description('started_at < to; a time, or a day (its midnight in `timezone`).').example('2026-11-01'),
  group_by: groups
    .description(`A row for each value of it; up to two, as a comma list of: ${GROUPS.join(', ')}.`)
    .example('day,direction'),
  timezone: Joi.string()
    .custom((value: string, helpers) => (isTimeZone(value) ? value : helpers.error('timezone.unknown')))
    .messages({ 'timezone.unknown': 'Not a known time zone (IANA name).' })
    .default(FALLBACK_ZONE)
    .description('IANA name: whose hours and days are meant.')
    .example('Europe/Berlin'),
  ...callFilterKeys(),
});

export interface ReportTimes {
  readonly from?: string;
  readonly to?: string;
  readonly timezone: string;
  readonly group_by?: readonly Group[];
}

/** The moment that is meant, ms: without an offset it is what the zone's clocks show. */
export function readMoment(value: string, timeZone: string): number {
  const at = readTime(value);
  if (!at) throw new Error('The schema lets only times through.');
  const isLocal = !/(?:[Zz]|[+\- ]\d{2}:?\d{2})$/.test(value.slice(11));
  return isLocal || value.length === 10 ? withinYears(zoneClock(timeZone).momentOf(at.getTime())) : at.getTime();
}

const number = Joi.number();
const figures = Object.fromEntries(
  FIGURE_NAMES.map((name) => [name, number.allow(null).description(DEFINITIONS[name] ?? '')]),
);

const values = {
  hour: Joi.string().description('The local date and hour with its offset.').example('2026-10-25T02:00:00+02:00'),
  day: Joi.string().example('2026-10-25'),
  week: Joi.string().description('Its Monday.').example('2026-10-19'),
  month: Joi.string().example('2026-10'),
  ...Object.fromEntries(Object.values(COLUMN_GROUPS).map((member) => [member, Joi.string().allow(null)])),
};

export const callReportAnswer = Joi.object({
  rows: Joi.array().items(
    Joi.object({
      ...values,
      calls_url: Joi.string().description('Lists exactly the calls of the row.').required(),
      ...figures,
    }).description('With the members of the groups that were asked for. Only rows with calls.'),
  ),
  totals: Joi.object(figures).description('The same figures over all rows.'),
  definitions: Joi.object().pattern(Joi.string(), Joi.string()).description('What each figure means.'),
});
