import { setImmediate as nextTurn } from 'node:timers/promises';

interface Waiting<K, V> {
  readonly key: K;
  resolve(value: V): void;
  reject(error: unknown): void;
}

/**
 * Answers single questions with few statements: those of one turn of the event loop are asked together, and those that
 * come while an answer is under way go into the next. A question is never joined to one that was asked before it, so
 * an answer is never older than its question. `load` answers in the order of the keys.
 */
export function createGatherer<K, V>(
  load: (keys: readonly K[]) => Promise<readonly V[]>,
  most = 500,
): (key: K) => Promise<V> {
  const waiting: Waiting<K, V>[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      await nextTurn();
      const batch = waiting.splice(0, most);
      try {
        const values = await load(batch.map(({ key }) => key));
        batch.forEach(({ resolve }, i) => {
          resolve(values[i] as V);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isRunning = false;
  }

  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (isRunning) return;
      isRunning = true;
      void run();
    });
}
