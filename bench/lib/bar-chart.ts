import type { Unit } from './notebook.js';
import { spell } from './report.js';

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly unit: Unit;
}

export interface BarChart {
  readonly title: string;
  readonly about: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 760;
const LABELS = 250;
const VALUES = 90;
const ROW = 26;
const TOP = 62;

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** What is measured for comparison stands back. */
const isRival = (label: string): boolean => /\b(ceiling|plain|bare)\b/.test(label);

/** Horizontal bars with the span over the rounds, readable on light and on dark ground. */
export function drawBars({ title, about, bars }: BarChart): string {
  const most = Math.max(...bars.map(({ max }) => max));
  const scale = (WIDTH - LABELS - VALUES) / most;
  const height = TOP + bars.length * ROW + 12;
  const rows = bars.map((bar, place) => drawBar(bar, TOP + place * ROW, scale));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeText(title)}">
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 16px; font-weight: 600 }
.about { font-size: 12px; fill: #57606a }
.own { fill: #2f81f7 } .rival { fill: #9aa4af } .span { stroke: #24292f; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .about { fill: #9198a1 } .span { stroke: #e6edf3 } .rival { fill: #59636e } }
</style>
<text class="title" x="8" y="24">${escapeText(title)}</text>
<text class="about" x="8" y="44">${escapeText(about)}</text>
${rows.join('\n')}
</svg>
`;
}

function drawBar({ label, value, min, max, unit }: Bar, top: number, scale: number): string {
  const at = (figure: number): string => (LABELS + figure * scale).toFixed(1);
  const middle = top + ROW / 2;
  return [
    `<text x="${LABELS - 8}" y="${middle + 4}" text-anchor="end">${escapeText(label)}</text>`,
    `<rect class="${isRival(label) ? 'rival' : 'own'}" x="${LABELS}" y="${top + 4}" width="${(value * scale).toFixed(1)}" height="${ROW - 8}" rx="3"/>`,
    `<line class="span" x1="${at(min)}" x2="${at(max)}" y1="${middle}" y2="${middle}"/>`,
    `<text x="${Number(at(max)) + 8}" y="${middle + 4}">${escapeText(spell(value, unit))}</text>`,
  ].join('');
}
