const SAME_SIGNAL_MS = 1000;

/**
 * Resolves with the first SIGTERM or SIGINT. npm passes on what its group got already, so a second one within a second
 * is the same; one that comes later means it, and ends the process at once.
 */
export function stopAsked(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first: number | undefined;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (first === undefined) {
          first = Date.now();
          resolve(signal);
        } else if (Date.now() - first > SAME_SIGNAL_MS) process.exit(1);
      });
    }
  });
}
