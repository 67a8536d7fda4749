import { type Bar, drawBars } from './bar-chart.js';
import type { PartResult, Row } from './notebook.js';

/** A picture: the rows it shows, found by what their group says. */
interface Picture {
  readonly part: string;
  readonly title: string;
  readonly about: string;
  readonly pick: (row: Row) => string | null;
}

/** The rest of the text behind `beginning`, or null. */
const behind = (text: string, beginning: string): string | null =>
  text.startsWith(beginning) ? text.slice(beginning.length) : null;

const PICTURES: Readonly<Record<string, Picture>> = {
  ingest: {
    part: 'ingest',
    title: 'Webhooks a second, from the door to the committed call log',
    about:
      'saturated over 64 connections; ceiling: verified and stored, nothing else; plain: one job and one transaction each',
    pick: ({ group, name }) => (name === 'committed' ? behind(group, 'saturated: ') : null),
  },
  delay: {
    part: 'ingest',
    title: 'Milliseconds from the webhook to the committed call log',
    about: 'at 1,000 webhooks a second, p50',
    pick: ({ group, name }) => (name === 'to the commit, p50' ? behind(group, 'paced at 1,000/s: ') : null),
  },
  growth: {
    part: 'growth',
    title: 'Webhooks a second as the work grows',
    about: 'from the door to the committed call log; flat is good',
    pick: ({ group, name }) => (name === 'committed' ? group : null),
  },
  live: {
    part: 'live',
    title: 'Events delivered a second',
    about: 'one account, one process; bare: Socket.IO alone',
    pick: ({ group, name }) => (name === 'deliveries' ? group : null),
  },
  reads: {
    part: 'reads',
    title: 'Query times of the call log at 5 million rows',
    about: 'a page of 50 of the largest account, p50',
    pick: ({ group, name }) => (name === 'large' ? behind(group, 'query: ') : null),
  },
};

/** SVG texts by name, for each part that was measured. */
export function drawPictures(parts: readonly PartResult[]): Record<string, string> {
  const drawn: Record<string, string> = {};
  for (const [name, { part, title, about, pick }] of Object.entries(PICTURES)) {
    const rows = parts.find((result) => result.part === part)?.rows ?? [];
    const bars = rows.flatMap((row): Bar[] => {
      const label = pick(row);
      return label === null ? [] : [{ label, value: row.median, min: row.min, max: row.max, unit: row.unit }];
    });
    if (bars.length > 0) drawn[name] = drawBars({ title, about, bars });
  }
  return drawn;
}
