/** One line that is rewritten on a terminal; a line a second elsewhere. */
import type { Counts } from './play.js';

export interface Progress {
  stop(): void;
}

const TERMINAL_MS = 100;
const ELSEWHERE_MS = 1000;

export function showProgress(counts: Counts): Progress {
  const { stderr } = process;
  const begun = Date.now();
  const line = (): string => describe(counts, (Date.now() - begun) / 1000);
  const show = stderr.isTTY
    ? () => stderr.write(`\r\u001b[2K${line().slice(0, Math.max(20, (stderr.columns ?? 80) - 1))}`)
    : () => stderr.write(`${line()}\n`);
  const timer = setInterval(show, stderr.isTTY ? TERMINAL_MS : ELSEWHERE_MS);
  return {
    stop() {
      clearInterval(timer);
      show();
      if (stderr.isTTY) stderr.write('\n');
    },
  };
}

function describe(counts: Counts, seconds: number): string {
  const waiting = counts.begun - counts.answered - counts.refused - counts.givenUp;
  const parts = [
    `${counts.begun} of ${counts.toSend} webhooks sent`,
    `${counts.answered} answered`,
    counts.again > 0 && `${counts.again} tried again`,
    counts.refused > 0 && `${counts.refused} refused`,
    counts.givenUp > 0 && `${counts.givenUp} given up`,
    counts.trouble !== null && waiting > 0 && `${waiting} waiting (${counts.trouble})`,
    `${seconds.toFixed(0)} s`,
  ];
  return parts.filter((part) => typeof part === 'string').join(', ');
}
