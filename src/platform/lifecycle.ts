import type { Logger } from './log.js';

/** Undoes what was opened, newest first, each step with a deadline, all of them even when one fails. */
export interface Closer {
  defer(name: string, undo: () => unknown, deadlineMs?: number): void;
  close(): Promise<void>;
}

export function createCloser(log: Logger): Closer {
  const steps: { name: string; undo: () => unknown; deadlineMs: number }[] = [];
  let closing: Promise<void> | undefined;

  async function run(): Promise<void> {
    for (let step = steps.pop(); step; step = steps.pop()) {
      const { name, undo, deadlineMs } = step;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), deadlineMs);
      });
      try {
        const outcome = await Promise.race([Promise.resolve().then(undo), late]);
        if (outcome === 'late') log.warn({ step: name, deadlineMs }, 'closing took too long');
      } catch (error) {
        log.error({ step: name, err: error }, 'closing failed');
      } finally {
        clearTimeout(timer);
      }
    }
  }

  return {
    defer: (name, undo, deadlineMs = 5000) => void steps.push({ name, undo, deadlineMs }),
    close: () => {
      closing ??= run();
      return closing;
    },
  };
}
