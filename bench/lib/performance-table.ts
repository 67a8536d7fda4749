import type { PartResult, Row } from './notebook.js';
import { RATIOS } from './notebook.js';
import { spell, spellGoal } from './report.js';

/** The rows of the README's table: what it is called there, and where it was measured. */
const LINES: readonly (readonly [label: string, part: string, group: string, name: string])[] = [
  [
    'Webhooks a second to the committed call log, one process',
    'ingest',
    'saturated: one process, PostgreSQL queue',
    'committed',
  ],
  ['… of what the door alone could store', 'ingest', RATIOS, 'one process, PostgreSQL queue / ceiling'],
  ['… in two processes', 'ingest', RATIOS, 'two processes, PostgreSQL queue / ceiling'],
  ['… in one process, with Redis', 'ingest', RATIOS, 'one process, Redis queue / ceiling'],
  ['… times the plain way (one job, one transaction each)', 'ingest', RATIOS, 'one process, PostgreSQL queue / plain'],
  ['… times the plain way, with Redis', 'ingest', RATIOS, 'one process, Redis queue / plain'],
  [
    '… on a slow disk, of what the door alone could store',
    'ingest',
    RATIOS,
    'slow disk, one process, PostgreSQL queue / ceiling',
  ],
  [
    'Webhook to commit at 1,000/s, p50',
    'ingest',
    'paced at 1,000/s: one process, PostgreSQL queue',
    'to the commit, p50',
  ],
  ['… p99', 'ingest', 'paced at 1,000/s: one process, PostgreSQL queue', 'to the commit, p99'],
  ['Commit to subscriber, p50', 'live', 'webhook to subscriber, 1,000/s', 'subscriber − commit, p50'],
  ['Fan-out to 1,000 subscribers, of bare Socket.IO', 'live', RATIOS, 'fan-out, 1,000 subscribers / bare'],
  ['Page of 50 at 5 million call logs, of its time at 50 thousand', 'reads', RATIOS, 'unfiltered: large / small'],
  [
    'Page over HTTP, of a bare Koa route with the same query',
    'reads',
    RATIOS,
    'page over HTTP, unfiltered: product / bare',
  ],
  ['Report over 90 days, of the leanest SQL', 'reads', RATIOS, 'report: product / leanest SQL'],
  ['Call logs exported a second (CSV)', 'reads', 'export of a whole account', 'format=csv'],
  ['List of numbers, of a bare Koa route with the same query', 'auth', RATIOS, 'list of numbers: product / bare'],
  ['Warm start to ready', 'start', 'all roles, embedded database', 'warm start'],
  ['Memory at rest, all roles', 'start', 'all roles, embedded database', 'memory at rest, without the database'],
];

const verdictOf = ({ met }: Row): string => (met === null ? '' : met ? 'met' : 'not met');

const HEAD = ['', 'median', 'min .. max', 'goal', ''];
const isFigure = (column: number): boolean => column > 0 && column < HEAD.length - 1;

/** A table of Markdown as the formatter wants it: columns of one width, figures to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, 3, ...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (isFigure(column) ? (cells[column] ?? '').padStart(width) : (cells[column] ?? '').padEnd(width))).join(' | ')} |`;
  const rule = widths.map((width, column) => (isFigure(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(HEAD), line(rule), ...rows.map(line)];
}

/** A piece of Markdown for the README; what was not measured is left out. */
export function performanceTable(parts: readonly PartResult[], source: string): string {
  const rows = LINES.flatMap(([label, part, group, name]) => {
    const row = parts
      .find((result) => result.part === part)
      ?.rows.find((candidate) => candidate.group === group && candidate.name === name);
    if (!row) return [];
    const spread = `${spell(row.min, row.unit)} .. ${spell(row.max, row.unit)}`;
    return [[label, spell(row.median, row.unit), spread, spellGoal(row.goal, row.unit), verdictOf(row)]];
  });
  return [
    '',
    `Written by \`npm run bench\` from [${source}](${source}); each figure stands`,
    'beside its ceiling or its rival of the same run ([how it is measured](docs/benchmarks.md)).',
    '',
    ...aligned(rows),
    '',
    '',
  ].join('\n');
}
