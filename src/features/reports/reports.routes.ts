import { type AnyRoute, route } from '../../http/route.js';
import type { CallFilters } from '../calls/index.js';
import { DEFINITIONS } from './figures.js';
import type { Range, ReportWish } from './report.js';
import { endsBeforeItBegins } from './reports.errors.js';
import { presentReport } from './reports.present.js';
import { callReport, callReportAnswer, type ReportTimes, readMoment } from './reports.schema.js';
import type { ReportsService } from './reports.service.js';

type ReportQuery = CallFilters & ReportTimes;

const DESCRIPTION = `Counts the calls that began in a range of time, with the list's filters, live to the last commit; each
answer is one snapshot of the database. Members report on the calls that began while the number was theirs. \`rows\` has
a row for each value of the groups that has calls (one row without \`group_by\`), \`totals\` the same figures over all of
them, and \`calls_url\` lists exactly the calls of a row. Days of 23 and 25 hours and hours that come twice are what the
zone's clocks make of them. At most 10,000 rows.

${Object.entries(DEFINITIONS)
  .map(([name, sentence]) => `- \`${name}\`: ${sentence}`)
  .join('\n')}`;

/** The range in which all of `from`, `to`, `started_after` and `started_before` hold. */
function rangeOf({ from, to, timezone, started_after, started_before }: ReportQuery): Range {
  const [begin, end] = [from, to].map((value) => (value === undefined ? undefined : readMoment(value, timezone)));
  if (begin !== undefined && end !== undefined && end < begin) throw endsBeforeItBegins();
  const lower = [begin, started_after?.getTime()].filter((time) => time !== undefined);
  const upper = [end, started_before?.getTime()].filter((time) => time !== undefined);
  return {
    from: lower.length === 0 ? null : Math.max(...lower),
    until: upper.length === 0 ? null : Math.min(...upper),
  };
}

function wishOf(query: ReportQuery): ReportWish {
  const { from, to, timezone, group_by, started_after, started_before, ...filters } = query;
  return { filters, range: rangeOf(query), groups: group_by ?? [], timeZone: timezone };
}

export const reportsRoutes = (service: ReportsService): AnyRoute[] => [
  route<Record<string, string>, ReportQuery>({
    method: 'get',
    path: '/api/reports/calls/',
    summary: 'Report on calls',
    description: DESCRIPTION,
    tag: 'Reports',
    access: 'bearer',
    scope: 'reports:read',
    query: callReport,
    responses: { 200: { description: 'The report.', schema: callReportAnswer } },
    async handle({ actor, query, url }) {
      const wish = wishOf(query);
      return presentReport(await service.reportCalls(actor, wish), wish, url.searchParams);
    },
  }),
];
