import { setTimeout as pause } from 'node:timers/promises';

/** Waits until the answer is true; fails with the question after `ms`. For what only shows from outside. */
export async function until(what: string, ask: () => unknown, ms = 5000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`Waited ${ms} ms in vain until ${what}.`);
    await pause(5);
  }
}
