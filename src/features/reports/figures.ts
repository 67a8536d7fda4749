/**
 * The figures of a report, each defined here and nowhere else: what it means in a sentence (the answer and the OpenAPI
 * document print it), and how it is found. A counter is SQL over `call_logs c`; counters of rows add up. The others
 * are made of counters, of the ring durations, and of the calls' starts and ends.
 */

/** Counted, but shown only as a part of other figures. */
const PARTS = {
  ended: 'count(*) filter (where c.is_ended)',
  rings: 'count(c.ring_duration)',
  ring_seconds: 'coalesce(sum(c.ring_duration), 0)::bigint',
} as const;

const disposed = (disposition: string): string => `count(*) filter (where c.disposition = '${disposition}')`;

const COUNTED = {
  calls: { means: 'All legs in the row; with parent_call_log_id=none children are left out.', sql: 'count(*)' },
  incoming: { means: 'Incoming calls.', sql: `count(*) filter (where c.direction = 'incoming')` },
  outgoing: { means: 'Outgoing calls.', sql: `count(*) filter (where c.direction = 'outgoing')` },
  answered: { means: 'Calls that have an answer time.', sql: 'count(c.answered_at)' },
  missed: {
    means: 'Incoming calls that have ended (lost counts as ended) and were not answered.',
    sql: `count(*) filter (where c.direction = 'incoming' and c.is_ended and c.answered_at is null)`,
  },
  no_answer: { means: 'Calls whose disposition is no_answer.', sql: disposed('no_answer') },
  busy: { means: 'Calls whose disposition is busy.', sql: disposed('busy') },
  rejected: { means: 'Calls whose disposition is rejected.', sql: disposed('rejected') },
  canceled: { means: 'Calls whose disposition is canceled.', sql: disposed('canceled') },
  failed: { means: 'Calls whose disposition is failed.', sql: disposed('failed') },
  lost: { means: 'Calls whose disposition is lost: closed without a reported end.', sql: disposed('lost') },
  talk_seconds: {
    means: 'Sum of the durations: seconds of talk, 0 for a call that is not answered or not ended.',
    sql: 'coalesce(sum(c.duration), 0)::bigint',
  },
  short_calls: {
    means: 'Answered calls with a duration under 10 seconds.',
    sql: 'count(*) filter (where c.answered_at is not null and c.duration < 10)',
  },
} as const;

export type CounterName = keyof typeof COUNTED | keyof typeof PARTS;

/** Name and SQL of everything that is counted. */
export const COUNTERS: readonly (readonly [CounterName, string])[] = [
  ...Object.entries(COUNTED).map(([name, { sql }]) => [name as CounterName, sql] as const),
  ...Object.entries(PARTS).map(([name, sql]) => [name as CounterName, sql] as const),
];

/** All that a row's figures are made of. */
export interface Tally {
  readonly counts: Readonly<Record<CounterName, number>>;
  /** How many calls rang for how many seconds. */
  readonly rings: ReadonlyMap<number, number>;
  readonly mostAtOnce: number;
}

interface Made {
  readonly means: string;
  of(tally: Tally): number | null;
}

const counted = (name: keyof typeof COUNTED): Made => ({
  means: COUNTED[name].means,
  of: ({ counts }) => counts[name],
});

/** In the order in which rows show them. */
const FIGURES = {
  calls: counted('calls'),
  incoming: counted('incoming'),
  outgoing: counted('outgoing'),
  answered: counted('answered'),
  missed: counted('missed'),
  no_answer: counted('no_answer'),
  busy: counted('busy'),
  rejected: counted('rejected'),
  canceled: counted('canceled'),
  failed: counted('failed'),
  lost: counted('lost'),
  answer_rate: {
    means: 'answered ÷ calls that have ended, to 4 places; null when none has ended.',
    of: ({ counts }) => ratio(counts.answered, counts.ended, 4),
  },
  talk_seconds: counted('talk_seconds'),
  average_talk_seconds: {
    means: 'talk_seconds ÷ answered, to 1 place; null when none was answered.',
    of: ({ counts }) => ratio(counts.talk_seconds, counts.answered, 1),
  },
  average_ring_seconds: {
    means: 'Mean ring duration of the calls that have one, to 1 place; null without.',
    of: ({ counts }) => ratio(counts.ring_seconds, counts.rings, 1),
  },
  p95_ring_seconds: {
    means: '95th percentile of the ring durations by nearest rank: the smallest that 95 % do not exceed; null without.',
    of: ({ rings, counts }) => nearestRank(rings, counts.rings, 95),
  },
  short_calls: counted('short_calls'),
  max_concurrent: {
    means:
      'Most calls of the row at one moment, each from its start up to, but not at, its end; one in progress lasts until now.',
    of: ({ mostAtOnce }) => mostAtOnce,
  },
} satisfies Readonly<Record<string, Made>>;

export type FigureName = keyof typeof FIGURES;

const ENTRIES = Object.entries(FIGURES) as [FigureName, Made][];

export const FIGURE_NAMES: readonly FigureName[] = ENTRIES.map(([name]) => name);

/** A sentence for each figure. */
export const DEFINITIONS: Readonly<Record<string, string>> = Object.fromEntries(
  ENTRIES.map(([name, { means }]) => [name, means]),
);

export const figuresOf = (tally: Tally): Record<FigureName, number | null> =>
  Object.fromEntries(ENTRIES.map(([name, figure]) => [name, figure.of(tally)])) as Record<FigureName, number | null>;

/** Half up. The division comes last, so that halves are met exactly. */
function ratio(part: number, whole: number, places: number): number | null {
  if (whole === 0) return null;
  const scale = 10 ** places;
  return Math.round((part * scale) / whole) / scale;
}

function nearestRank(counts: ReadonlyMap<number, number>, total: number, percent: number): number | null {
  const rank = Math.ceil((percent * total) / 100);
  let below = 0;
  for (const value of [...counts.keys()].sort((a, b) => a - b)) {
    below += counts.get(value) ?? 0;
    if (below >= rank) return value;
  }
  return null;
}
