import type { Goal, PartResult, Row, Unit } from './notebook.js';

/** Three or so figures of a value, as people read it. */
export function spell(value: number, unit: Unit): string {
  const size = Math.abs(value);
  const digits = unit === '×' ? 2 : size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const text = value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });
  return unit === '×' ? text : `${text}${unit === '/s' || unit === '%' ? '' : ' '}${unit}`;
}

export function spellGoal(goal: Goal | null, unit: Unit): string {
  if (!goal) return '';
  const parts = [
    ...(goal.atLeast === undefined ? [] : [`≥ ${spell(goal.atLeast, unit)}`]),
    ...(goal.atMost === undefined ? [] : [`≤ ${spell(goal.atMost, unit)}`]),
  ];
  return parts.join(', ');
}

const verdict = ({ met }: Row): string => (met === null ? '' : met ? 'met' : 'NOT MET');

function cells(row: Row): string[] {
  const { name, unit, median, min, max, goal, rounds } = row;
  const spread = rounds.length > 1 ? `${spell(min, unit)} .. ${spell(max, unit)}` : '';
  return [name, spell(median, unit), spread, spellGoal(goal, unit), verdict(row)];
}

const HEAD = ['', 'median', 'min .. max', 'goal', ''];

/** A part as a table for the terminal, group by group. */
export function printPart({ part, rows, skipped }: PartResult): void {
  const table = rows.map(cells);
  const widths = HEAD.map((head, column) => Math.max(head.length, ...table.map((line) => line[column]?.length ?? 0)));
  const line = (texts: readonly string[]): string =>
    `    ${texts.map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0))).join('  ')}`;
  console.log(`\n${part}\n${line(HEAD).trimEnd()}`);
  let group = '';
  rows.forEach((row, place) => {
    if (row.group !== group) console.log(`  ${row.group}`);
    group = row.group;
    console.log(line(table[place] ?? []).trimEnd());
  });
  for (const sentence of skipped) console.log(`  not measured: ${sentence}`);
}

/** The same as Markdown, for the documentation. */
export function markdownPart({ part, rows, skipped }: PartResult): string {
  const lines = [`### ${part}`, '', '| | median | min .. max | goal | |', '| --- | ---: | ---: | ---: | --- |'];
  let group = '';
  for (const row of rows) {
    if (row.group !== group) lines.push(`| **${row.group}** | | | | |`);
    group = row.group;
    lines.push(`| ${cells(row).join(' | ')} |`);
  }
  return [...lines, '', ...skipped.map((sentence) => `Not measured: ${sentence}`), ''].join('\n');
}
