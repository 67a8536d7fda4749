import { setTimeout as pause } from 'node:timers/promises';

/** Waits until the answer is true; fails with the question after `ms`. For what only shows from outside. */
export async function until(what: string, ask: () => unknown, ms = 5000): Promise<void> {
  const begun = Date.now();
  while (!(await ask())) {
    const passed = Date.now() - begun;
    if (passed > ms) throw new Error(`Waited ${ms} ms in vain until ${what}.`);
    // The longer it takes, the less often it is asked: the processor is wanted elsewhere.
    await pause(Math.min(50, 5 + passed / 20));
  }
}
